"""What is shown instead of a screen if the window is too small for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prompt_toolkit.key_binding import KeyBindingsBase
from prompt_toolkit.layout.containers import Container
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.layout.mouse_handlers import MouseHandlers
from prompt_toolkit.layout.screen import Char, Screen, WritePosition

from tuihost.session.session import Session
from tuihost.tui.widgets.cells import wrap
from tuihost.tui.widgets.keymap import Keymap


class TooSmall(Container):
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
        self.session = session
        self.content = content
        self.min_size = min_size
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
        for text in (
            f"This window is {now}, a little small for this. Make it {needs}, or press q to leave.",
            f"Too small: {now}. Please make it {needs}.",
        ):
            lines = wrap(text, width)
            if len(lines) <= height:
                return lines
        return wrap(f"{needs}?", width)[:height]

    # ------------------------------------------------------------------ a prompt_toolkit Container

    def reset(self) -> None:
        self.content.reset()

    def preferred_width(self, max_available_width: int) -> Dimension:
        return self.content.preferred_width(max_available_width)

    def preferred_height(self, width: int, max_available_height: int) -> Dimension:
        return self.content.preferred_height(width, max_available_height)

    def get_key_bindings(self) -> KeyBindingsBase:
        return self._bindings

    def get_children(self) -> list[Container]:
        return [self.content]

    def write_to_screen(
        self,
        screen: Screen,
        mouse_handlers: MouseHandlers,
        write_position: WritePosition,
        parent_style: str,
        erase_bg: bool,
        z_index: int | None,
    ) -> None:
        if not self.too_small():
            self.content.write_to_screen(
                screen, mouse_handlers, write_position, parent_style, erase_bg, z_index
            )
            return
        style = "class:text"
        lines = self.notice(write_position.width, write_position.height)
        top = write_position.ypos + max(0, (write_position.height - len(lines)) // 2)
        for y in range(write_position.ypos, write_position.ypos + write_position.height):
            line = lines[y - top] if 0 <= y - top < len(lines) else ""
            row = screen.data_buffer[y]
            for x in range(write_position.width):
                row[write_position.xpos + x] = Char(line[x] if x < len(line) else " ", style)
        screen.width = max(screen.width, write_position.width)
        screen.height = max(screen.height, write_position.height)
