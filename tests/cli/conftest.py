"""A folder to call the command line in, and a store to look into afterwards."""

from __future__ import annotations

import io
import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.calling import APP, FRONT
from tests.cli.operator import PASSWORD, Run, Said
from tuihost.accounts import AccountStore
from tuihost.cli.main import main
from tuihost.host.login.services import open_accounts
from tuihost.settings.loading import load
from tuihost.settings.models import Settings


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Runs the command line in this process, in an empty folder; the limits of the process stay,
    since what is lowered once cannot be raised again for other tests."""
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUIHOST_SERVER__STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "200")
    umask = os.umask(0o022)

    def call(*words: str, stdin: str = "", status: int = 0) -> Said:
        monkeypatch.setattr(sys, "argv", ["tuihost", *words])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        with pytest.raises(SystemExit) as end:
            main()
        caught = capsys.readouterr()
        # Which settings file it uses comes first wherever that matters; a test of its own sees it.
        err = caught.err.partition("\n")[2] if caught.err.startswith("Settings: ") else caught.err
        said = Said(int(end.value.code or 0), caught.out, err)
        assert said.status == status, f"{words}: {said}"
        return said

    yield call
    os.umask(umask)


@pytest.fixture
def store(run: Run, tmp_path: Path) -> Iterator[AccountStore]:
    """The store of that host, as the host itself opens it; there is an account `ada`."""
    run("user", "add", "ada", "--password-stdin", stdin=f"{PASSWORD}\n")
    opened = open_accounts(load(None, {"TUIHOST_SERVER__STATE_DIR": str(tmp_path / "state")}))
    yield opened
    opened.close()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder to work in; the home of whoever calls is there too."""
    apps = tmp_path / "apps"
    apps.mkdir()
    (apps / "echo.py").write_text(APP)
    (apps / "front.py").write_text(FRONT)
    return tmp_path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(None, {}, {"server.state_dir": str(tmp_path / "demo")})
