"""What all Applications share, made once in a process: default key bindings and styles.

prompt_toolkit loads its 550 default key bindings and merges its default styles anew for every
Application, which is most of the time and memory that one costs. Both are replaced where
`Application` looks for them. The contract tests notice when a version looks elsewhere.
"""

from __future__ import annotations

from functools import cache
from sys import getsizeof
from typing import Any

from prompt_toolkit import utils as utils_module
from prompt_toolkit.application import application as application_module
from prompt_toolkit.application.application import Application
from prompt_toolkit.application.current import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import (
    Always,
    Condition,
    Filter,
    buffer_has_focus,
    emacs_insert_mode,
    is_multiline,
    is_searching,
)
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.bindings.page_navigation import load_page_navigation_bindings
from prompt_toolkit.key_binding.defaults import load_key_bindings
from prompt_toolkit.key_binding.key_bindings import KeyBindingsBase, merge_key_bindings
from prompt_toolkit.key_binding.key_processor import KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout.screen import _CHAR_CACHE
from prompt_toolkit.styles import (
    BaseStyle,
    DynamicStyle,
    default_pygments_style,
    default_ui_style,
    merge_styles,
)
from wcwidth import wcwidth

from tuihost.tui.characters import cluster_after, cluster_before, one_line

CELLS_KEPT = 250_000
"""Distinct cells (a character in a style) that the process remembers; prompt_toolkit would keep a
million, some 300 MB that visitors could fill."""

WIDTHS_KEPT, WIDTH_LENGTH = 10_000, 64
"""Texts of which the process remembers how many cells they take, and how many characters these have
at most; prompt_toolkit would keep every text that was ever measured, without a bound."""

UNDO, UNDO_STEPS = 4_000_000, 1000
"""Bytes of texts that one field keeps for undo and redo, and how many texts; the oldest give way.
prompt_toolkit keeps the whole text each time, without a bound."""


@cache
def shared_key_bindings() -> KeyBindingsBase:
    """prompt_toolkit's default key bindings, with `field_bindings`. Never add to them: everybody
    has them."""
    return merge_key_bindings([load_key_bindings(), field_bindings()])


def field_bindings() -> KeyBindings:
    """What fields do that their app has no keys for: a paste into one line stays one line, and
    what looks like one character is moved over and deleted as one."""
    bindings = KeyBindings()

    @bindings.add(Keys.BracketedPaste, filter=(~is_multiline | is_searching) & emacs_insert_mode)
    def _paste(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text(one_line(event.data))

    @bindings.add(Keys.BracketedPaste, filter=~buffer_has_focus)
    def _pasted_in_vain(event: KeyPressEvent) -> None:
        event.app.output.bell()  # prompt_toolkit would put it where nobody sees it

    @bindings.add("left", filter=Condition(lambda: _step(back=True) > 1))
    def _left(event: KeyPressEvent) -> None:
        event.current_buffer.cursor_position -= _step(back=True)

    @bindings.add("right", filter=Condition(lambda: _step(back=False) > 1))
    def _right(event: KeyPressEvent) -> None:
        event.current_buffer.cursor_position += _step(back=False)

    @bindings.add("backspace", filter=Condition(lambda: _step(back=True) > 1))
    def _backspace(event: KeyPressEvent) -> None:
        event.current_buffer.delete_before_cursor(_step(back=True))

    @bindings.add("delete", filter=Condition(lambda: _step(back=False) > 1))
    def _delete(event: KeyPressEvent) -> None:
        event.current_buffer.delete(_step(back=False))

    return bindings


def _step(*, back: bool) -> int:
    """How many code points what looks like one character before or behind the cursor has; 0 where
    prompt_toolkit's own keys are right."""
    buffer = get_app().current_buffer
    if buffer.selection_state is not None or not emacs_insert_mode():
        return 0
    at, text = buffer.cursor_position, buffer.text
    return at - cluster_before(text, at) if back else cluster_after(text, at) - at


@cache
def shared_page_bindings() -> KeyBindingsBase:
    """Its bindings for page up and page down."""
    return load_page_navigation_bindings()


@cache
def base_style() -> BaseStyle:
    """Its default style, for its own widgets and for Pygments."""
    return merge_styles([default_ui_style(), default_pygments_style()])


_stock_merged_style = Application._create_merged_style


def _create_merged_style(
    self: Application[Any], include_default_pygments_style: Filter
) -> BaseStyle:
    if not isinstance(include_default_pygments_style, Always):
        return _stock_merged_style(self, include_default_pygments_style)
    return merge_styles([base_style(), DynamicStyle(lambda: self.style)])


class Widths(dict[str, int]):
    """How many cells texts take, in place of what prompt_toolkit remembers. Thread: any."""

    def __missing__(self, text: str) -> int:
        if text.isascii() and text.isprintable():
            width = len(text)
        elif len(text) == 1:
            width = max(0, wcwidth(text))
        else:
            width = sum(self[character] for character in text)
        if len(text) <= WIDTH_LENGTH:
            if len(self) >= WIDTHS_KEPT:
                self.clear()  # it is soon filled again
            self[text] = width
        return width


def share_defaults() -> None:
    """From now on, Applications share their default key bindings and styles. Does nothing the
    second time. An Application behaves as before; it only costs less, and keeps less: for undo, and
    of the widths of texts."""
    vars(application_module).update(
        load_key_bindings=shared_key_bindings,
        load_page_navigation_bindings=shared_page_bindings,
    )
    Buffer.save_to_undo_stack = _save_within_bounds  # type: ignore[method-assign]  # else undo grows
    Application._create_merged_style = _create_merged_style  # type: ignore[method-assign]  # one for all
    _CHAR_CACHE.size = min(_CHAR_CACHE.size, CELLS_KEPT)
    if not isinstance(utils_module._CHAR_SIZES_CACHE, Widths):
        vars(utils_module).update(_CHAR_SIZES_CACHE=Widths())


def undo_bytes(buffer: Buffer) -> int:
    """What a field keeps for undo and redo."""
    return sum(getsizeof(text) for text, _ in (*buffer._undo_stack, *buffer._redo_stack))


_stock_save = Buffer.save_to_undo_stack


def _save_within_bounds(self: Buffer, clear_redo_stack: bool = True) -> None:
    _stock_save(self, clear_redo_stack)
    stack = self._undo_stack
    del stack[: max(0, len(stack) - UNDO_STEPS)]
    over = undo_bytes(self) - UNDO
    while over > 0 and len(stack) > 1:
        over -= getsizeof(stack.pop(0)[0])
