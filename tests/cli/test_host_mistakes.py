"""What is wrong with a host: each mistake with its place, all of them at once, and whatever keeps a
host from starting."""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.calling import APP, FRONT, ROOT
from tests.cli.operator import Run
from tuihost import logs
from tuihost.cli.host_mistakes import mistakes
from tuihost.cli.serving import open_log
from tuihost.errors import SettingsError
from tuihost.host.plugins.app_catalog import Catalog
from tuihost.host.plugins.step_catalog import StepCatalog
from tuihost.host.server.server import Server
from tuihost.settings.loading import draft, load

SOUND = "[apps]\nfolders = ['apps']\n[server]\ndefault_app = 'echo'\n"

SERVER = [
    ("host_keys = []", "5: server.host_keys: should not be empty"),
    ("port = true", "5: server.port: should be a whole number, not true"),
    ("host = '192.0.2.1'", "5: server.host: '192.0.2.1' is not an address of this machine"),
    ("theme = 'harbor-nihgt'", "5: server.theme: there is no theme 'harbor-nihgt'; did you mean"),
    ("host_keys = ['file']", "5: server.host_keys: {here}/file: others can read it (mode "),
    ("host_keys = ['key', 'away']", "5: server.host_keys: {here}/away: there is no such file"),
    ("script = 'echo sya'", "5: server.script: there is no command 'echo sya'; did you mean 'say'"),
]
TABLE = [
    (
        "[app.files]\nquta = 1",
        "6: app.files.quta: the app 'files' has no such option; did you mean 'quota'?",
    ),
    ("[app.files]\nquota = 'much'", "6: app.files.quota: should be a whole number, not 'much'"),
    ("[app.files]\nentries = true", "6: app.files.entries: should be a whole number, not true"),
    ("[app.files]\nentries = -1", "6: app.files.entries: `entries` should be a whole number"),
    (
        "[app.files]\nshared = [{name = 'A B'}]",
        "6: app.files.shared: a shared folder needs a `name`",
    ),
    (
        "[app.reader]\nfolder = '/nowhere'",
        "6: app.reader.folder: there is no folder with pages at /nowhere",
    ),
    ("[app.about]\naddress = 22", "6: app.about.address: should be text, not 22"),
    ("[app.menu]\nmotd = ['a']", "6: app.menu.motd: should be text, not ['a']"),
    ("[app.tunnels]\nlisten = '80'", "6: app.tunnels.listen: 'listen' should be an address"),
    (
        "[app.tunnels]\nlisten = '192.0.2.1:80'",
        "6: app.tunnels.listen: cannot listen on 192.0.2.1:80: Cannot assign requested address",
    ),
    ("[app.tunnels]\nport = 0", "6: app.tunnels.port: 'port' should be a number up to 65535"),
    (
        "[app.windows]\nprograms = {it = 'nowhere-1'}",
        "6: app.windows.programs: there is no program 'nowhere-1' on this machine",
    ),
    ("[app.notes]\nx = 1", "6: app.notes.x: the app 'notes' has no options"),
    ("[app.ecoh]\nx = 1", "5: app.ecoh: no app is called 'ecoh'; did you mean 'echo'?"),
    (
        "[roles.guest]\napps = ['ecko', 'e*']",
        "6: roles.guest.apps: no app is called 'ecko'; did you mean 'echo'?",
    ),
    (
        "[roles.staff]\nread_files = ['ecko', 'e*', 'files']",
        "6: roles.staff.read_files: no app is called 'ecko'; did you mean 'echo'?",
    ),
    (
        "[roles.staff]\nread_files = []\nwrite_files = ['fils']",
        "7: roles.staff.write_files: no app is called 'fils'; did you mean 'files'?",
    ),
    (
        "[roles.guest]\ncommands = ['echo sya', '* now', 'echo *']",
        "6: roles.guest.commands: there is no command 'echo sya'; did you mean 'say'?",
    ),
    (
        "[roles.guest]\ncommands = ['echo']",
        "6: roles.guest.commands: should be `app command`; did you mean 'echo *'?",
    ),
    (
        "[roles.staff]\n[groups.crew]\nroles = ['staf']",
        "7: groups.crew.roles: there is no role 'staf' that accounts can have;"
        " did you mean 'staff'?",
    ),
    (
        "[groups.crew]\nroles = ['guest']",
        "6: groups.crew.roles: the role 'guest' is for people without an account",
    ),
    (
        "[roles.staff]\nforwards = ['x', '10.0.0.0/8:22', '*']",
        "6: roles.staff.forwards: 'x': should be host:port (host:* for every port) or the path",
    ),
    ("[roles.staff]\nlistens = ['y:http', 'y:80']", "6: roles.staff.listens: 'y:http': 'http' is"),
    (
        "[roles.guest]\napps = ['front']\ncommands = ['echo say', 'e* say']",
        "7: roles.guest.commands: 'echo say' needs the app 'echo', which nobody with this role may",
    ),
    (
        "[roles.user]\napps = ['front']\n[roles.staff]\napps = ['front']\ncommands = ['echo say']",
        "9: roles.staff.commands: 'echo say' needs the app 'echo', which nobody with this role may",
    ),
    (
        "[roles.guest]\ncommands = ['files *']",
        "6: roles.guest.commands: the app 'files' shows no files to people with this role; set rea",
    ),
    (
        "[roles.guest]\napps = ['files']\ncommands = []",
        "6: roles.guest.apps: the app 'files' shows no files to people with this role; set read_fi",
    ),
    (
        "[roles.staff]\n[app.files]\nshared = [{name = 'all', roles = ['user', 'stff']}]",
        "7: app.files.shared: there is no role 'stff' that accounts can have; did you mean 'staf",
    ),
    (
        "[app.files]\nshared = [{name = 'all', write = ['nobody']}]",
        "6: app.files.shared: there is no role 'nobody' that accounts can have",
    ),
    ("[sources]\nstartups = '1:2'", "6: sources.startups: should be three whole numbers with ':'"),
    ("[sources]\nstartups = '9:2:1'", "6: sources.startups: should be A:B:C, with A up to C and B"),
    ("[themes]\nfolders = ['away']", "6: themes.folders: {here}/away: No such file or directory"),
    ("[login]\nstep_folders = ['away']", "6: login.step_folders: {here}/away: No such file"),
    (
        "[logs]\nfile = 'away/log'",
        "6: logs.file: {here}/away/log cannot be opened: No such file or directory",
    ),
    ("[logs]\nfile = 'apps'", "6: logs.file: {here}/apps cannot be opened: Is a directory"),
    ("[logs]\nfile = 'pipe'", "6: logs.file: {here}/pipe cannot be opened: No such device"),
    ("[login]\ntrusted_ca = ['away']", "6: login.trusted_ca: {here}/away: No such file"),
    ("[login]\nrevoked_keys = 'away'", "6: login.revoked_keys: {here}/away: No such file"),
    ("[login]\nterms = 'away'", "6: login.terms: {here}/away: cannot be read: No such file"),
    ("[login]\nterms = 'latin'", "6: login.terms: {here}/latin: cannot be read: it is not UTF-8"),
    (
        "[login.app_chains]\nehco = ['publickey']",
        "6: login.app_chains.ehco: no app is called 'ehco'; did you mean 'echo'?",
    ),
    ("[sources]\nexempt = ['x']", "6: sources.exempt: "),
    ("[login]\nchains = ['passwrd']", "6: login.chains: no step is called 'passwrd'; did you mean"),
    (
        "[login]\nauthorized_keys = ['/etc/%h']",
        "6: login.authorized_keys.0: '/etc/%h': %h means nothing here; %u is the account's name",
    ),
    ("[accounts]\nurl = 'mysql://'", "6: accounts.url: 'mysql://' should be sqlite:///PATH"),
]


