"""The box that dialogs and the help are in, above everything else."""

from __future__ import annotations

from collections.abc import Callable

from prompt_toolkit.key_binding import KeyBindingsBase
from prompt_toolkit.layout.containers import AnyContainer, Container, to_container
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.layout.layout import walk
from prompt_toolkit.layout.mouse_handlers import MouseHandlers
from prompt_toolkit.layout.screen import Char, Screen, WritePosition
from prompt_toolkit.mouse_events import MouseEvent

from tuihost.session.session import Session
from tuihost.tui.characters import width_of
from tuihost.tui.layout.rows import RowWindow
from tuihost.tui.widgets._bars import compact
from tuihost.tui.widgets.cells import fit, glyph

LOWEST = 5
"""Rows that it takes wherever there are so many."""
MARGIN = 2
"""Cells between the border and what it holds, at the left and right."""


class Panel(Container):
    """A bordered box with a title around `body`; keys do not pass through it to what is beneath.

    `width` is the widest it becomes, border included; it shrinks with the window. With `whole` it
    may take every row of the window but the last: for a picture that is of no use in part.
    """

    def __init__(
        self,
        session: Session,
        title: str,
        body: AnyContainer,
        *,
        bindings: KeyBindingsBase,
        width: int | Callable[[], int] = 60,
        style: str = "class:dialog",
        whole: bool = False,
    ) -> None:
        self.session = session
        self.title = title
        self.body = to_container(body)
        self.bindings = bindings
        self.width = width
        self.style = style
        self.whole = whole

    @property
    def inner_width(self) -> int:
        """Columns that the body has in the window as it is now."""
        return self._width(self.session.terminal.size.columns) - 2 * MARGIN - 2

    def _width(self, available: int) -> int:
        wanted = self.width if isinstance(self.width, int) else self.width()
        edge = 4 if available >= 60 else 0
        return max(12, min(wanted, available - edge))

    # ------------------------------------------------------------------ a prompt_toolkit Container

    def reset(self) -> None:
        self.body.reset()

    def preferred_width(self, max_available_width: int) -> Dimension:
        return Dimension.exact(min(max_available_width, self._width(max_available_width)))

    def preferred_height(self, width: int, max_available_height: int) -> Dimension:
        # It stands in the middle, and the line of keys below it stays in view.
        around = 1 if self.whole else 2 if compact(self.session) else 4
        most = max(LOWEST, max_available_height - around)
        most = min(most, max_available_height)
        inner = self.body.preferred_height(width - 2 * MARGIN - 2, most - 2)
        return Dimension.exact(min(most, inner.preferred + 2))

    def is_modal(self) -> bool:
        return True

    def get_key_bindings(self) -> KeyBindingsBase:
        return self.bindings

    def get_children(self) -> list[Container]:
        return [self.body]

    def write_to_screen(
        self,
        screen: Screen,
        mouse_handlers: MouseHandlers,
        write_position: WritePosition,
        parent_style: str,
        erase_bg: bool,
        z_index: int | None,
    ) -> None:
        def draw() -> None:
            self._draw(screen, write_position)
            mouse_handlers.set_mouse_handler_for_range(
                x_min=write_position.xpos,
                x_max=write_position.xpos + write_position.width,
                y_min=write_position.ypos,
                y_max=write_position.ypos + write_position.height,
                handler=_swallow,
            )

        screen.draw_with_z_index(z_index=z_index or 0, draw_func=draw)
        inner = WritePosition(
            write_position.xpos + MARGIN + 1,
            write_position.ypos + 1,
            max(1, write_position.width - 2 * MARGIN - 2),
            max(1, write_position.height - 2),
        )
        self.body.write_to_screen(
            screen, mouse_handlers, inner, f"{parent_style} {self.style}", erase_bg, z_index
        )
        screen.draw_with_z_index(
            z_index=z_index or 0, draw_func=lambda: self._draw_marks(screen, write_position)
        )

    def _draw_marks(self, screen: Screen, at: WritePosition) -> None:
        """Arrows in the border beside rows that go on above or below."""
        x = at.xpos + at.width - 1
        for window in walk(self.body):
            area = screen.visible_windows_to_write_positions.get(window)  # type: ignore[call-overload]  # any container
            if not isinstance(window, RowWindow) or area is None:
                continue
            for more, name, y in (
                (window.offset > 0, "up", area.ypos),
                (window.offset < window.last_offset, "down", area.ypos + area.height - 1),
            ):
                if more:
                    sign = glyph(self.session, name)
                    screen.data_buffer[y][x] = Char(sign, f"{self.style} class:accent")

    def _draw(self, screen: Screen, at: WritePosition) -> None:
        """Border, title and ground. Rows are copied first: those beneath may be shared with a
        widget that keeps them for the next frame."""
        across, down = (glyph(self.session, name) for name in ("box.h", "box.v"))
        corners = [glyph(self.session, f"box.{name}") for name in ("tl", "tr", "bl", "br")]
        border = f"{self.style} class:border"
        blank = Char(" ", self.style)
        side = Char(down, border)
        last = at.ypos + at.height - 1
        for y in range(at.ypos, last + 1):
            row = screen.data_buffer[y] = screen.data_buffer[y].copy()
            left, right = at.xpos, at.xpos + at.width - 1
            before, after = row.get(left - 1), row.get(right + 1)
            if before is not None and before.width == 2:
                row[left - 1] = Char(" ", before.style)  # a wide character half beneath the box
            if after is not None and after.char == "":
                row[right + 1] = Char(" ", after.style)
            if at.ypos < y < last:
                for x in range(left + 1, right):
                    row[x] = blank
                row[left] = row[right] = side
                continue
            first, end = corners[:2] if y == at.ypos else corners[2:]
            line = Char(across, border)
            for x in range(left + 1, right):
                row[x] = line
            row[left], row[right] = Char(first, border), Char(end, border)
            if y == at.ypos and self.title:
                self._draw_title(row, left + 2, at.width - 4)
        screen.width = max(screen.width, at.xpos + at.width)
        screen.height = max(screen.height, at.ypos + at.height)

    def _draw_title(self, row: dict[int, Char], x: int, room: int) -> None:
        for char in f" {fit(self.title, max(0, room - 2))} ":
            cell = Char(char, f"{self.style} class:dialog.title")
            row[x] = cell
            for more in range(1, width_of(char)):
                row[x + more] = Char("", cell.style)
            x += max(1, width_of(char))


def _swallow(event: MouseEvent) -> None:
    """A click on the ground of a panel is not a click on what is beneath."""
