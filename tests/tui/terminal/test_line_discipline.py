"""Lines out of keys: what is shown, what is handed over, what ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuihost.tui.terminal.line_discipline import MAX_READY, MAX_TYPED, TOO_LONG, LineDiscipline


def typed(keys: str, cooked: LineDiscipline | None = None) -> tuple[str, bytes | None]:
    """What is shown, and what is handed over."""
    cooked = cooked or LineDiscipline()
    echo = cooked.feed(keys.encode()).decode()
    return echo, cooked.take(65536)


@pytest.mark.parametrize(
    ("keys", "shown", "read"),
    [
        ("hello\r", "hello\r\n", b"hello\n"), ("a\nb\r\nc", "a\r\nb\r\nc", b"a\nb\n"),
        ("a", "a", None), ("ab\x7fc\r", "ab\b \bc\r\n", b"ac\n"), ("\x7f\x08\r", "\r\n", b"\n"),
        ("日\x08\r", "日\b \b\b \b\r\n", b"\n"), ("abc\x15d\r", "abc\b \b\b \b\b \bd\r\n", b"d\n"),
        ("ab cd \x17e\r", "ab cd \b \b\b \b\b \be\r\n", b"ab e\n"),
        ("part\x04", "part", b"part"), ("é\r", "é\r\n", "é\n".encode()),
        ("\x1b[A\x01x\r", "x\r\n", b"x\n"), ("a\tb\r", "a\tb\r\n", b"a\tb\n"),
        ("\x1b[1;5Ca\x1bOPb\x1b]0;t\x07c\x1bxd\r", "abcd\r\n", b"abcd\n"),
        ("\x1b[\x1b\x1b[Aa\x1b]0;t\x1b\\b\r", "ab\r\n", b"ab\n"),
        ("a\x1b\rb\x1b[\r", "a\r\nb\r\n", b"a\nb\n"),
        ("\x1b[" + "0" * 80 + "\r", "0" * 17 + "\r\n", b"0" * 17 + b"\n"),
    ],
)  # fmt: skip
def test_lines(keys: str, shown: str, read: bytes | None) -> None:
    assert typed(keys) == (shown, read)


def test_what_is_secret_is_not_shown_but_for_the_end_of_its_line() -> None:
    cooked = LineDiscipline()
    cooked.echo = False
    assert typed("secre\x7fet\r", cooked) == ("\r\n", b"secret\n")
    assert typed("x\x03", cooked) == ("\r\n", None)


def test_the_end_of_input() -> None:
    cooked = LineDiscipline()
    assert typed("\x04", cooked) == ("", b"")
    assert cooked.ended
    gone = LineDiscipline()
    gone.feed(b"unfinished")
    gone.end()
    assert (gone.take(4), gone.take(100), gone.take(100)) == (b"unfi", b"nished", b"")


def test_keys_that_end_a_command() -> None:
    cooked = LineDiscipline()
    assert typed("abc\x03x\x1c\r", cooked) == ("abc^C\r\nx^\\\r\n\r\n", b"\n")
    assert cooked.signals == ["INT", "QUIT"]


def test_a_key_of_ones_own_rubs_out() -> None:
    assert typed("ab#\r", LineDiscipline("#")) == ("ab\b \b\r\n", b"a\n")


@pytest.mark.parametrize("end", ["\r", "\x04"])
@pytest.mark.parametrize("echo", [True, False])
def test_a_line_that_is_too_long_is_refused_whole_with_a_sentence(end: str, echo: bool) -> None:
    cooked = LineDiscipline()
    cooked.echo = echo
    shown, read = typed("x" * (MAX_TYPED + 100) + end, cooked)
    assert read is None
    assert cooked.refused == 1
    assert shown.endswith(f"\r\n{TOO_LONG}\r\n")
    if echo:
        assert shown.startswith("x" * MAX_TYPED + "\a" * 100)
    assert typed("y\r", cooked)[1] == b"y\n"


def test_a_line_that_is_too_long_can_be_made_shorter() -> None:
    cooked = LineDiscipline()
    assert typed("x" * (MAX_TYPED + 2) + "\x7f" * 3 + "z\r", cooked)[1] == (
        b"x" * (MAX_TYPED - 1) + b"z\n"
    )
    typed("x" * (MAX_TYPED + 2) + "\x17", cooked)
    assert typed("\x15y\r", cooked)[1] == b"y\n"
    typed("x" * (MAX_TYPED + 2) + "\x03", cooked)
    assert typed("y\r", cooked)[1] == b"y\n"
    assert cooked.refused == 0


def test_the_end_of_input_hands_over_no_part_of_a_line() -> None:
    cooked = LineDiscipline()
    cooked.feed(b"x" * (MAX_TYPED + 1))
    assert cooked.end() == f"\r\n{TOO_LONG}\r\n".encode()
    assert (cooked.take(10), cooked.refused) == (b"", 1)
    assert LineDiscipline().end() == b""


def test_what_is_typed_is_bounded() -> None:
    cooked = LineDiscipline()
    while not cooked.full:
        cooked.feed(b"y" * 1000 + b"\r")
    assert cooked.full
    assert len(cooked.take(10 * MAX_READY) or b"") < MAX_READY + 2000


@given(st.lists(st.binary(max_size=20), max_size=10))
def test_keys_cut_anywhere_come_to_the_same(parts: list[bytes]) -> None:
    whole, pieces = LineDiscipline(), LineDiscipline()
    shown = whole.feed(b"".join(parts))
    assert b"".join(pieces.feed(part) for part in parts) == shown
    assert pieces.take(10_000) == whole.take(10_000)
    assert pieces.signals == whole.signals
