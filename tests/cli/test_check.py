"""`tuihost check`: the settings, the apps and the ways in, without opening anything."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.calling import tuihost
from tests.cli.operator import Run
from tuihost.database import Database
from tuihost.host.store._account_schema import APPLICATION_ID, MIGRATIONS


@pytest.fixture
def here(run: Run, place: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Calls the command line in that folder, which is its home too."""
    monkeypatch.delenv("TUIHOST_SERVER__STATE_DIR")
    monkeypatch.setenv("HOME", str(place))
    return run


def test_check_says_everything_and_opens_nothing(here: Run, place: Path) -> None:
    file = place / "tuihost.toml"
    file.write_text(
        "[server]\ndefault_app = 'echo'\n[apps]\nfolders = ['apps']\nenabled = ['echo', 'ba*']\n"
    )
    assert "all is well" in here("check").out
    assert not (place / ".local").exists()
    (place / "apps" / "bad.py").write_text("x = 1")
    assert "app bad: has no `app`" in here("check", status=1).err

    file.write_text("[server]\nprot = 1\n[login]\ngrace = 'x'\n")
    said = here("check", status=78).err
    assert said.splitlines() == [
        "tuihost.toml:2: server.prot: no such setting; did you mean 'port'?",
        "tuihost.toml:4: login.grace: should be a number, not 'x'",
    ]
    assert here("serve", status=78).err == said

    key = place / "key"
    key.write_text("no key")
    key.chmod(0o600)
    file.write_text(
        "[server]\ndefault_app = 'nope'\ntheme = 'pink'\nhost_keys = ['key']\n[app.ecco]\nx = 1\n"
        "[apps]\nfolders = ['apps']\n"
    )
    said = here("check", status=78).err
    assert "no app called 'nope' works here" in said
    assert "there is no theme 'pink'; there are " in said
    assert "tuihost.toml:5: app.ecco: no app is called 'ecco'; did you mean 'echo'?" in said
    assert f"tuihost.toml:4: server.host_keys: {key}: is not a complete private key" in said


def test_a_module_that_is_broken_has_the_line_that_names_it(here: Run, place: Path) -> None:
    (place / "tuihost.toml").write_text(
        "[server]\ndefault_app = 'menu'\n[apps]\nmodules = ['nowhere.board:app', 'json']\n"
        "[login]\nsteps = ['json']\n"
    )
    assert here("check", status=1).err.splitlines() == [
        "tuihost.toml:4: app board: ModuleNotFoundError: No module named 'nowhere' "
        "(nowhere.board:app)",
        "tuihost.toml:4: app json: has no `app` and defines no subclass of App (json)",
        "tuihost.toml:6: login step json: has no `step` and defines no subclass of Step (json)",
    ]


def test_a_damaged_store_of_an_app_is_told(here: Run, place: Path) -> None:
    (place / "tuihost.toml").write_text(
        "[server]\ndefault_app = 'notes'\nstate_dir = 'state'\n[apps]\nenabled = ['notes']\n"
    )
    store = place / "state" / "apps" / "notes" / "notes.sqlite3"
    store.parent.mkdir(parents=True)
    with closing(sqlite3.connect(store)) as good:
        good.execute("pragma journal_mode = wal")
        good.execute("create table note (text)")
        before = sorted(path.name for path in store.parent.iterdir())
        assert "all is well" in here("check").out
        assert sorted(path.name for path in store.parent.iterdir()) == before
    assert "all is well" in here("check").out
    assert [path.name for path in store.parent.iterdir()] == [store.name]
    store.write_text("not a database, and longer than a header")
    done = here("check", status=1)
    assert done.err.splitlines()[-1] == f"app notes: {store} is damaged"
    assert "1 mistake" in done.out


def test_check_knows_the_ways_in_and_their_steps(here: Run, place: Path) -> None:
    file, steps = place / "tuihost.toml", place / "steps"
    steps.mkdir()
    riddle = steps / "riddle.py"
    riddle.write_text(
        "from tuihost.login import Step\nclass Riddle(Step):\n    def ask(self, attempt):\n"
        "        yield from ()\n        return False\n"
    )
    chains = "[login]\nchains = ['password, riddle']\n"
    file.write_text(chains)
    unknown = "login.chains: no step is called 'riddle'; there are "
    said = here("check", status=78).err
    assert unknown in said
    assert unknown in here("serve", status=78).err
    file.write_text(chains + "step_folders = ['steps']\n")
    assert "all is well" in here("check").out
    assert not (place / ".local").exists()
    riddle.write_text("import nothing_there")
    said = here("check", status=78).err
    assert "login step riddle: ModuleNotFoundError" in said
    assert unknown in said
    file.write_text("[login]\nsteps = ['tuihost.login.steps.codes:Nothing']\n")
    said = here("check", status=1).err
    assert "login step codes: module tuihost.login.steps.codes has no 'Nothing'" in said


def test_check_names_accounts_that_people_may_confuse(here: Run, place: Path) -> None:
    accounts = Database(place / "accounts", MIGRATIONS[:1], application_id=APPLICATION_ID)
    with accounts.writing() as connection:
        for name in ("alice", "bob", "al1ce"):
            connection.execute(
                'insert into account (folded, name, roles, "groups", disabled, created,'
                " password_expired, terms, chains) values (?, ?, '[]', '[]', 0, 0, 0, '', '[]')",
                (name, name),
            )
    accounts.close()
    (place / "tuihost.toml").write_text(
        "[accounts]\nurl = 'sqlite:///accounts'\n[server]\nstate_dir = '.'\n"
    )
    before = (place / "accounts").read_bytes()
    said = here("check")
    assert "People may take these accounts for one another: al1ce, alice.\n" in said.err
    assert "all is well" in said.out
    assert (place / "accounts").read_bytes() == before, (
        "a host of an older version may have it open"
    )


def test_a_settings_file_that_is_asked_for_has_to_be_there(place: Path) -> None:
    said = tuihost(place, "check", "--config", "gone.toml", status=78).stderr
    assert said == "Settings: gone.toml\ngone.toml: there is no such file\n"
    assert tuihost(place, "check", status=78, TUIHOST_CONFIG="gone.toml").stderr == said
