"""What the test kit shows of what a host sends."""

from __future__ import annotations

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
