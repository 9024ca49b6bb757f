"""Which key presses are the repeats of a key that is held down, told by how quickly they come.

A terminal does not say whether a key was pressed again or is held down. But a keyboard repeats it
every 25 to 50 ms, or 92 on the console of Linux, and nobody presses a key twice as quickly.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from prompt_toolkit.key_binding.key_processor import KeyPress, _Flush
from prompt_toolkit.keys import Keys

FIRST_REPEAT, NEXT_REPEAT = 1.2, 0.3
"""Seconds after which a key that has not come again is not held down: keyboards wait before they
repeat it for the first time; later repeats come quickly, but a busy line delays them."""
HOLD_BACK = 0.13
"""Seconds that a key press waits for the next one, which tells that the key is held down: a third
more than the slowest keyboard takes, for lines that delay some keys more than others."""
REPEATS, REPEATS_OF_TEXT = 2, 3
"""So many presses that come that quickly are a held key. Two equal letters are in many words."""

_UNSEEN = (Keys.Vt100MouseEvent, Keys.CPRResponse)
_NOT_HELD = (*_UNSEEN, Keys.BracketedPaste, Keys.Ignore)


class HeldKey:
    """The key that was pressed last before something else got the keys. Its repeats do nothing
    there, but if it is pressed again it acts; another key, or a moment without it, ends that.

    One thread. Times are seconds of one clock, which the caller reads.
    """

    def __init__(self) -> None:
        self._key: Keys | str | None = None
        self._until = 0.0
        self._is_held = False
        self._last = 0.0
        self._run = 0
        self._decided_at = 0.0

    def begin(self, key: Keys | str, now: float) -> None:
        """From now on the repeats of `key` do nothing."""
        key = _plain(key)
        if key in _NOT_HELD:
            self._key = None
            return
        if key != self._key:
            self._is_held = False
        self._key, self._until, self._run = key, now + FIRST_REPEAT, 0

    def sift(self, keys: deque[KeyPress], now: float, *, takes_text: Callable[[], bool]) -> float:
        """Drops the repeats at the head of `keys`. Seconds after which to call it again, or earlier
        if more has come; 0 if what stands at the head now may act. `takes_text` says whether
        letters are text now."""
        while keys and self._key is not None:
            if keys[0] is _Flush or keys[0].key in _UNSEEN:
                return 0.0
            if now >= self._until or not self._stands_in(keys, 0):
                break
            if self._is_held and now < self._last + NEXT_REPEAT:
                self._drop(keys, now)
                continue
            run, is_over = self._run_of(keys)
            letter = not isinstance(self._key, Keys) and takes_text()
            self._is_held = run >= (REPEATS_OF_TEXT if letter else REPEATS)
            if self._is_held:
                self._last = now
                continue
            if is_over:
                break
            if run > self._run:
                self._run, self._decided_at = run, now + HOLD_BACK
            if now < self._decided_at:
                return self._decided_at - now
            break
        else:
            return 0.0
        self._key = None
        return 0.0

    def _stands_in(self, keys: deque[KeyPress], index: int) -> bool:
        """Whether the key is at that place, and not the Escape of Alt with another one."""
        if _plain(keys[index].key) != self._key or keys[index] is _Flush:
            return False
        if self._key is not Keys.Escape or index + 1 == len(keys):
            return True
        after = keys[index + 1]
        return after is _Flush or after.key in (Keys.Escape, *_UNSEEN)

    def _run_of(self, keys: deque[KeyPress]) -> tuple[int, bool]:
        """How often it stands at the head, and whether another key comes after that."""
        run = 0
        for index, press in enumerate(keys):
            if press is _Flush or press.key in _UNSEEN:
                continue
            if not self._stands_in(keys, index):
                return run, True
            run += 1
            if run == REPEATS_OF_TEXT:
                break
        return run, False

    def _drop(self, keys: deque[KeyPress], now: float) -> None:
        keys.popleft()
        if keys and keys[0] is _Flush:
            keys.popleft()
        self._last, self._until = now, now + FIRST_REPEAT


def _plain(key: Keys | str) -> Keys | str:
    """Enter is sent as a carriage return or as a newline."""
    return Keys.ControlM if key is Keys.ControlJ else key
