"""What the test kit shows of what a host sends."""

from __future__ import annotations

import pytest

from tuihost.testing.screen import Screen


def test_plain_lines_begin_at_the_left_and_a_terminals_stand_where_it_says() -> None:
    plain, terminal = Screen(20, 5, plain=True), Screen(20, 5)
    for screen in (plain, terminal):
        screen.feed(b"one\ntwo")
    assert plain.text == "one\ntwo"
    assert terminal.text == "one\n   two"


def test_a_sequence_may_be_cut_anywhere() -> None:
    whole = "é\x1b[31mred\x1b]8;;https://example.net\x1b\\link\x1b[0m".encode()
    for at in range(len(whole)):
        screen = Screen(20, 5)
        screen.feed(whole[:at])
        screen.feed(whole[at:])
        assert screen.text == "éredlink", at


@pytest.mark.parametrize(
    ("sent", "row"),
    [
        ("a漢b", "a漢b"),
        ("e\u0301x\u2500漢", "\u00e9x\u2500漢"),
        ("漢字\rx", "x字"),  # half of a wide one is written over
        ("漢字\x1b[2Gx", "漢字"),  # the other half: what takes two cells hides it
        ("\x1b[3Cx", "   x"),
        ("漢\x1b[2J", ""),
    ],
)
def test_a_row_is_what_its_cells_show(sent: str, row: str) -> None:
    screen = Screen(12, 2)
    screen.feed(sent.encode())
    assert screen.lines == (row, "")
