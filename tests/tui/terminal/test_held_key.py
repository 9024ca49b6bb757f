"""What tells a key that is held down from one that is pressed again."""

from __future__ import annotations

from collections import deque

import pytest
from prompt_toolkit.key_binding.key_processor import KeyPress, _Flush
from prompt_toolkit.keys import Keys

from tuihost.tui.terminal._held_key import FIRST_REPEAT, HOLD_BACK, NEXT_REPEAT, HeldKey

ENTER, ESCAPE, DOWN = Keys.ControlM, Keys.Escape, Keys.Down
MOUSE, POSITION = Keys.Vt100MouseEvent, Keys.CPRResponse


class Typist:
    """Presses keys at moments of a clock; `acted` is what came through, and when."""

    def __init__(self, key: Keys | str, *, is_text: bool = False) -> None:
        self.held, self.is_text = HeldKey(), is_text
        self.keys: deque[KeyPress] = deque()
        self.acted: list[tuple[float, Keys | str]] = []
        self.held.begin(key, 0.0)

    def press(self, *keys: Keys | str, at: float) -> None:
        for key in keys:
            self.keys.append(_Flush if key == "flush" else KeyPress(key))
        self.look(at)

    def look(self, now: float) -> float:
        while (
            not (wait := self.held.sift(self.keys, now, takes_text=lambda: self.is_text))
            and self.keys
        ):
            key = self.keys.popleft()
            self.acted.append((now, "flush" if key is _Flush else key.key))
        return wait

    @property
    def came(self) -> list[Keys | str]:
        return [key for _, key in self.acted]


def hold(typist: Typist, key: Keys | str, first: float, seconds: float, every: float) -> float:
    """Holds a key down from `first` on, and looks as often as it has to; the last repeat's time."""
    now, last = first, first
    while now < first + seconds:
        typist.press(key, at=now)
        last = now
        wait = typist.look(now)
        if wait and wait < every:
            typist.look(now + wait)
        now += every
    return last


@pytest.mark.parametrize("every", [0.025, 0.033, 0.05, 0.092, 0.12])
@pytest.mark.parametrize("key", [ENTER, ESCAPE, Keys.ControlC, "q"])
def test_none_of_the_repeats_of_a_held_key_acts(key: Keys | str, every: float) -> None:
    typist = Typist(key)
    hold(typist, key, 0.5, 3.0, every)
    assert typist.came == []


def test_a_second_press_acts_when_no_other_follows() -> None:
    typist = Typist(ENTER)
    typist.press(ENTER, at=0.3)
    assert typist.look(0.35) == pytest.approx(HOLD_BACK - 0.05)
    assert typist.came == []
    assert typist.look(0.3 + HOLD_BACK) == 0.0
    assert typist.came == [ENTER]


def test_a_press_after_the_key_was_let_go_acts() -> None:
    typist = Typist(ENTER)
    last = hold(typist, ENTER, 0.5, 1.0, 0.033)
    typist.press(ENTER, at=last + 0.7)
    typist.look(last + 0.7 + HOLD_BACK)
    assert typist.came == [ENTER]


def test_a_key_that_has_rested_acts_at_once() -> None:
    typist = Typist(ENTER)
    typist.press(ENTER, at=FIRST_REPEAT)
    assert typist.acted == [(FIRST_REPEAT, ENTER)]


def test_another_key_acts_at_once_and_ends_it() -> None:
    typist = Typist(ENTER)
    typist.press(DOWN, ENTER, ENTER, ENTER, at=0.1)
    assert typist.came == [DOWN, ENTER, ENTER, ENTER]


def test_a_press_acts_before_the_other_key_that_follows_it() -> None:
    typist = Typist(ENTER)
    typist.press(ENTER, at=0.1)
    typist.press("b", at=0.15)
    assert typist.acted == [(0.15, ENTER), (0.15, "b")]


def test_repeats_that_a_slow_line_bunches_are_dropped() -> None:
    typist = Typist(ENTER)
    for at in (0.5, 0.75, 1.0):
        typist.press(*[ENTER] * 7, at=at)
    assert typist.came == []
    typist.press(*[ENTER] * 2, "b", at=1.0 + NEXT_REPEAT / 2)
    assert typist.came == ["b"]


def test_a_newline_and_a_carriage_return_are_the_same_key() -> None:
    for first, then in ((Keys.ControlJ, ENTER), (ENTER, Keys.ControlJ)):
        typist = Typist(first)
        typist.press(first, then, then, at=0.5)
        assert typist.came == []


def test_a_word_with_two_equal_letters_is_typed_as_it_is() -> None:
    typist = Typist("a", is_text=True)
    typist.press("a", at=0.2)
    typist.press("a", at=0.25)
    typist.press("r", at=0.3)
    assert typist.came == ["a", "a", "r"]


def test_a_letter_that_is_held_down_is_not_text() -> None:
    typist = Typist("q", is_text=True)
    hold(typist, "q", 0.5, 1.0, 0.033)
    assert typist.came == []


def test_enter_in_a_text_is_not_a_letter() -> None:
    typist = Typist(ENTER, is_text=True)
    typist.press(ENTER, ENTER, at=0.5)
    assert typist.came == []


def test_escape_is_dropped_with_what_says_that_nothing_follows() -> None:
    typist = Typist(ESCAPE)
    typist.press(ESCAPE, "flush", ESCAPE, "flush", "b", at=0.5)
    assert typist.came == ["b"]


def test_the_escape_of_alt_is_another_key() -> None:
    typist = Typist(ESCAPE)
    typist.press(ESCAPE, ESCAPE, ESCAPE, "x", at=0.5)
    assert typist.came == [ESCAPE, "x"]


def test_reports_of_the_mouse_and_the_cursor_pass_and_change_nothing() -> None:
    typist = Typist(ENTER)
    typist.press(MOUSE, ENTER, POSITION, ENTER, MOUSE, ENTER, at=0.5)
    assert typist.came == [MOUSE, POSITION, MOUSE]


def test_a_paste_is_never_held_down() -> None:
    typist = Typist(Keys.BracketedPaste)
    typist.press(Keys.BracketedPaste, Keys.BracketedPaste, at=0.1)
    assert typist.came == [Keys.BracketedPaste] * 2


def test_what_a_held_key_comes_to_next_does_not_let_a_repeat_through() -> None:
    typist = Typist(ENTER)
    typist.press(ENTER, ENTER, at=0.5)
    typist.held.begin(ENTER, 0.52)
    typist.press(ENTER, at=0.55)
    assert typist.look(0.8) == 0.0
    assert typist.came == []
