"""The first page: the sections about the host, drawn by rich."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from .sections import Commands, Facts, Pairs, Paragraph, Pictures, Section, Verbatim

BESIDE = 76
"""The fewest columns at which what a command does is shown beside it."""
INDENT = 2


def page(sections: Iterable[Section], width: int) -> Group:
    """All sections, `width` columns wide."""
    return Group(*(part for section in sections for part in _section(section, width)))


def heading(title: str) -> Group:
    return Group("", Text(title, style="heading"))


def _section(section: Section, width: int) -> Iterator[RenderableType]:
    yield heading(section.title)
    for number, block in enumerate(section.blocks):
        if number:
            yield ""
        match block:
            case Paragraph(text=text):
                yield _indented(Text(text))
            case Facts(pairs=pairs):
                yield _indented(facts(pairs))
            case Commands(pairs=pairs):
                yield _indented(_commands(pairs, width - INDENT))
            case Verbatim(lines=lines):
                yield _indented(Text("\n".join(lines), style="code", overflow="fold"))
            case Pictures(pictures=pictures):
                drawn = [Text("\n".join(picture), style="muted") for picture in pictures]
                yield _indented(Columns(drawn, padding=(0, 4)))


def _indented(part: RenderableType) -> Padding:
    return Padding(part, (0, 0, 0, INDENT))


def facts(pairs: Pairs) -> Table:
    """Facts and their names, in two columns."""
    table = Table.grid(padding=(0, 3))
    table.add_column(style="muted", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in pairs:
        table.add_row(name, Text(text))
    return table


def _commands(pairs: Sequence[tuple[str, str]], width: int) -> RenderableType:
    """What to type and what it does: side by side if there is room, else one below the other."""
    short = max(len(typed) for typed, _ in pairs) <= 12
    if not short and width < BESIDE - INDENT:
        parts: list[RenderableType] = []
        for typed, does in pairs:
            parts.append(Text(typed, style="accent", overflow="fold"))
            parts.append(Padding(Text(does, style="muted"), (0, 0, 0, 2)))
        return Group(*parts)
    table = Table.grid(padding=(0, 3))
    table.add_column(style="accent", overflow="fold")
    table.add_column(style="muted")
    for typed, does in pairs:
        table.add_row(Text(typed), Text(does))
    return table
