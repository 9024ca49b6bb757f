"""What somebody is asked who leaves while others can reach their machine."""

from __future__ import annotations

import pytest

from tests.tui.screen import make_session, play
from tuihost.tui.running.leaving import LEAVES, STAYS, close_what, leave_screen, still_open


@pytest.mark.parametrize(
    ("addresses", "said", "asked"),
    [
        (["a:1"], "a:1 is still open for visitors.", "Close it and leave?"),
        (["a:1", "b:2"], "a:1 and b:2 are still open for visitors.", "Close them and leave?"),
        (list("abc"), "a and 2 more are still open for visitors.", "Close them and leave?"),
    ],
)
def test_it_says_what_closes(addresses: list[str], said: str, asked: str) -> None:
    assert still_open(addresses) == said
    assert close_what(addresses) == asked


@pytest.mark.parametrize("key", ["l", "s"])
@pytest.mark.parametrize("size", [(200, 60), (40, 12), (27, 8), (24, 6), (20, 5), (15, 4), (5, 2)])
def test_the_question_and_its_keys_are_seen_in_any_window(size: tuple[int, int], key: str) -> None:
    session = make_session(*size)
    with play(lambda: leave_screen(session, "Menu", ["bright-river.example.org"]), session) as me:
        assert "Window too small" not in me.text
        shown = " ".join(me.text.split()).lower()
        assert "l/s" in shown or ("leave" in shown and "stay" in shown)
        me.press(key)
        assert me.result == (LEAVES if key == "l" else STAYS)


@pytest.mark.parametrize("size", [(24, 6), (15, 4), (1, 1)])
@pytest.mark.parametrize("key", ["q", "c-c"])
def test_in_a_window_that_is_too_small_the_keys_of_every_app_leave(
    size: tuple[int, int], key: str
) -> None:
    session = make_session(*size)
    with play(lambda: leave_screen(session, "Menu", ["a:1"]), session) as me:
        me.press("left", "enter")  # nobody sees which button that would be
        me.press(key)
        assert me.result == LEAVES