@pytest.fixture
def here(tmp_path: Path, run: Run) -> Path:
    """A folder with a host that is well."""
    apps = tmp_path / "apps"
    apps.mkdir()
    (apps / "echo.py").write_text(APP)
    (apps / "front.py").write_text(FRONT)
    (tmp_path / "tuihost.toml").write_text(SOUND)
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "nowhere").symlink_to("not-there")
    (tmp_path / "latin").write_bytes(b"caf\xe9")
    os.mkfifo(tmp_path / "pipe", 0o600)
    return tmp_path


def test_a_key_that_cannot_be_looked_for_is_a_sentence(here: Path, run: Run) -> None:
    """As in a folder that another user keeps to themselves."""
    (here / "tuihost.toml").write_text(f"{SOUND}[accounts]\nsecret_key = '{LONG}'\n")
    assert run("check", status=78).err == (
        f"the key {here}/{LONG} cannot be used: File name too long\n"
    )


def test_a_lock_that_is_a_link_to_nothing_is_found(here: Path, run: Run) -> None:
    (here / "tuihost.toml").write_text(f"{SOUND}state_dir = 'state'\n")
    (here / "state").mkdir(mode=0o700)
    lock = here / "state" / "host.lock"
    lock.symlink_to("away/lock")
    said = run("check", status=78).err
    assert said.endswith(f": server.state_dir: {lock}: is a link to nothing\n")
    lock.unlink()
    lock.mkdir()
    assert f"{lock}: is not a file" in run("check", status=78).err
    lock.rmdir()
    lock.touch()
    assert "all is well" in run("check").out


