"""A hostile keyboard: what a client can send into prompt_toolkit's own parser, and into ours.

Each story is told twice, so that it fails the day our KeyPressParser is taken out. Work is counted
in steps and never in seconds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest
from prompt_toolkit.input import vt100_parser
from prompt_toolkit.input.vt100_parser import Vt100Parser
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.key_binding.bindings.mouse import load_mouse_bindings
from prompt_toolkit.keys import Keys

from tuihost.tui.terminal._vt100_parser import CSI_LIMIT, PASTE_LIMIT, KeyPressParser


@pytest.fixture(autouse=True)
def global_cache() -> Iterator[dict[str, bool]]:
    cache = vt100_parser._IS_PREFIX_OF_LONGER_MATCH_CACHE
    before = set(cache)
    yield cache
    for prefix in set(cache) - before:
        del cache[prefix]


def plain(data: str, *, flush: bool = False) -> list[KeyPress]:
    keys: list[KeyPress] = []
    parser = Vt100Parser(keys.append)
    parser.feed(data)
    if flush:
        parser.flush()
    return keys


def ours(data: str) -> list[KeyPress]:
    parser = KeyPressParser()
    return parser.feed(data.encode()) + parser.flush()


def calls(work: Callable[[], Any]) -> int:
    """How many functions `work` calls, C functions too."""
    number = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal number
        number += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return number


def test_a_mouse_report_without_end_costs_more_than_a_square(
    global_cache: dict[str, bool],
) -> None:
    class Counting(Vt100Parser):
        looked_at = 0

        def _get_match(self, prefix: str) -> Any:
            self.looked_at += len(prefix)
            return super()._get_match(prefix)

    def flood(size: int) -> str:
        return "\x1b[<" + "3" * size + "x"

    def looked_at(size: int) -> int:
        parser = Counting(lambda key: None)
        parser.feed(flood(size))
        return parser.looked_at

    before = sum(map(len, global_cache))
    assert looked_at(200) > 6 * looked_at(100), "plain: twice the bytes, eight times the work"
    assert sum(map(len, global_cache)) - before > 200**2 / 2, "plain: and it is kept for ever"

    parser = KeyPressParser()
    steps = calls(lambda: parser.feed(flood(20_000).encode()))
    assert steps < 50
    assert parser.feed(b"a") == [KeyPress("a")]
    for _ in range(2000):
        assert parser.feed(b"\x1b[<3333333333"[: CSI_LIMIT // 2]) == []
    assert len(parser._held) <= CSI_LIMIT


def test_every_position_of_the_mouse_is_kept_for_ever(global_cache: dict[str, bool]) -> None:
    reports = [f"\x1b[<35;{column};{row}M" for column in range(1, 21) for row in range(1, 21)]
    before = len(global_cache)
    plain("".join(reports))
    assert len(global_cache) - before > 400
    after = len(global_cache)
    assert len(ours("".join(reports))) == 400
    assert len(global_cache) == after


def test_a_paste_in_small_pieces_is_looked_through_again_and_again() -> None:
    class Counting(Vt100Parser):
        looked_at = 0
        _text = ""

        @property
        def _paste_buffer(self) -> str:
            Counting.looked_at += len(self._text)
            return self._text

        @_paste_buffer.setter
        def _paste_buffer(self, text: str) -> None:
            self._text = text

    class Ours(KeyPressParser):
        looked_at = 0

        def _in_paste(self, text: str, at: int) -> int:
            Ours.looked_at += len(text) - at
            return super()._in_paste(text, at)

    pieces = ["x" * 100] * 200
    size = sum(map(len, pieces))
    keys: list[KeyPress] = []
    parser, mine = Counting(keys.append), Ours()
    for piece in ["\x1b[200~", *pieces]:
        parser.feed(piece)
        mine.feed(piece.encode())
    assert Counting.looked_at > 100 * size, "plain: from the beginning for every piece"
    assert Ours.looked_at <= 2 * size


def test_a_paste_has_no_limit() -> None:
    paste = "\x1b[200~" + "x" * (2 * PASTE_LIMIT) + "\x1b[201~"
    assert [len(key.data) for key in plain(paste)] == [2 * PASTE_LIMIT]
    assert ours(paste) == []


@pytest.mark.parametrize("report", ["\x1b[<1;2m", "\x1b[<;;M", "\x1b[<9;9;9;9M"])
def test_a_malformed_mouse_report_is_an_exception_in_the_app(report: str) -> None:
    [binding] = load_mouse_bindings().get_bindings_for_keys((Keys.Vt100MouseEvent,))

    class Event:
        def __init__(self, data: str) -> None:
            self.data = data

    [press] = plain(report)
    assert press.key == Keys.Vt100MouseEvent
    with pytest.raises(ValueError, match=r"invalid literal|unpack"):
        binding.handler(Event(press.data))  # type: ignore[arg-type]
    assert ours(report) == []


@pytest.mark.parametrize(
    "reply",
    [
        "\x1b[?2026;2$y",
        "\x1b[?62;22c",
        "\x1b]11;rgb:1c1c/1c1c/1c1c\x07",
        "\x1b[I",
        "\x1b[99;5u",
        "\x1bP>|XTerm(389)\x1b\\",
    ],
)
def test_what_a_terminal_reports_is_typed_into_the_app(reply: str) -> None:
    typed = [key for key in plain(reply, flush=True) if len(key.key) == 1]
    assert typed, "plain: letters that nobody pressed"
    assert [key for key in ours(reply) if len(key.key) == 1] == []


def test_a_command_hidden_in_a_title_report_is_run() -> None:
    """A terminal that reports its title repeats what somebody else made it."""
    report = "\x1b]lrm -rf all\x1b\\"
    assert "rm -rf all" in "".join(key.data for key in plain(report))
    assert ours(report) == []


def test_a_cursor_position_that_nobody_asked_for_moves_the_screen() -> None:
    assert [key.key for key in plain("\x1b[999;1R")] == [Keys.CPRResponse]
    assert ours("\x1b[999;1R") == []


def test_what_comes_without_brackets_is_typing_for_both() -> None:
    """However much comes at once: only the terminal can say that it is a paste."""
    text = "an address copied somewhere\r\nrm -rf all\r\nand more"
    for keys in (plain(text), ours(text)):
        assert [key.key for key in keys].count(Keys.Enter) >= 2
        assert Keys.BracketedPaste not in [key.key for key in keys]


def test_a_paste_carries_control_characters() -> None:
    paste = "\x1b[200~text\x03\x1b]52;c;aGk=\x07\x9b31m\x1b[201~"
    [key] = plain(paste)
    assert "\x03" in key.data
    [key] = ours(paste)
    assert key.data.isprintable()


def test_bytes_that_are_not_text_cannot_be_shown_again() -> None:
    """prompt_toolkit decodes with surrogateescape: what was typed cannot be encoded later."""
    surrogate = b"\xff".decode("utf-8", "surrogateescape")
    with pytest.raises(UnicodeEncodeError):
        plain(surrogate)[0].data.encode()
    parser = KeyPressParser()
    assert parser.feed(b"\xff")[0].data.encode()
