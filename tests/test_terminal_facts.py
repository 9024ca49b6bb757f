"""What is known of a terminal by what its client sent: colours, characters, size, keys."""

from __future__ import annotations

import pytest

from tuihost.terminal_facts import (
    ICANON,
    VERASE,
    Colors,
    colors_of,
    facts_of,
    speaks_unicode,
    wants_colors,
)
from tuihost.wire import PtyRequest, WindowSize


@pytest.mark.parametrize(
    ("term", "env", "colors"),
    [
        ("xterm-256color", {}, Colors.ANSI256), ("xterm", {}, Colors.ANSI256),
        ("tmux", {}, Colors.ANSI256), ("putty", {}, Colors.ANSI256),
        ("XTERM-KITTY", {}, Colors.TRUE), ("xterm-direct", {}, Colors.TRUE),
        ("xterm", {"COLORTERM": "truecolor"}, Colors.TRUE),
        ("xterm", {"COLORTERM": "yes"}, Colors.ANSI256),
        ("xterm", {"LC_TERMINAL": "iTerm2"}, Colors.TRUE),
        ("xterm", {"TERM_PROGRAM": "vscode"}, Colors.TRUE),
        ("linux", {}, Colors.ANSI16), ("rxvt-16color", {}, Colors.ANSI16), ("x", {}, Colors.ANSI16),
        ("vt100", {"COLORTERM": "truecolor"}, Colors.MONO), ("dumb", {}, Colors.MONO),
        ("", {}, Colors.MONO), ("xterm-kitty", {"NO_COLOR": "1"}, Colors.MONO),
        ("xterm-kitty", {"NO_COLOR": ""}, Colors.TRUE),
    ],
)  # fmt: skip
def test_colours(term: str, env: dict[str, str], colors: Colors) -> None:
    assert colors_of(term, env) is colors


@pytest.mark.parametrize(
    ("env", "wanted"),
    [
        ({}, False), ({"FORCE_COLOR": "1"}, True), ({"CLICOLOR_FORCE": "1"}, True),
        ({"FORCE_COLOR": "0"}, False), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)  # fmt: skip
def test_colours_without_a_terminal(env: dict[str, str], wanted: bool) -> None:
    assert wants_colors(env) is wanted
    assert facts_of(None, env).colors is (Colors.ANSI256 if wanted else Colors.MONO)


@pytest.mark.parametrize(
    ("term", "env", "able"),
    [
        ("xterm", {}, True), ("linux", {}, False), ("vt100", {}, False),
        ("linux", {"LANG": "de_DE.UTF-8"}, True), ("xterm", {"LANG": "C"}, False),
        ("xterm", {"LC_ALL": "C", "LANG": "C.UTF-8"}, False), ("xterm", {"LC_CTYPE": "utf8"}, True),
        ("syncterm", {}, False), ("ansi-bbs", {}, False), ("SyncTERM", {"LANG": "C.UTF-8"}, False),
    ],
)  # fmt: skip
def test_characters(term: str, env: dict[str, str], able: bool) -> None:
    assert speaks_unicode(term, env) is able


def test_a_terminal_is_what_was_asked_for() -> None:
    size = WindowSize.clamped(100, 30)
    facts = facts_of(PtyRequest("xterm", size, {VERASE: 8, ICANON: 0}), {})
    assert (facts.term, facts.size, facts.erase) == ("xterm", size, "\x08")
    assert (facts.pty, facts.dumb, facts.cooked, facts.sized) == (True, False, False, True)
    assert facts_of(PtyRequest("dumb", size, {}), {}).dumb


@pytest.mark.parametrize(("value", "dumb"), [("1", True), ("yes", True), ("0", False), ("", False)])
def test_accessible_means_plain_lines(value: str, dumb: bool) -> None:
    env = {"ACCESSIBLE": value, "LANG": "C.UTF-8", "COLORTERM": "truecolor"}
    facts = facts_of(PtyRequest("xterm", WindowSize(), {}), env)
    assert (facts.dumb, facts.unicode) == (dumb, True)
    assert facts.colors is (Colors.MONO if dumb else Colors.TRUE)


@pytest.mark.parametrize("erase", [0, 0x80, 255])
def test_an_erase_key_that_cannot_be_typed_is_the_usual_one(erase: int) -> None:
    facts = facts_of(PtyRequest("xterm", WindowSize(), {VERASE: erase}), {})
    assert (facts.erase, facts.cooked) == ("\x7f", True)


@pytest.mark.parametrize(
    ("columns", "width"), [("132", 132), ("", None), ("0x50", None), ("99999", None), ("٣", None)]
)
def test_a_width_without_a_terminal(columns: str, width: int | None) -> None:
    facts = facts_of(None, {"COLUMNS": columns})
    assert (facts.pty, facts.dumb, facts.sized) == (False, True, width is not None)
    assert width is None or facts.size.columns == width
