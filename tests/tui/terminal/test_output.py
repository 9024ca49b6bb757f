"""The output writes once a frame, in the terminal's own words, and always finds the way back."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.cursor_shapes import CursorShape
from prompt_toolkit.output import ColorDepth, vt100
from prompt_toolkit.output.vt100 import _EscapeCodeCache
from prompt_toolkit.styles import DEFAULT_ATTRS, Attrs

from tests.tui.paper import Eyes, Paper
from tuihost.terminal_facts import Colors, TerminalFacts
from tuihost.tui.terminal import output
from tuihost.tui.terminal.output import (
    _CODES,
    CURSOR_COLOR_OFF,
    KITTY_OFF,
    LEAVE_ALTERNATE,
    RESTORE,
    RESTORE_PLAIN,
    SYNC_BEGIN,
    SYNC_END,
    TerminalOutput,
    is_plain,
    restore,
    sgr,
    sgr_step,
)
from tuihost.wire import WindowSize


def inside(data: bytes) -> bytes:
    """What a synchronized update holds."""
    assert data.startswith(SYNC_BEGIN)
    assert data.endswith(SYNC_END)
    return data[len(SYNC_BEGIN) : -len(SYNC_END)]


def test_a_flush_is_one_write_and_an_empty_one_is_none() -> None:
    paper = Paper()
    output = TerminalOutput(paper)
    output.flush()
    assert paper.writes == []
    output.write("a")
    output.write_raw("\x1b[1m")
    output.flush()
    assert paper.writes == [SYNC_BEGIN + b"a\x1b[1m" + SYNC_END]


def test_what_is_held_leaves_with_the_next_flush() -> None:
    paper = Paper()
    output = TerminalOutput(paper)
    with output.held():
        output.write("a")
        output.flush()
    assert paper.writes == []
    output.write("b")
    output.flush()
    assert [inside(data) for data in paper.writes] == [b"ab"]


@pytest.mark.parametrize("term", ["linux", "vt100", "vt220", "ansi", "dumb", ""])
def test_old_terminals_get_nothing_they_would_print(term: str) -> None:
    paper = Paper(term=term)
    output = TerminalOutput(paper)
    output.write("x")
    output.set_title("t")
    output.clear_title()
    output.enable_mouse_support()
    output.disable_mouse_support()
    output.set_cursor_shape(CursorShape.BEAM)
    output.reset_cursor_shape()
    output.flush()
    assert paper.take() == b"x"
    assert not output.copy("y")
    assert is_plain(term)


def test_text_cannot_steer_the_terminal() -> None:
    paper = Paper()
    output = TerminalOutput(paper)
    output.write("a\x1b[2J\x9b1m\x07\x08\r\n\tb\udc80")
    output.flush()
    assert inside(paper.take()).decode() == "a?[2J?1m??\r\n\tb?"


@pytest.mark.parametrize(
    ("colors", "depth"),
    [
        (Colors.MONO, ColorDepth.DEPTH_1_BIT),
        (Colors.ANSI16, ColorDepth.DEPTH_4_BIT),
        (Colors.ANSI256, ColorDepth.DEPTH_8_BIT),
        (Colors.TRUE, ColorDepth.DEPTH_24_BIT),
    ],
)
def test_colours_are_the_terminals_and_not_the_servers(
    colors: Colors, depth: ColorDepth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("PROMPT_TOOLKIT_COLOR_DEPTH", "DEPTH_4_BIT")
    assert TerminalOutput(Paper(colors=colors)).get_default_color_depth() is depth


def test_the_size_is_the_newest() -> None:
    paper = Paper(80, 24)
    output = TerminalOutput(paper)
    paper.resize(100, 30)
    assert output.get_size() == (30, 100)


def test_it_says_what_it_is() -> None:
    output = TerminalOutput(Paper())
    with pytest.raises(NotImplementedError):
        output.fileno()
    assert output.encoding() == "utf-8"
    assert not output.responds_to_cpr
    assert TerminalOutput(Paper(), cpr=True).responds_to_cpr
    assert not TerminalOutput(Paper(term="dumb"), cpr=True).responds_to_cpr
    with pytest.raises(OSError, match="write"):
        output.stdout.write("past the output")


def test_the_mouse_reports_drags_but_not_every_motion() -> None:
    paper = Paper()
    output = TerminalOutput(paper)
    output.enable_mouse_support()
    output.disable_mouse_support()
    output.flush()
    data = paper.take()
    assert b"\x1b[?1002h" in data
    assert b"\x1b[?1006h" in data
    assert b"1003h" not in data
    assert data.index(b"1002h") < data.index(b"1002l")


def test_a_title_is_cleaned_and_the_one_before_comes_back() -> None:
    paper = Paper()
    output = TerminalOutput(paper)
    output.set_title("a\x1b]2;evil\x07\x9cb")
    output.set_title("second")
    output.clear_title()
    output.clear_title()
    output.flush()
    titles = inside(paper.take())
    assert titles.count(b"\x1b[22;2t") == titles.count(b"\x1b[23;2t") == 1
    assert titles.startswith("\x1b[22;2t\x1b]2;a·]2;evil··b\x1b\\".encode())


def test_the_clipboard_takes_text_up_to_a_limit() -> None:
    paper = Paper()
    output = TerminalOutput(paper)
    assert output.copy("grüße")
    payload = inside(paper.take()).removeprefix(b"\x1b]52;c;").removesuffix(b"\x07")
    assert base64.b64decode(payload).decode() == "grüße"
    assert not output.copy("x" * 60_000)
    assert paper.writes == []


def test_another_terminal_gets_its_own_words() -> None:
    paper = Paper()
    output = TerminalOutput(paper)
    output.hide_cursor()
    output.use(TerminalFacts(term="vt100", colors=Colors.MONO, unicode=False))
    assert output.get_default_color_depth() is ColorDepth.DEPTH_1_BIT
    output.hide_cursor()
    output.write("─")
    output.flush()
    assert paper.take() == b"\x1b[?25l-"


# ------------------------------------------------------------------------------- restoring


def test_the_good_bye_ends_every_mode_and_may_be_said_twice() -> None:
    for mode in (b"2026", b"1000", b"1002", b"1003", b"1006", b"2004", b"1004"):
        assert b"\x1b[?" + mode + b"l" in RESTORE
    for sequence in (b"\x1b[?7h", b"\x1b[?25h", b"\x1b[0 q", b"\x1b[0m", b"\x1b[23;2t"):
        assert sequence in RESTORE
    assert b"1049" not in RESTORE, "on the normal screen it would move the cursor"
    assert b"h" not in RESTORE.replace(b"\x1b[?7h", b"").replace(b"\x1b[?25h", b"")


def test_the_good_bye_is_one_that_the_terminal_understands() -> None:
    assert restore(TerminalFacts()) == RESTORE
    assert restore(TerminalFacts(), alternate=True) == RESTORE + LEAVE_ALTERNATE
    assert restore(TerminalFacts(term="vt100")) == RESTORE_PLAIN
    assert restore(TerminalFacts(term="dumb")) == b""
    assert restore(TerminalFacts(pty=False)) == b""
    eyes = Eyes(20, 3).read(b"kept\x1b[?25l\x1b[1;31m" + RESTORE_PLAIN + RESTORE_PLAIN)
    assert eyes.text == ["kept", "", ""]
    assert eyes.cursor == (4, 0, True)


def test_the_good_bye_undoes_only_where_it_was_done_what_other_terminals_mistake() -> None:
    paper = Paper()
    output = TerminalOutput(paper)
    assert output.restore() == RESTORE
    output.enter_alternate_screen()
    output.set_cursor_color("#ede1d8")
    output.flush()
    assert inside(paper.take()).endswith(b"\x1b]12;#ede1d8\x1b\\")
    assert output.restore() == CURSOR_COLOR_OFF + RESTORE + LEAVE_ALTERNATE
    output.set_cursor_color("#ede1d8")
    output.set_cursor_color("")
    output.write_raw("\x1b[>1u")
    output.flush()
    assert inside(paper.take()) == CURSOR_COLOR_OFF + b"\x1b[>1u"
    assert output.restore() == KITTY_OFF + RESTORE + LEAVE_ALTERNATE
    output.use(paper.facts)
    assert output.restore() == RESTORE, "another terminal, on which nothing was done"


@pytest.mark.parametrize("on", ["\x1b[>u", "\x1b[>31u", "\x1b[=5;1u"])
def test_every_way_of_turning_the_kitty_protocol_on_is_undone(on: str) -> None:
    output = TerminalOutput(Paper())
    output.write_raw(f"x{on}y")
    output.flush()
    assert output.restore().startswith(KITTY_OFF)


def test_a_simple_terminal_has_no_cursor_colour() -> None:
    paper = Paper(term="vt100")
    output = TerminalOutput(paper)
    output.set_cursor_color("#ffffff")
    output.flush()
    assert (paper.take(), output.restore()) == (b"", RESTORE_PLAIN)


def test_a_terminal_of_ascii_gets_ascii() -> None:
    paper = Paper(unicode=False)
    output = TerminalOutput(paper)
    output.write("╭──╮ ↑↓ ● e\u0301")
    output.flush()
    assert inside(paper.take()) == b"+--+ ^v * e"
    assert output.encoding() == "ascii"


def test_sizes_follow_the_terminal_even_at_its_limits() -> None:
    paper = Paper(1, 1)
    assert TerminalOutput(paper).get_size() == (1, 1)
    paper.facts = paper.facts.resized(WindowSize(500, 100))
    assert TerminalOutput(paper).get_size() == (100, 500)


@pytest.mark.parametrize("depth", list(ColorDepth))
def test_what_is_remembered_of_colours_is_bounded(
    depth: ColorDepth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "CODES_KEPT", 500)
    stock = _EscapeCodeCache(depth)
    for number in range(0, 500_000, 500):
        attrs = DEFAULT_ATTRS._replace(color=f"{number:06x}", bgcolor=f"{number + 0x800000:06x}")
        assert sgr(attrs, depth) == stock[attrs]
    assert len(_CODES[depth]) <= 500
    assert len(vt100._256_colors) <= 2 * 500
    assert len(vt100._16_fg_colors._cache) <= 2 * 500
    assert len(vt100._16_bg_colors._cache) <= 2 * 500


COLORS = st.sampled_from(("", "ansired", "ansibrightblue", "ansidefault", "aabbcc", "102030"))
ATTRS = st.builds(
    Attrs, COLORS, COLORS, *(st.booleans() for _ in range(6)), st.just(False), st.booleans()
)


@given(ATTRS, ATTRS, st.sampled_from(ColorDepth))
def test_one_step_leads_from_any_attributes_to_any_others(
    before: Attrs, after: Attrs, depth: ColorDepth
) -> None:
    was, now = sgr(before, depth), sgr(after, depth)
    stepped, anew = (
        Eyes(4, 1).read(f"{codes}x".encode()).cells() for codes in (was + sgr_step(was, now), now)
    )
    assert stepped == anew


def test_a_step_keeps_one_of_bold_and_dim() -> None:
    assert sgr_step("\x1b[0;1;2m", "\x1b[0;2m") == "\x1b[22;2m"


@pytest.mark.parametrize(
    ("term", "yes"),
    [
        ("xterm-256color", True),
        ("tmux-256color", True),
        ("screen-256color", False),
        ("vt220", False),
    ],
)
def test_terminals_that_erase_in_the_background_that_is_set(term: str, yes: bool) -> None:
    assert TerminalOutput(Paper(term=term)).erases_in_color is yes