@pytest.mark.parametrize(("text", "said"), [*TABLE, *SERVER])
def test_each_mistake_is_told_with_its_line(here: Path, run: Run, text: str, said: str) -> None:
    (here / "tuihost.toml").write_text(SOUND + text + "\n")
    told = run("check", status=78).err.splitlines()
    assert len(told) == 1, told
    assert told[0].startswith(f"tuihost.toml:{said.format(here=here)}"), told


@pytest.mark.parametrize(
    "text",
    [
        "[roles.user]\napps = []\n[roles.a]\n[roles.staff]\napps = []\ncommands = ['echo say']",
        "[roles.guest]\ncommands = ['files *']\nread_files = []",
        "[roles.guest]\ncommands = ['files *']\nwrite_files = ['files']",
        "[roles.guest]\napps = ['front']\ncommands = []",
        "[roles.staff]\ncommands = ['files *']",
        "[roles.a]\n[app.files]\nshared = [{name = 'all', roles = ['a'], write = ['user']}]",
    ],
)
def test_what_the_roles_allow_together_is_well(here: Path, run: Run, text: str) -> None:
    (here / "tuihost.toml").write_text(f"{SOUND}{text}\n")
    assert "all is well" in run("check").out


def test_the_options_of_an_app_are_all_well_if_it_says_so(here: Path, run: Run) -> None:
    (here / "tuihost.toml").write_text(
        SOUND
        + "[app.files]\nquota = 1\nbin_days = 3\nshared = [{name = 'all'}]\n"
        + "[app.tunnels]\nlisten = '127.0.0.1:8080'\ndomain = 'example.org'\nport = 443\n"
    )
    assert "all is well" in run("check").out


def test_bundled_apps_know_every_option_that_they_read() -> None:
    for folder in (path for path in (ROOT / "apps").iterdir() if path.is_dir()):
        text = "".join(path.read_text("utf-8") for path in folder.glob("*.py"))
        read = set(re.findall(r'options(?:\.get\(|, )"(\w+)"', text))
        known = re.search(r"known_options = ((?:\(|\{)[^)}]*[)}])", text)
        assert known is not None or not read, folder.name
        assert known is None or read <= set(re.findall(r'"(\w+)"', known[1])), folder.name


CHECKED = """
from tuihost import App, command

class Checked(App):
    "An app with options."
    known_options = {"size": float, "loud": bool}
    @command
    def go(self, session): ...
    def option_mistakes(self, options):
        if options.get("size", 1) < 1:
            yield "size", f"should be 1 or more, not {options['size']}"
"""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("size = 2", None),
        ("size = 1.5", None),
        ("size = 0", "should be 1 or more, not 0"),
        ("size = 'x'", "should be a number, not 'x'"),
        ("size = true", "should be a number, not true"),
        ("loud = true", None),
        ("loud = 1", "should be true or false, not 1"),
    ],
)
def test_an_app_says_which_of_its_options_are_wrong(
    here: Path, run: Run, options: str, said: str | None
) -> None:
    (here / "apps" / "checked.py").write_text(CHECKED)
    (here / "tuihost.toml").write_text(f"{SOUND}[app.checked]\n{options}\n")
    if said is None:
        assert "all is well" in run("check").out
    else:
        name = options.partition(" ")[0]
        told = run("check", status=78).err
        assert told == f"tuihost.toml:6: app.checked.{name}: {said}\n"


