"""The catalog: where apps come from, which of two wins, and what is said of a broken one."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Iterator
from functools import partial
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from tests.log import SILENT, text_log
from tests.waiting import DEADLINE
from tuihost.host.access import Access
from tuihost.host.plugins import _loading
from tuihost.host.plugins import app_catalog as catalog_module
from tuihost.host.plugins.app_catalog import Catalog, note_use
from tuihost.host.plugins.bundled import bundled_folder
from tuihost.logs import EventLog
from tuihost.session.host_view import Account
from tuihost.settings.loading import load
from tuihost.settings.models import Settings

CLASS = """
from tuihost import App, command

class {name}(App):
    '''Does a thing. Well.'''
    @command
    def go(self, session): ...
"""

FUNCTION = """
from tuihost.plugin import app

@app("hello")
async def hello(session):
    '''Says hello.'''
"""


class Memory:
    """Preferences of one account."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get(self, name: str, default: str = "") -> str:
        return self.kept.get(name, default)

    def set(self, name: str, value: str) -> None:
        self.kept[name] = value


@pytest.fixture(autouse=True)
def nothing_bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Only what a test writes is found, and nothing of it stays imported."""
    empty = tmp_path / "bundled"
    empty.mkdir()
    monkeypatch.setattr(catalog_module, "bundled_folder", lambda kind: empty)
    monkeypatch.setattr(_loading, "entry_points", lambda group: [])
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("_tuihost_app_"):
            del sys.modules[name]


@pytest.fixture
def log() -> tuple[EventLog, io.StringIO]:
    return text_log()


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def found(folder: Path, log: Any = None, **options: Any) -> Catalog:
    overrides = {name.replace("__", "."): value for name, value in options.items()}
    settings = load(None, {}, {"apps.folders": (folder,), **overrides})
    return Catalog.load(settings, log=log or SILENT)


def reasons(catalog: Catalog) -> dict[str, str]:
    return {app.name: app.reason for app in catalog.broken}


def test_files_and_folders_are_apps_by_class_by_function_and_by_name(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "apps",
        {
            "by_class.py": CLASS.format(name="Anything"),
            "by_function.py": FUNCTION,
            "by-name/__init__.py": "from .code import Code\napp = Code\n",
            "by-name/code.py": CLASS.format(name="Code"),
            "only-app/app.py": "from .store import TITLE\n"
            + CLASS.format(name="Only")
            + "    title = TITLE\n",
            "only-app/store.py": "TITLE = 'From the store'\n",
            "both/__init__.py": "",
            "both/app.py": CLASS.format(name="Both") + "\napp = Both()\n",
            "_private.py": "raise SystemExit",
            ".hidden.py": "raise SystemExit",
            "data/file.txt": "no app at all",
            "README.md": "nor is this",
        },
    )
    catalog = found(folder)
    assert catalog.broken == ()
    assert sorted(catalog.apps) == ["both", "by-class", "by-name", "hello", "only-app"]
    by_class = catalog.apps["by-class"]
    assert (by_class.app.title, by_class.app.description) == ("By class", "Does a thing. Well")
    assert by_class.source == str(folder / "by_class.py")
    assert catalog.apps["hello"].app.description == "Says hello"
    assert catalog.apps["only-app"].app.title == "From the store"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("\n1 / 0", "ZeroDivisionError: division by zero (bad.py:2)"),
        ("raise SystemExit(3)", "SystemExit: 3 (bad.py:1)"),
        ("raise ValueError('two\\nlines')", "ValueError: two lines (bad.py:1)"),
        ("x = 1", "has no `app` and defines no subclass of App"),
        (CLASS.format(name="A") + "    loop = 'fast'", "`loop` should be 'light' or 'selector'"),
    ],
)
def test_a_broken_app_is_one_line_and_stops_nobody_else(
    tmp_path: Path, text: str, reason: str, log: tuple[EventLog, io.StringIO]
) -> None:
    folder = write(tmp_path / "apps", {"bad.py": text, "good.py": CLASS.format(name="Good")})
    catalog = found(folder, log[0])
    assert list(catalog.apps) == ["good"]
    (broken,) = catalog.broken
    assert (broken.name, broken.source) == ("bad", str(folder / "bad.py"))
    assert reason in broken.reason
    assert "\n" not in broken.reason
    assert "ERROR app.broken app=bad" in log[1].getvalue()
    assert not [name for name in sys.modules if name.endswith("_bad")]


def test_of_two_apps_of_one_name_the_first_stands_and_both_are_named(tmp_path: Path) -> None:
    text = CLASS.format(name="A") + "    name = 'same'"
    folder = write(tmp_path / "apps", {"a.py": text, "b.py": text})
    catalog = found(folder)
    assert catalog.apps["same"].source == str(folder / "a.py")
    assert reasons(catalog) == {
        "same": f"two apps are called 'same': {folder / 'a.py'} and {folder / 'b.py'}; "
        "the first is used"
    }
    assert [card.broken for card in catalog.cards(Memory(), lambda name: True)] == [None]


def test_modules_go_before_folders_before_entry_points_before_bundled_apps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "bundled", {"menu.py": CLASS.format(name="Menu")})
    write(tmp_path / "lib", {"edge_menu.py": CLASS.format(name="Menu") + "    name = 'menu'"})
    folder = write(tmp_path / "apps", {"menu.py": CLASS.format(name="Menu")})
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    point = EntryPoint("menu", "edge_menu:Menu", "tuihost.apps")
    monkeypatch.setattr(_loading, "entry_points", lambda group: [point])
    try:
        catalog = found(folder, apps__modules=("edge_menu:Menu",))
    finally:
        sys.modules.pop("edge_menu", None)
    assert catalog.apps["menu"].source == "edge_menu:Menu"
    assert [app.source for app in catalog.broken] == [
        str(folder / "menu.py"),
        "entry point edge_menu:Menu",
        str(tmp_path / "bundled" / "menu.py"),
    ]


def test_modules_and_entry_points_that_fail_are_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = EntryPoint("gone", "no_such_module_here:app", "tuihost.apps")
    monkeypatch.setattr(_loading, "entry_points", lambda group: [point])
    catalog = found(tmp_path / "nowhere", apps__modules=("json:nothing", "no_module", "os.path"))
    assert {app.source: app.reason.partition(":")[0] for app in catalog.broken} == {
        "json:nothing": "module json has no 'nothing'",
        "no_module": "ModuleNotFoundError",
        "os.path": "has no `app` and defines no subclass of App",
        str(tmp_path / "nowhere"): "the folder of apps cannot be read",
        "entry point no_such_module_here:app": "ModuleNotFoundError",
    }


def test_what_is_not_enabled_is_not_imported(tmp_path: Path) -> None:
    files = {f"{name}.py": CLASS.format(name="A") for name in ("chat", "notes")}
    folder = write(tmp_path / "apps", {**files, "boom.py": "raise SystemExit"})
    assert list(found(folder, apps__enabled=("no*", "boom"), apps__disabled=("b*",)).apps) == [
        "notes"
    ]
    assert found(folder, apps__disabled=("*",)).broken == ()


def test_start_gives_each_app_its_folder_and_its_options_and_stop_ends_in_reverse(
    tmp_path: Path, log: tuple[EventLog, io.StringIO]
) -> None:
    text = CLASS.format(name="A") + (
        "    def start(self): self.options['seen'].append((self.name, self.data))\n"
        "    def stop(self): self.options['seen'].append(self.name)\n"
    )
    bad = CLASS.format(name="A") + "    def start(self): raise {}\n"
    folder = write(
        tmp_path / "apps",
        {
            "one.py": text,
            "two.py": text,
            "refuses.py": "from tuihost import AppLoadError"
            + bad.format("AppLoadError('no database')"),
            "crashes.py": bad.format("OSError('disk full')"),
            "worse.py": text.replace("append(self.name)", "append(1 / 0)"),
        },
    )
    seen: list[Any] = []
    catalog = found(folder, log[0])
    options = {name: {"seen": seen} for name in ("one", "two", "worse", "typo")}
    catalog.settings = Settings.model_validate({"app": options})
    seen = catalog.settings.app["one"]["seen"]
    for name in ("two", "worse"):
        catalog.settings.app[name]["seen"] = seen
    state = tmp_path / "state"
    catalog.start(state)
    assert sorted(catalog.apps) == ["one", "two", "worse"]
    assert reasons(catalog) == {
        "refuses": "no database",
        "crashes": "start failed: OSError: disk full (crashes.py:8)",
    }
    assert seen == [(name, state / "apps" / name) for name in ("one", "two", "worse")]
    assert {
        oct((state / "apps" / name).stat().st_mode & 0o777) for name in os.listdir(state / "apps")
    } == {"0o700"}
    with pytest.raises(TypeError):
        catalog.apps["one"].app.options["new"] = 1  # type: ignore[index]
    catalog.stop()
    assert seen[3:] == ["two", "one"]
    assert "ERROR app.error app=worse during=stop" in log[1].getvalue()
    catalog.stop()
    assert len(seen) == 5


@pytest.mark.parametrize("error", ["SystemExit('bye')", "KeyboardInterrupt"])
def test_an_app_cannot_end_the_host_when_it_starts(tmp_path: Path, error: str) -> None:
    bad = CLASS.format(name="A") + f"    def start(self): raise {error}\n"
    catalog = found(write(tmp_path / "apps", {"bad.py": bad, "good.py": CLASS.format(name="A")}))
    catalog.start(tmp_path / "state")
    assert list(catalog.apps) == ["good"]
    assert reasons(catalog)["bad"].startswith(f"start failed: {error.partition('(')[0]}")


def test_an_app_that_does_not_stop_is_left_behind(
    tmp_path: Path, log: tuple[EventLog, io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog_module, "STOP_SECONDS", 0.05)
    text = CLASS.format(name="A") + "    def stop(self): self.options['stop']()\n"
    catalog = found(write(tmp_path / "apps", {"one.py": text, "two.py": text}), log[0])
    catalog.start(tmp_path / "state")
    release, stopped = threading.Event(), threading.Event()
    catalog.apps["one"].app.options = {"stop": stopped.set}
    catalog.apps["two"].app.options = {"stop": lambda: release.wait(DEADLINE)}
    stopping = threading.Thread(target=catalog.stop, daemon=True)
    stopping.start()
    stopping.join(DEADLINE / 2)
    ended = not stopping.is_alive()
    release.set()
    assert ended
    assert stopped.is_set(), "the others are stopped all the same"
    assert 'app.abandoned thread="stop of two"' in log[1].getvalue()


def test_cards_show_what_an_account_may_use_most_recent_first(tmp_path: Path) -> None:
    closed = "from tuihost import Accepts" + CLASS.format(name="A")
    folder = write(
        tmp_path / "apps",
        {
            "alpha.py": CLASS.format(name="A"),
            "beta.py": CLASS.format(name="A"),
            "hidden.py": CLASS.format(name="A") + "    hidden = True",
            "members.py": closed + "    accepts = Accepts(guests=False, env=('A', 'B'))",
            "admins.py": closed + "    accepts = Accepts(roles=frozenset({'admin'}), env=('B',))",
            "bad.py": "raise OSError('no /srv/private/file.db here')",
        },
    )
    catalog = found(folder)
    memory = Memory()
    note_use(memory, "beta", 1000.4)
    memory.set("used.alpha", "nonsense")

    def names(account: Account) -> list[str]:
        may_see = partial(Access(catalog.settings, catalog.apps).may_see, account)
        return [card.name for card in catalog.cards(memory, may_see)]

    assert names(Account("ada")) == ["beta", "alpha", "bad"]
    assert names(Account("ada", guest=False)) == ["beta", "alpha", "members", "bad"]
    admin = Account("ada", guest=False, roles=frozenset({"admin"}))
    assert names(admin) == ["beta", "admins", "alpha", "members", "bad"]
    beta, alpha, bad = catalog.cards(memory, lambda name: name in ("beta", "alpha", "bad"))
    assert (beta.last_used, alpha.last_used, beta.commands) == (1000.0, None, ("go",))
    assert bad.broken == "OSError: no file.db here (bad.py:1)"
    assert catalog.env_patterns() == ("B", "A")


def test_the_bundled_folders_are_those_of_the_checkout() -> None:
    root = Path(__file__).parents[3]
    assert bundled_folder("apps") == root / "apps"
    assert bundled_folder("themes") == root / "themes"
