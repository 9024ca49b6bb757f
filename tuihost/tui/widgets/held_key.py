"""A key that opened something, and may still be held down: it does nothing there until it rests."""

from __future__ import annotations

import asyncio
from typing import Any

from prompt_toolkit.application import get_app
from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.keys import Keys

from tuihost.tui.widgets.keymap import Keymap, When, takes_text

FIRST_REPEAT, NEXT_REPEAT = 1.2, 0.3
"""Seconds without a key after which it is no longer held down. Keyboards wait before they repeat it
for the first time, and prompt_toolkit waits a second for what may follow an Esc; later repeats come
quickly."""

_NO_KEYS = (Keys.Vt100MouseEvent, Keys.CPRResponse)
_NOT_HELD = (*_NO_KEYS, Keys.BracketedPaste)


class HeldKey:
    """The key that was pressed last before a question or a page. As long as it may still be held
    down it does nothing there; another key, a paste, or a moment without it ends that. As text it
    is taken.

    Thread: the session's.
    """

    def __init__(self) -> None:
        self._keys: tuple[Any, ...] = ()
        self._until = 0.0

    def begin(self) -> None:
        """It opens now. Call it while the Application runs."""
        self._keys = tuple(press.key for press in _last() if press.key not in _NOT_HELD)
        self._until = asyncio.get_running_loop().time() + FIRST_REPEAT

    def guard(self, keys: Keymap, when: When | None = None) -> None:
        """Adds a binding to `keys` that swallows the key while it may be held down; `when` says
        whether it does so now."""

        @keys.add("<any>", eager=True, when=lambda: (when is None or when()) and self.repeats())
        def _nothing(event: Any) -> None:
            """The key that opened it, held down."""

    def repeats(self) -> bool:
        """Whether the key that is looked at now is the one that was held down."""
        now, pressed = asyncio.get_running_loop().time(), get_app().key_processor.key_buffer
        if not self._keys or not pressed or pressed[-1].key in _NO_KEYS:
            return False
        if now >= self._until or pressed[-1].key not in self._keys:
            self._keys = ()
            return False
        self._until = max(self._until, now + NEXT_REPEAT)
        is_text = not isinstance(pressed[-1].key, Keys) and takes_text()
        return not is_text


def _last() -> list[KeyPress]:
    """The last key before this moment, of the Application before if this one had none."""
    # prompt_toolkit gives the keys before to handlers only, and this need not be called by one.
    processor = get_app().key_processor
    before = processor.key_buffer[-1:] or processor._previous_key_sequence[-1:]
    last: KeyPress | None = getattr(get_app().input, "last_key", None)
    return before or ([] if last is None else [last])
