"""What a frame is: rows of cells, which may be shared with the frame before, and who handles the
mouse where."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import ItemsView, ValuesView
from typing import cast

from prompt_toolkit.layout.mouse_handlers import MouseHandler, MouseHandlers
from prompt_toolkit.layout.screen import _CHAR_CACHE, Char, Screen, Transparent

Row = dict[int, Char]

BLANK = _CHAR_CACHE[" ", Transparent]
"""What a cell holds that nobody wrote."""

# ------------------------------------------------------------------------------------- rows

_numbers = itertools.count()


class DrawnRow(Row):
    """A row that never changes once it is shown. Its number stands for what is in it."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        super().__init__()
        self.number = next(_numbers)


class FrameRows(defaultdict[int, defaultdict[int, Char]]):
    """The rows of a frame. A shared row is copied when somebody asks for it by its number, since
    they may write to it: a float that covers a part, a style laid over everything."""

    def __init__(self) -> None:
        super().__init__(_new_row)
        self._shared: set[int] = set()

    def share(self, y: int, row: Row) -> None:
        """Shows `row`, which must never change, at `y`."""
        self._shared.add(y)
        super().__setitem__(y, cast("defaultdict[int, Char]", row))

    def __getitem__(self, y: int) -> defaultdict[int, Char]:
        if y in self._shared:
            self._shared.discard(y)
            self[y] = defaultdict(_new_cell, super().__getitem__(y))
        return super().__getitem__(y)

    def items(self) -> ItemsView[int, defaultdict[int, Char]]:  # type: ignore[override]  # no dict_items
        self._own_all()
        return super().items()

    def values(self) -> ValuesView[defaultdict[int, Char]]:  # type: ignore[override]  # no dict_items
        self._own_all()
        return super().values()

    def _own_all(self) -> None:
        for y in tuple(self._shared):
            self[y]  # copies


def _new_cell() -> Char:
    return BLANK


def _new_row() -> defaultdict[int, Char]:
    return defaultdict(_new_cell)


class FrameScreen(Screen):
    """A `Screen` of known width that rows can be shared with."""

    data_buffer: FrameRows

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.columns = columns
        self.data_buffer = FrameRows()

    def place(self, y: int, x: int, row: Row) -> None:
        """Shows `row`, whose keys count from `x`, at row `y`; by reference where it has that row
        of the screen to itself."""
        rows = self.data_buffer
        if x == 0 and y not in rows:
            rows.share(y, row)
        else:
            rows[y].update(row)


# ------------------------------------------------------------------------------------- mouse


class _RegionRow:
    """One row of `MouseRegions`, as prompt_toolkit indexes it."""

    __slots__ = ("_regions", "_y")

    def __init__(self, regions: MouseRegions, y: int) -> None:
        self._regions = regions
        self._y = y

    def __getitem__(self, x: int) -> MouseHandler:
        return self._regions.at(x, self._y)

    def __setitem__(self, x: int, handler: MouseHandler) -> None:
        self._regions.set_mouse_handler_for_range(x, x + 1, self._y, self._y + 1, handler)


class _RegionRows:
    __slots__ = ("_regions",)

    def __init__(self, regions: MouseRegions) -> None:
        self._regions = regions

    def __getitem__(self, y: int) -> _RegionRow:
        return _RegionRow(self._regions, y)


def _nobody(event: object) -> object:
    return NotImplemented


class MouseRegions(MouseHandlers):
    """Who handles the mouse where, as rectangles: drawing one costs the same for a cell and for
    the whole screen, and the search happens when a mouse event comes."""

    def __init__(self) -> None:
        self._areas: list[tuple[int, int, int, int, MouseHandler]] = []
        self.mouse_handlers = _RegionRows(self)  # type: ignore[assignment]  # looks like one

    def set_mouse_handler_for_range(
        self, x_min: int, x_max: int, y_min: int, y_max: int, handler: MouseHandler
    ) -> None:
        self._areas.append((x_min, x_max, y_min, y_max, handler))

    def at(self, x: int, y: int) -> MouseHandler:
        """Who was drawn last there."""
        for x_min, x_max, y_min, y_max, handler in reversed(self._areas):
            if x_min <= x < x_max and y_min <= y < y_max:
                return handler
        return cast(MouseHandler, _nobody)
