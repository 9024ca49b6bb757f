"""The second page: what the host knows about the terminal, and a test card to compare it with."""

from __future__ import annotations

import colorsys
from collections.abc import Iterator

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from tuihost import Session
from tuihost.widgets import width_of

from .identity import Address
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
ROLE = 19
"""Columns for the name of a role."""
KNOWN = "What the host knows about your terminal"
DEPTHS = {1: "none", 4: "16", 8: "256", 24: "16 million"}


def terminal_facts(session: Session) -> tuple[tuple[str, str], ...]:
    """What the host knows about the terminal: all of it comes from the client."""
    facts = session.terminal
    characters = "Unicode" if facts.unicode else "ASCII only"
    if not facts.pty:
        return (("Terminal", "none in this session"), ("Characters", characters))
    return (
        ("Terminal", facts.term or "unknown"),
        ("Window", f"{facts.size.columns} columns, {facts.size.rows} rows"),
        ("Colours", DEPTHS[facts.colors]),
        ("Characters", characters),
    )


def advice(session: Session, address: Address) -> list[str]:
    """How to tell the host more, if the terminal may be able to do more than it knows."""
    facts = session.terminal
    found = []
    if not facts.pty:
        return [f"With a terminal there is more to see: {address.ssh('about', options='-t')}"]
    if session.env.get("NO_COLOR"):
        found.append("There are no colours because your client sent NO_COLOR.")
    elif facts.colors < max(DEPTHS):
        more = address.ssh(options="-o SetEnv=COLORTERM=truecolor")
        found.append(f"If your terminal can show more colours: {more}")
    if not facts.unicode:
        unicode = address.ssh(options="-o SetEnv=LANG=C.UTF-8")
        found.append(f"If your terminal can show Unicode: {unicode}")
    return found


def card(session: Session, address: Address, width: int) -> Group:
    """The whole card, `width` columns wide."""
    return Group(
        heading(KNOWN),
        _indented(facts(terminal_facts(session))),
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
        yield _indented(Text("Your terminal is sent no colours.", style="muted"))
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
        share = place / max(1, cells - 1)
        rainbow.append(" ", style=f"on {_hex(*colorsys.hls_to_rgb(share * 5 / 6, 0.5, 0.9))}")
        grey.append(" ", style=f"on {_hex(share, share, share)}")
    yield _indented(rainbow)
    yield _indented(grey)
    yield _indented(Text("Smooth with 16 million colours, in steps with fewer.", style="muted"))


def _hex(red: float, green: float, blue: float) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in (red, green, blue))


def _roles(session: Session, width: int) -> Iterator[RenderableType]:
    """Every role of the theme, drawn in its own style."""
    yield heading(f"The theme {session.theme.title}")
    names = [Text(name, style=name) for name in session.theme.roles]
    if width > ROLE:
        yield _indented(Columns(names, width=ROLE, padding=(0, 1), column_first=True))
    else:  # rich divides by the number of columns that there is room for
        yield _indented(Group(*names))


def _characters() -> Iterator[RenderableType]:
    yield heading("Lines and blocks")
    yield _indented(Text("\n".join(BOXES), no_wrap=True, overflow="crop"))
    yield heading("Widths")
    rows = [(name, sample + " " * (CELLS - width_of(sample)) + "|") for name, sample in WIDTHS]
    yield _indented(facts(tuple(rows)))
    yield ""
    yield _indented(
        Text(
            "The bars on the right should form one line. If they do not, your terminal shows some "
            "characters wider or narrower than the host expects. Another font may help, or the "
            "terminal's setting for ambiguous widths.",
            style="muted",
        )
    )
