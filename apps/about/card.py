"""The second page: a card to compare with your own terminal, and what the host knows about it."""

from __future__ import annotations

import colorsys
from collections.abc import Iterator

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from tuihost import Session
from tuihost.widgets import width_of

from .facts import Address
from .page import facts, heading

SIXTEEN = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
BOXES = (
    "┌──┬──┐  ╔══╦══╗  ┏━━┳━━┓  ╭─────╮  ░▒▓█",
    "├──┼──┤  ╠══╬══╣  ┣━━╋━━┫  │     │  ▁▂▃▄▅▆▇█",
    "└──┴──┘  ╚══╩══╝  ┗━━┻━━┛  ╰─────╯  ▏▎▍▌▋▊▉█",
)
WIDTHS = (
    ("Letters", "abcdefgh"),
    ("Accents", "e\u0301" * 8),
    ("Lines", "─" * 8),
    ("Signs", "→★●§±×°¶"),
    ("Wide", "漢字漢字"),
    ("Emoji", "🙂🐙🌊🍀"),
)
CELLS = 8
DEPTHS = {1: "none", 4: "16", 8: "256", 24: "16 million"}


def thoughts(session: Session) -> tuple[tuple[str, str], ...]:
    """What the host knows about the terminal, all of it from the client."""
    facts = session.terminal
    characters = "Unicode" if facts.unicode else "ASCII only"
    if not facts.pty:
        return (("Terminal", "none in this session"), ("Characters", characters))
    return (
        ("Terminal", facts.term or "not named"),
        ("Window", f"{facts.size.columns} columns, {facts.size.rows} rows"),
        ("Colours", DEPTHS[facts.colors]),
        ("Characters", characters),
    )


def advice(session: Session, address: Address) -> list[str]:
    """How to tell the host more, if the terminal may be able to do more than the host knows."""
    facts = session.terminal
    found = []
    if not facts.pty:
        return [f"With a terminal there is more to tell: {address.ssh('about', options='-t')}"]
    if session.env.get("NO_COLOR"):
        found.append("There are no colours because your client sent NO_COLOR.")
    elif facts.colors < max(DEPTHS):
        more = address.ssh(options="-o SetEnv=COLORTERM=truecolor")
        found.append(f"If it shows more colours: {more}")
    if not facts.unicode:
        found.append(f"If it shows Unicode: {address.ssh(options='-o SetEnv=LANG=C.UTF-8')}")
    return found


def card(session: Session, address: Address, width: int) -> Group:
    """The whole card, for a number of columns."""
    return Group(
        heading("What the host knows about your terminal"),
        _indented(facts(thoughts(session))),
        *(_indented(Text(text, style="muted")) for text in advice(session, address)),
        *_colors(session, width - 2),
        *_roles(session, width - 2),
        *_characters(),
    )


def _indented(part: RenderableType) -> Padding:
    return Padding(part, (0, 0, 0, 2))


def _colors(session: Session, width: int) -> Iterator[RenderableType]:
    yield heading("Colours")
    if session.terminal.colors == 1:
        yield _indented(Text("None are sent to your terminal.", style="muted"))
        return
    cells = min(64, width)
    for bright in ("", "bright_"):
        row = Text()
        for name in SIXTEEN:
            row.append(" " * (cells // 8), style=f"on {bright}{name}")
        yield _indented(row)
    yield _indented(Text("Eight colours, and eight bright ones.", style="muted"))
    yield ""
    rainbow, grey = Text(), Text()
    for place in range(cells):
        share = place / (cells - 1)
        rainbow.append(" ", style=f"on {_hex(*colorsys.hls_to_rgb(share * 5 / 6, 0.5, 0.9))}")
        grey.append(" ", style=f"on {_hex(share, share, share)}")
    yield _indented(rainbow)
    yield _indented(grey)
    yield _indented(Text("Smooth with 16 million colours, in steps with fewer.", style="muted"))


def _hex(red: float, green: float, blue: float) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in (red, green, blue))


def _roles(session: Session, width: int) -> Iterator[RenderableType]:
    """The theme's roles, each as it looks."""
    yield heading(f"The theme {session.theme.title}")
    names = [Text(name, style=name) for name in session.theme.roles]
    yield _indented(Columns(names, width=19, padding=(0, 1), column_first=True))


def _characters() -> Iterator[RenderableType]:
    yield heading("Lines and blocks")
    yield _indented(Text("\n".join(BOXES), no_wrap=True, overflow="crop"))
    yield heading("Widths")
    rows = [(name, sample + " " * (CELLS - width_of(sample)) + "|") for name, sample in WIDTHS]
    yield _indented(facts(tuple(rows)))
    yield ""
    yield _indented(
        Text(
            "The bars at the right stand in one line. If not, your terminal takes some signs for "
            "wider or narrower than the host does: another font or its setting for ambiguous "
            "widths may help.",
            style="muted",
        )
    )