def test_an_app_that_cannot_check_its_options_is_told(here: Path, run: Run) -> None:
    (here / "apps" / "checked.py").write_text(CHECKED.replace("1) < 1", "1) < None"))
    (here / "tuihost.toml").write_text(f"{SOUND}[app.checked]\nsize = 2\n")
    assert "app.checked.*: cannot be checked: TypeError: " in run("check", status=78).err


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(here: Path, run: Run) -> None:
    (here / "tuihost.toml").write_text(
        "[apps]\nenabled = ['echo', 'frnt']\nfolders = ['apps', 'away']\n"
        "[server]\ndefault_app = 'echo'\nport = true\n[app.echo]\n[app.ecoh]\n"
        "[logs]\nfile = 'away/log'\n[limits]\nkeepalive = 'often'\n"
    )
    told = [line.split(": ")[:2] for line in run("check", status=78).err.splitlines()]
    assert told == [
        ["tuihost.toml:2", "apps.enabled"],
        ["tuihost.toml:3", "apps.folders"],
        ["tuihost.toml:6", "server.port"],
        ["tuihost.toml:8", "app.ecoh"],
        ["tuihost.toml:10", "logs.file"],
        ["tuihost.toml:12", "limits.keepalive"],
    ]


def test_each_value_of_a_list_has_its_mistake(here: Path, run: Run) -> None:
    (here / "tuihost.toml").write_text(
        f"{SOUND}[app.files]\nquota = -1\nshared = [{{name = 'a', path = 'x', guests = 1}}, {{}}]\n"
        "[app.notes]\nx = 1\n"
        "[forwarding]\ndial = ['x', 'a:22', 'y:z']\nlisten = ['x:0', 'x:99999']\n"
        "[login]\ntrusted_ca = ['', 'ca', '']\nauthorized_keys = ['%h', '%U']\n"
    )
    told = [line.split(": ")[1] for line in run("check", status=78).err.splitlines()]
    assert told == [
        *["app.files.quota"] + ["app.files.shared"] * 3,
        *["app.notes.x"],
        "forwarding.dial.0",
        "forwarding.dial.2",
        "forwarding.listen.0",
        "forwarding.listen.1",
        "login.trusted_ca.0",
        "login.trusted_ca.2",
        "login.authorized_keys.0",
        "login.authorized_keys.1",
    ]


def test_an_option_that_is_wrong_hides_no_role_in_another(here: Path, run: Run) -> None:
    (here / "tuihost.toml").write_text(
        f"{SOUND}[app.files]\nquota = -1\nshared = [{{name = 'a', roles = ['nobody']}}]\n"
    )
    told = [line.split(": ")[1] for line in run("check", status=78).err.splitlines()]
    assert told == ["app.files.quota", "app.files.shared"]


def test_a_host_that_is_well_has_none(here: Path, run: Run) -> None:
    assert "all is well" in run("check").out
    assert not (here / "state").exists()


def test_folders_that_cannot_be_made_and_stores_that_are_damaged(here: Path, run: Run) -> None:
    state = here / "state"
    state.write_text("a file where a folder should be")
    said = run("check", status=78).err
    assert f"server.state_dir: the folder {state}/apps cannot be made: {state} is not a" in said
    state.unlink()
    state.mkdir()
    for name in ("host.sqlite3", "accounts.sqlite3"):
        (state / name).write_text("no database, and longer than a header")
    said = run("check", status=78).err
    assert f"the preference file {state}/host.sqlite3 is damaged" in said
    assert f"the account store {state}/accounts.sqlite3 is damaged" in said
    (state / "host.sqlite3").unlink()
    (state / "accounts.sqlite3").unlink()
    with closing(sqlite3.connect(state / "accounts.sqlite3")) as other:
        other.execute("create table other (x)")
    assert "accounts.sqlite3 is a database of something else" in run("check", status=78).err
    (state / "accounts.sqlite3").unlink()
    (state / "accounts.key").write_text("short")
    (state / "accounts.key").chmod(0o600)
    assert "accounts.key is not 32 bytes long" in run("check", status=78).err
    assert [path.name for path in state.iterdir()] == ["accounts.key"]


