"""Keys for text that is typed: they move and delete by what a person sees as one character, such as
a flag, a family emoji or a letter with its accents, and a paste into one line stays one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.keys import Keys
from prompt_toolkit.selection import SelectionType

from tuihost.tui.characters import cluster_after, cluster_before, one_line
from tuihost.tui.widgets.keymap import Keymap, When
from tuihost.tui.widgets.text_limit import TextLimit


def bind_clusters(keys: Keymap, buffer: Buffer, when: When | None = None) -> None:
    """Adds the keys that move, select and delete to `keys`; `when` says whether they work now."""

    def step(back: bool) -> int:
        text, at = buffer.text, buffer.cursor_position
        return cluster_before(text, at) if back else cluster_after(text, at)

    def move(back: bool, *, select: bool) -> None:
        if not select:
            buffer.exit_selection()
        elif buffer.selection_state is None:
            buffer.start_selection(selection_type=SelectionType.CHARACTERS)
        buffer.cursor_position = step(back)
        state = buffer.selection_state
        if state is not None:
            state.enter_shift_mode()
            if state.original_cursor_position == buffer.cursor_position:
                buffer.exit_selection()

    def delete(event: Any, back: bool) -> None:
        if not event.is_repeat:
            buffer.save_to_undo_stack()
        if buffer.selection_state is not None:
            buffer.cut_selection()
        elif back:
            buffer.delete_before_cursor(buffer.cursor_position - step(back))
        else:
            buffer.delete(step(back) - buffer.cursor_position)

    for names, back in ((("left", "c-b"), True), (("right", "c-f"), False)):
        keys.add(*names, when=when)(lambda event, back=back: move(back, select=False))
    for name, back in (("s-left", True), ("s-right", False)):
        selects = keys.add(name, label="select", show=False, when=when)
        selects(lambda event, back=back: move(back, select=True))

    @keys.add("backspace", when=when)
    def _backspace(event: Any) -> None:
        delete(event, True)

    @keys.add("delete", when=when)
    def _delete(event: Any) -> None:
        delete(event, False)


def bind_one_line(
    keys: Keymap, buffer: Buffer, when: When | None = None, *, refuse: Callable[[str], None]
) -> None:
    """Adds the keys of a field of one line: those of `bind_clusters`, and the paste. `refuse` gets
    a sentence for the person if a change makes the line too long, which is then taken back."""
    bind_clusters(keys, buffer, when)
    TextLimit(buffer, refuse)

    @keys.add(Keys.BracketedPaste.value, when=when)
    def _paste(event: Any) -> None:
        buffer.save_to_undo_stack()
        if buffer.selection_state is not None:
            buffer.cut_selection()
        buffer.insert_text(one_line(event.data))
