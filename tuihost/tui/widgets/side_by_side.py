"""A list or a table, and what stands at its right in a wide window.

page = RichView(session)
notes = ListView(session, load(), label=lambda note: note.title, on_change=show_on(page))
screen = Screen(session, "Notes", SideBySide(session, notes, page))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from prompt_toolkit.application import get_app
from prompt_toolkit.filters import Condition
from prompt_toolkit.layout.containers import AnyContainer, ConditionalContainer, Container, Window
from prompt_toolkit.layout.dimension import Dimension

from tuihost.session.session import Session
from tuihost.tui.layout.splits import HSplit, VSplit
from tuihost.tui.widgets.keymap import Keymap
from tuihost.tui.widgets.list_view import ListView
from tuihost.tui.widgets.table import Table

WIDE = 100
"""The fewest columns at which there is something beside the list, and the most that a table has."""
PAGE = 104
"""The most columns of a page."""


class SideBySide:
    """`view`, and `page` at its right in windows of 100 columns and more.

    The page takes a little more than half of the window, or `width()` columns; Tab goes to it, and
    Esc back. `back` says in the line of keys where that is. Without a page, the room beyond
    100 columns stays empty, so that the columns of a table stay together.

    Thread: the session's.
    """

    def __init__(
        self,
        session: Session,
        view: ListView[Any] | Table[Any],
        page: AnyContainer | None = None,
        *,
        width: Callable[[], int] | None = None,
        back: str = "to the list",
    ) -> None:
        self.session = session
        self.view = view
        columns = width or (self._columns_left if page is None else self._page_columns)
        keys = Keymap(group="Page")

        @keys.add("escape", label=back, rank=30)
        def _back(event: Any) -> None:
            event.app.layout.focus(view.window)

        self._beside = HSplit(
            [Window() if page is None else page],
            width=lambda: Dimension.exact(columns()),
            key_bindings=keys.bindings,
        )
        shown = ConditionalContainer(self._beside, filter=Condition(self._is_wide))
        self.container = _Parts([view, shown], self._keep_keys)

    def __pt_container__(self) -> Container:
        return self.container

    def _is_wide(self) -> bool:
        return self.session.terminal.size.columns >= WIDE

    def _keep_keys(self) -> None:
        """The page had the keys when the window became too narrow for it: now the list has them."""
        layout = get_app().layout
        if not self._is_wide() and layout.has_focus(self._beside):
            layout.focus(self.view.window)

    def _page_columns(self) -> int:
        return min(PAGE, self.session.terminal.size.columns * 11 // 20)

    def _columns_left(self) -> int:
        return max(0, self.session.terminal.size.columns - WIDE)


class _Parts(VSplit):
    """Containers side by side, and something to do before each frame."""

    def __init__(self, parts: Sequence[AnyContainer], before_frame: Callable[[], None]) -> None:
        super().__init__(parts)
        self._before_frame = before_frame

    def write_to_screen(self, *where: Any) -> None:
        self._before_frame()
        super().write_to_screen(*where)
