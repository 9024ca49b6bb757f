"""What is shown instead of a screen if the window is too small for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from prompt_toolkit.key_binding import KeyBindingsBase
from prompt_toolkit.layout.containers import Container, DynamicContainer, Window
from prompt_toolkit.layout.controls import FormattedTextControl
from prompt_toolkit.layout.mouse_handlers import MouseHandlers
from prompt_toolkit.layout.screen import Screen, WritePosition

from tuihost.session.session import Session
from tuihost.tui.widgets.cells import wrap
from tuihost.tui.widgets.keymap import Keymap


class TooSmall(DynamicContainer):
    """Draws `content`, or says which size it needs where the window has less than `min_size`.

    While it is too small, keys do nothing except `q` and Ctrl-C, which leave: nobody should
    press keys blindly.
    """

    def __init__(
        self,
        session: Session,
        content: Container,
        min_size: tuple[int, int],
        leave: Callable[[], None],
    ) -> None:
        super().__init__(lambda: content)
        self.session = session
        self.content = content
        self._notice = Window(FormattedTextControl(self._text), style="class:text")
        self.min_size = min_size
        self.says: Sequence[str] = ()
        """What it says in place of the size that it needs: the first of these that fits."""
        keys = Keymap()

        @keys.add("<any>", when=self.too_small, eager=True)
        def _nothing(event: Any) -> None:
            pass

        @keys.add("q", "c-c", when=self.too_small, eager=True, while_typing=True)
        def _leave(event: Any) -> None:
            leave()

        self._bindings = keys.bindings

    def too_small(self) -> bool:
        size = self.session.terminal.size
        return size.columns < self.min_size[0] or size.rows < self.min_size[1]

    def notice(self, width: int, height: int) -> list[str]:
        """What it says then, in as many words as there is room for."""
        size = self.session.terminal.size
        times = "×" if self.session.terminal.unicode else "x"
        now = f"{size.columns}{times}{size.rows}"
        needs = f"{max(self.min_size[0], size.columns)}{times}{max(self.min_size[1], size.rows)}"
        texts = self.says or (
            f"This window is {now}, a little small for this. Make it {needs}, or press q to leave.",
            f"Too small: {now}. Please make it {needs}.",
            f"{needs}?",
        )
        for text in texts:
            lines = wrap(text, width)
            if len(lines) <= height:
                break
        return lines[:height]

    def _text(self) -> str:
        size = self.session.terminal.size
        lines = self.notice(size.columns, size.rows)
        return "\n" * ((size.rows - len(lines)) // 2) + "\n".join(lines)

    # ------------------------------------------------------------------ a prompt_toolkit Container

    def get_key_bindings(self) -> KeyBindingsBase:
        return self._bindings

    def write_to_screen(
        self,
        screen: Screen,
        mouse_handlers: MouseHandlers,
        write_position: WritePosition,
        parent_style: str,
        erase_bg: bool,
        z_index: int | None,
    ) -> None:
        shown = self._notice if self.too_small() else self.content
        shown.write_to_screen(
            screen, mouse_handlers, write_position, parent_style, erase_bg, z_index
        )