def test_what_others_can_write_to_is_not_used(here: Path, run: Run) -> None:
    (here / "apps" / "echo.py").chmod(0o666)
    (here / "log").touch(0o600)
    (here / "log").chmod(0o622)
    (here / "tuihost.toml").write_text("[apps]\nfolders = ['apps']\n[logs]\nfile = 'log'\n")
    said = run("check", status=78).err.splitlines()
    cure = "others can write to it; run chmod go-w on it"
    assert said == [
        f"tuihost.toml:4: logs.file: {here}/log cannot be opened: {cure}",
        f"app echo: {cure} ({here}/apps/echo.py)",
    ]
    assert (
        run("serve", status=1).err == f"Error: The log file {here}/log cannot be opened: {cure}\n"
    )
    state = here / "state"
    state.mkdir()
    state.chmod(0o777)
    (here / "tuihost.toml").write_text(f"{SOUND}host_keys = ['key']\n")
    assert f"server.state_dir: {state}: {cure}" in run("check", status=78).err
    state.chmod(0o700)
    (here / "tuihost.toml").write_text("[apps]\nfolders = ['apps']\n[logs]\nfile = 'log'\n")
    (here / "apps").chmod(0o777)
    assert f"tuihost.toml:2: apps.folders: {here}/apps: {cure}" in run("check", status=78).err
    (here / "tuihost.toml").chmod(0o666)
    for command in ("check", "serve"):
        assert run(command, status=78).err == f"tuihost.toml: {cure}\n"


def test_what_is_made_is_for_nobody_else_to_read(here: Path, run: Run) -> None:
    run("init", "new")
    modes = {path.name: path.stat().st_mode & 0o077 for path in (here / "new").rglob("*")}
    assert set(modes.values()) == {0}, modes


LONG = "k" * 300
"""No name of a file, so that looking for it fails, as in a folder of another user."""
CHOICES: dict[str, list[object]] = {
    "server.default_app": ["echo", "nope"],
    "server.theme": ["harbor-night", "pink"],
    "server.host": ["127.0.0.1", "192.0.2.1", "::1"],
    "server.host_keys": [["key"], ["file/key"], ["file"], ["nowhere"], [LONG], ["key", "away"], []],
    "server.state_dir": ["state", "file", "file/state", "state/deep/er", "nowhere", LONG],
    "login.chains": [["publickey"], ["riddle"], [""], ["delivery"]],
    "login.trusted_ca": [[], ["away"], ["file"]],
    "login.revoked_keys": [None, "away", "file"],
    "login.terms": [None, "away", "file", "apps"],
    "login.delivery": ["", "outbox", "no.module:x"],
    "logs.file": [None, "log", "away/log", "apps", "file/log", "pipe"],
    "accounts.url": ["", "mysql://x"],
    "sources.startups": ["10:30:100", "1:200:3"],
    "sources.proxies": [[], ["x"]],
}
ALONE = [{name: value} for name, values in CHOICES.items() for value in values[1:]]


@given(st.fixed_dictionaries({}, optional={k: st.sampled_from(v) for k, v in CHOICES.items()}))
@settings(
    max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_property_whatever_keeps_a_host_from_starting_is_found(
    here: Path, chosen: dict[str, object]
) -> None:
    found_if_it_fails(here, chosen)


@pytest.mark.parametrize("chosen", ALONE, ids=str)
def test_each_of_them_alone_is_found(here: Path, chosen: dict[str, object]) -> None:
    found_if_it_fails(here, chosen)


def found_if_it_fails(here: Path, chosen: dict[str, object]) -> None:
    # The bundled apps take most of the time to load, and have nothing to do with these settings.
    own = {"server.state_dir": "state", "server.port": 0, "apps.enabled": ["echo"]}
    overrides = {**own, **chosen}
    found = looked_at(here / "tuihost.toml", overrides)
    if (reason := why_not(here / "tuihost.toml", overrides)) is not None:
        assert found, reason


def looked_at(path: Path, overrides: dict[str, object]) -> list[str]:
    try:
        part = draft(path, {}, overrides)
    except SettingsError as error:
        return list(error.problems)
    log = logs.event_log()
    logs.configure(level="critical")
    catalog = Catalog.load(part.settings, log=log)
    steps = StepCatalog.of(part.settings, log)
    return [*part.problems, *mistakes(part.settings, catalog, steps, log)]


def why_not(path: Path, overrides: dict[str, object]) -> str | None:
    """Why a host does not start with these settings; None if it does."""
    try:
        loaded = load(path, {}, overrides)
        log = open_log(loaded, "critical")
        server = Server(loaded, Catalog.load(loaded, log=log), log)
        server.start()
        server.stop()
    except Exception as error:  # noqa: BLE001 - that it fails is what is asked, however it does
        return repr(error)
    finally:
        logs.configure(level="critical")  # closes the file
    return None
