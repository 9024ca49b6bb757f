"""The host of a test lets in guests, and people with an account by their password."""

from __future__ import annotations

import gc
import tempfile
import weakref
from pathlib import Path

import paramiko
import pytest

from tuihost import App, Session, command
from tuihost.errors import MisuseError, SettingsError
from tuihost.testing import hosted


class Who(App):
    """Says who is there."""

    name = "who"

    @command
    def am_i(self, session: Session) -> None:
        session.print(f"{session.account.name}, guest: {session.account.guest}")
        session.print("and no more")


def test_people_with_a_password_use_their_account() -> None:
    with hosted(Who()) as host:
        host.add_account("ada", "correct horse")
        given = {"user": "ada", "password": "correct horse"}
        assert host.run("who am-i", **given).text == "ada, guest: False\nand no more\n"
        with host.open("who am-i", **given) as pilot:
            pilot.wait_for("ada, guest: False")
        with host.lines("who am-i", **given) as pilot:
            pilot.wait_for("ada, guest: False\nand no more")
        assert host.run("who am-i", user="bob").text.startswith("bob, guest: True")
        for user, password in (("ada", "wrong"), ("bob", "correct horse")):
            with pytest.raises(paramiko.AuthenticationException):
                host.run("who am-i", user=user, password=password)


def test_settings_that_are_wrong_leave_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(SettingsError), hosted(settings={"server.port": "none"}):
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_app_without_a_name_is_told_what_it_needs() -> None:
    class Shelf(App):
        @command
        def read(self, session: Session) -> None:
            session.print("Moby Dick")

    with pytest.raises(MisuseError, match="Shelf needs a `name`"), hosted(Shelf()):
        raise AssertionError("a host nobody can open anything of")


def test_a_host_that_has_ended_is_forgotten() -> None:
    with hosted(bundled=["about"]) as host:
        assert host.run("about").status == 0
        kept = weakref.ref(host.host)
    del host
    gc.collect()
    assert kept() is None
