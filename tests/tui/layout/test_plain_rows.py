"""A long text as rows: the same rows as if all were made, and next to nothing held for them."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from tuihost.tui.characters import width_of
from tuihost.tui.layout.plain_rows import PlainRows


def texts(rows: PlainRows) -> list[str]:
    return ["".join(text for _, text in rows[number]) for number in range(len(rows))]


def test_lines_are_broken_between_words() -> None:
    rows = PlainRows("one two three\n\nfour\n", 8, unicode=True)
    assert texts(rows) == ["one two ", "three", "", "four"]


@given(st.text(alphabet="ab \n\té語\x1b", max_size=80), st.integers(4, 20))
def test_nothing_is_lost_and_every_row_fits(text: str, width: int) -> None:
    rows = PlainRows(text, width, unicode=True)
    shown = texts(rows)
    assert [row[0][1] for row in rows] == shown
    assert [row[0][1] for row in rows[1:]] == shown[1:]
    whole = text.replace("\x1b", "·").removesuffix("\n").expandtabs(8)
    assert "".join(shown) == whole.replace("\n", "")
    assert all(width_of(row.rstrip()) <= width for row in shown)


def test_a_terminal_that_shows_ascii_gets_ascii() -> None:
    assert texts(PlainRows("café →", 20, unicode=False))[0].isascii()


def test_what_is_held_for_many_lines_is_little() -> None:
    text = "\n".join(format(number, "x") for number in range(20_000))
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        rows = PlainRows(text, 40, unicode=True)
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert len(rows) == 20_000
    assert held < 4 * len(text)
