"""prompt_toolkit's splits, which deal their rows and columns out once.

The stock ones hand out one cell at a time, for each frame anew. Here the sizes are remembered by
what the children asked for: from one frame to the next that is the same nearly always.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from prompt_toolkit.application import get_app
from prompt_toolkit.layout import containers
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.layout.screen import WritePosition
from prompt_toolkit.utils import take_using_weights

REMEMBERED = 1024
"""Divisions that are remembered, of all people together."""

Wish = tuple[int, int, int, int]
"""What a child asks for: the least, what it prefers, the most, and its weight."""


class HSplit(containers.HSplit):
    """prompt_toolkit's, and draws the same."""

    def _divide_heights(self, write_position: WritePosition) -> list[int] | None:
        if not self.children:
            return []
        width, height = write_position.width, write_position.height
        asked = [child.preferred_height(width, height) for child in self._all_children]
        return _divided(asked, height, fill=not get_app().is_done)


class VSplit(containers.VSplit):
    """prompt_toolkit's, and draws the same."""

    def _divide_widths(self, width: int) -> list[int] | None:
        asked = [child.preferred_width(width) for child in self._all_children]
        return _divided(asked, width, fill=True)


def _divided(asked: Sequence[Dimension], room: int, *, fill: bool) -> list[int] | None:
    wishes = tuple((each.min, each.preferred, each.max, each.weight) for each in asked)
    sizes = dealt_out(wishes, room, fill)
    return None if sizes is None else list(sizes)


@lru_cache(maxsize=REMEMBERED)
def dealt_out(wishes: tuple[Wish, ...], room: int, fill: bool) -> tuple[int, ...] | None:
    """The size of each child, as prompt_toolkit gives them: what is preferred comes first, and is
    filled up to the most if `fill`. None if there is not even room for the least."""
    sizes = [least for least, _, _, _ in wishes]
    if sum(sizes) > room:
        return None
    if not wishes:
        return ()
    turns = take_using_weights(list(range(len(wishes))), [weight for _, _, _, weight in wishes])
    child = next(turns)
    for bounds in ([wish[1] for wish in wishes], [wish[2] for wish in wishes])[: 1 + fill]:
        left = min(room, sum(bounds)) - sum(sizes)
        while left > 0:
            if sizes[child] < bounds[child]:
                sizes[child] += 1
                left -= 1
            child = next(turns)
    return tuple(sizes)
