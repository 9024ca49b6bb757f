"""`tuihost run`: one app in this terminal."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.calling import only_ours, tuihost
from tuihost.cli.common import own_user


def test_run_gives_the_exit_status_of_the_app(place: Path) -> None:
    only = only_ours(place)
    done = tuihost(place, "run", "echo", "say", "--", "--hello", status=7, **only)
    assert (done.stdout, done.stderr) == ("--hello\n", "")
    assert "no_such" in tuihost(place, "run", "no_such", status=127, **only).stderr


def test_a_folder_for_data_that_cannot_be_used_is_a_sentence(place: Path) -> None:
    (place / "taken").write_text("")
    only = only_ours(place) | {"TUIHOST_SERVER__STATE_DIR": "taken"}
    assert tuihost(place, "run", "echo", "say", status=1, **only).stderr == (
        f"Error: the folder {place}/taken, where the host keeps its data, cannot be used: it is "
        "not a folder. Mend that, or choose another with `server.state_dir`.\n"
    )


CLUB = """
from tuihost import Accepts, App, command

class Club(App):
    accepts = Accepts(guests=False, roles=("member",))
    @command
    def enter(self, session) -> None:
        session.print(f"{session.user}, {sorted(session.account.roles)}")
"""


def test_run_has_the_roles_that_are_given(tmp_path: Path) -> None:
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "club.py").write_text(CLUB)
    (tmp_path / "tuihost.toml").write_text(
        "[server]\nstate_dir = 'state'\n[apps]\nfolders = ['apps']\nenabled = ['club']\n"
    )
    only = {"LOGNAME": "ada"}
    assert "no app is called club" in tuihost(tmp_path, "run", "club", status=127, **only).stderr
    done = tuihost(tmp_path, "run", "--role", "member", "club", "enter", **only)
    assert done.stdout == "ada, ['member']\n"


def test_a_user_whom_the_machine_does_not_know_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_242_424)
    assert own_user() == "uid-4242424"
