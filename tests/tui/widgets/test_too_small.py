"""What stands in a window that is too small for its screen."""

from __future__ import annotations

import pytest

from tests.tui.screen import make_session, play
from tests.tui.widgets.screens import plain
from tuihost.tui.widgets.keymap import Keymap


@pytest.mark.parametrize("size", [(19, 24), (80, 4), (5, 2), (1, 1)])
def test_a_window_too_small_says_so_kindly(size: tuple[int, int]) -> None:
    session = make_session(*size)
    with play(plain(session), session) as me:
        assert "the work" not in me.text
        if size[0] > 5:
            assert f"{max(20, size[0])}×{max(5, size[1])}" in me.text
        me.resize(80, 24)
        assert "the work" in me.text


def test_a_screen_may_need_more_and_nobody_presses_keys_blindly() -> None:
    session = make_session(60, 20)
    pressed: list[str] = []
    keys = Keymap()
    keys.add("d", label="delete")(lambda event: pressed.append("d"))
    with play(plain(session, keys=keys, min_size=(70, 10)), session) as me:
        assert "Make it 70×20, or press q to leave." in me.text.replace("\n", " ")
        me.press("d", "enter", "c-x")
        assert pressed == []
        me.press("q")
        assert me.result == 0
