"""`tuihost run`: one app in this terminal."""

from __future__ import annotations

from pathlib import Path

from tests.cli.calling import only_ours, tuihost


def test_run_gives_the_exit_status_of_the_app(place: Path) -> None:
    only = only_ours(place)
    done = tuihost(place, "run", "echo", "say", "--", "--hello", status=7, **only)
    assert (done.stdout, done.stderr) == ("--hello\n", "")
    assert "no_such" in tuihost(place, "run", "no_such", status=127, **only).stderr
