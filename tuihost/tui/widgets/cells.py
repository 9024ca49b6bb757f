"""Text measured in the cells of a terminal, and the fragments that prompt_toolkit draws."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prompt_toolkit.mouse_events import MouseEvent

from tuihost.session.session import Session
from tuihost.text import clean
from tuihost.tui.characters import width_of

Fragment = tuple[str, str] | tuple[str, str, Callable[[MouseEvent], object]]
"""A style string and text, with a mouse handler where it can be clicked."""
Fragments = list[Fragment]


def glyph(session: Session, name: str) -> str:
    """The theme's character for `name`, in ASCII where the terminal shows nothing else."""
    return session.theme.glyph(name, session.terminal.unicode)


def fit(text: str, width: int, ellipsis: str = "…") -> str:
    """`text` made harmless and cut to at most `width` cells, with `ellipsis` where it was cut."""
    text = clean(text)
    if width_of(text) <= width:
        return text
    room = width - width_of(ellipsis)
    if room < 0:
        return ""
    kept: list[str] = []
    for char in text:
        room -= width_of(char)
        if room < 0:
            break
        kept.append(char)
    return "".join(kept) + ellipsis


def pad(text: str, width: int, ellipsis: str = "…", align: str = "left") -> str:
    """`text` in exactly `width` cells; `align` is left, right or center."""
    text = fit(text, width, ellipsis)
    space = width - width_of(text)
    if align == "right":
        return " " * space + text
    if align == "center":
        return " " * (space // 2) + text + " " * (space - space // 2)
    return text + " " * space


def length(fragments: Iterable[Fragment]) -> int:
    """How many cells fragments take."""
    return sum(width_of(fragment[1]) for fragment in fragments)


def cut(fragments: Iterable[Fragment], width: int) -> Fragments:
    """The first `width` cells of fragments."""
    kept: Fragments = []
    for fragment in fragments:
        if width <= 0:
            break
        text = fragment[1]
        taken = width_of(text)
        if taken > width:
            text = fit(text, width, "")
            taken = width_of(text)
        width -= taken
        kept.append((fragment[0], text, *fragment[2:]))
    return kept


def spread(left: Fragments, right: Fragments, width: int, style: str = "") -> Fragments:
    """One line of `width` cells: `left` at its start and `right` at its end. Where both do not
    fit, `left` is cut."""
    room = width - length(right)
    if room <= 0:
        return cut(right, width)
    left = cut(left, room)
    return [*left, (style, " " * (room - length(left))), *right]


def marked(text: str, positions: Iterable[int], style: str, match_style: str) -> Fragments:
    """`text` with the characters at `positions` in another style, in as few fragments as can be."""
    hits = set(positions)
    if not hits:
        return [(style, text)]
    fragments: Fragments = []
    start = 0
    for index in range(1, len(text) + 1):
        if index == len(text) or (index in hits) != (start in hits):
            fragments.append((match_style if start in hits else style, text[start:index]))
            start = index
    return fragments


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` cells, broken between words where it can be. Line breaks of the
    text stay."""
    return [line for part in clean(text, lines=True).split("\n") for line in _wrap(part, width)]


def _wrap(text: str, width: int) -> Iterator[str]:
    line = ""
    for word in text.expandtabs(4).split(" "):
        longer = f"{line} {word}" if line else word
        if width_of(longer) <= width:
            line = longer
            continue
        if line:
            yield line
        while width_of(word) > width and width > 1:
            head = fit(word, width, "")
            yield head
            word = word[len(head) :]
        line = word
    yield line


def restyled(fragments: Fragments, spans: Iterable[tuple[int, int, str]]) -> Fragments:
    """Fragments with styles added to spans of characters (start, end, style). Spans come in
    order; where two overlap the later one is added to the earlier."""
    for start, end, style in spans:
        changed: Fragments = []
        at = 0
        for fragment in fragments:
            own, text, *rest = fragment
            first = min(max(start - at, 0), len(text))
            last = min(max(end - at, 0), len(text))
            for part, look in (
                (text[:first], own),
                (text[first:last], f"{own} {style}"),
                (text[last:], own),
            ):
                if part:
                    changed.append((look, part, *rest))  # type: ignore[arg-type]  # as it was
            at += len(text)
        fragments = changed
    return fragments
