"""The public names: what authors may rely on. Whoever changes this list changes the changelog."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import tuihost
from tests.waiting import DEADLINE

ROOT = Path(__file__).parents[1]

PUBLIC = {
    "tuihost": {
        "AccountChange",
        "ProofNeeded",
        "Accepts",
        "Database",
        "DatabaseError",
        "DatabaseFault",
        "DiskTree",
        "FileError",
        "FileInfo",
        "FileTree",
        "Folders",
        "OpenFile",
        "OpenMode",
        "Quota",
        "SharedRoom",
        "Reason",
        "ReadOnlyTree",
        "Room",
        "name_pattern",
        "names_in",
        "names_of",
        "path_of",
        "Agent",
        "AgentKey",
        "ByteStream",
        "Forward",
        "ListenRule",
        "SocketRule",
        "TcpAddress",
        "UnixAddress",
        "Listening",
        "NotOpened",
        "X11Display",
        "HostKeyCard",
        "HostView",
        "Page",
        "WebRequest",
        "qr_lines",
        "skeleton",
        "BreakSent",
        "Colors",
        "EndOfInput",
        "SessionEvent",
        "SignalSent",
        "WindowChange",
        "CommandInfo",
        "OtherApps",
        "Running",
        "Stdio",
        "Interrupted",
        "NoTerminal",
        "HeldMemory",
        "HelperFailed",
        "TookTooLong",
        "TookTooMuch",
        "AskingStdio",
        "Short",
        "Stream",
        "TerminalFacts",
        "serve_pages",
        "Gauges",
        "OwnLogin",
        "OwnAccount",
        "NotPossible",
        "NewSecond",
        "StoreError",
        "LoginRecord",
        "KeyRecord",
        "AccountSummary",
        "Account",
        "App",
        "AppCard",
        "AppLoadError",
        "ApprovalRequest",
        "Disconnected",
        "ApprovalsView",
        "ForwardRule",
        "Launch",
        "Peer",
        "Presence",
        "Session",
        "Theme",
        "TuihostError",
        "__version__",
        "ago",
        "app",
        "clean",
        "command",
        "counted",
        "date_time",
        "duration",
        "iso_time",
        "size_of",
    },
    "tuihost.widgets": {
        "Column",
        "Dialog",
        "FilterLine",
        "Fragments",
        "HSplit",
        "HelpOverlay",
        "Keymap",
        "ListView",
        "Match",
        "Panel",
        "RichView",
        "RowSource",
        "RowWindow",
        "Screen",
        "SideBySide",
        "Table",
        "TextEditor",
        "TextLimit",
        "VSplit",
        "choose_theme",
        "filter_items",
        "fit",
        "glyph",
        "ignore_held_key",
        "match",
        "meter",
        "pad",
        "sparkline",
        "spread",
        "typing",
        "width_of",
        "wrap",
    },
    "tuihost.testing": {
        "MemoryAccounts",
        "Outbox",
        "drive",
        "FakeServices",
        "Driven",
        "Hosted",
        "Outcome",
        "Pilot",
        "Screen",
        "hosted",
    },
}


@pytest.mark.parametrize("name", PUBLIC)
def test_the_public_names_are_these(name: str) -> None:
    module = import_module(name)
    assert set(module.__all__) == PUBLIC[name]
    assert len(module.__all__) == len(set(module.__all__))
    for one in PUBLIC[name]:
        assert hasattr(module, one)


@pytest.mark.parametrize("name", PUBLIC)
def test_public_classes_and_functions_say_what_they_are(name: str) -> None:
    module = import_module(name)
    named = {one: getattr(module, one) for one in PUBLIC[name] - {"__version__", "Fragments"}}
    assert [one for one, value in named.items() if not (value.__doc__ or "").strip()] == []


def test_app_is_the_decorator_whoever_imports_the_module_of_that_name() -> None:
    code = "import tuihost.plugin; from tuihost import app; print(callable(app), app.__name__)"
    shown = _python(code)
    assert shown == "True app"


def test_importing_the_package_imports_no_library() -> None:
    heavy = ("paramiko", "prompt_toolkit", "rich", "pydantic", "click", "cryptography")
    code = f"import sys, tuihost; print([one for one in {heavy} if one in sys.modules])"
    assert _python(code) == "[]"


def test_the_types_of_the_package_are_there_for_others() -> None:
    assert (ROOT / "tuihost" / "py.typed").is_file()


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="No tuihost attribute Server"):
        _ = tuihost.Server


def test_the_stub_names_what_there_is() -> None:
    """`__init__.pyi` is the one list: type checkers read it, and `lazy_loader` imports by it."""
    listed = set()
    for node in ast.parse((ROOT / "tuihost" / "__init__.pyi").read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            module = import_module(f"tuihost.{node.module}")
            for alias in node.names:
                assert alias.asname == alias.name, "only `x as x` is an export to type checkers"
                assert getattr(tuihost, alias.name) is getattr(module, alias.name)
                listed.add(alias.name)
    assert listed | {"__version__"} == set(tuihost.__all__)
    assert listed <= set(dir(tuihost))


def _python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        cwd=ROOT,
        check=True,
    )
    return done.stdout.strip()
