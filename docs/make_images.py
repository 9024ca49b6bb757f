"""Makes the pictures in `docs/images` from real screens: a host, a person, a terminal in memory.

Run it from the top folder: `python docs/make_images.py`. A picture is an SVG that needs nothing
beside itself: whoever looks at it sees it in their own monospaced font.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

from tuihost.testing import Hosted, Pilot, Screen, hosted
from tuihost.theme.theme import Theme

IMAGES = Path(__file__).parent / "images"
NOW = 1_795_381_440.0  # a quiet Monday evening: the same picture every time

WIDTH, HEIGHT, SIZE, MARGIN = 8.4, 18.0, 14, 14.0  # of a cell, of the letters, around the screen
BASELINE = 13.5
FONT = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"


@dataclass(frozen=True, slots=True)
class Run:
    """Cells in one look that stand side by side. `width` is in columns."""

    column: int
    width: int
    text: str
    fg: str
    bg: str
    bold: bool


def runs(screen: Screen, row: int, theme: Theme) -> Iterator[Run]:
    """One row of the screen, in as few pieces as it has looks."""
    column = 0
    plain = theme.roles["text"]

    def look(cell: tuple[str, str, str, bool, bool]) -> tuple[str, str, bool]:
        _, fg, bg, bold, reverse = cell
        pair = (_color(fg, plain.fg), _color(bg, plain.bg))
        return (*(pair[::-1] if reverse else pair), bold)

    for (fg, bg, bold), cells in groupby(screen.styles(row), look):
        letters = [cell[0] for cell in cells]
        yield Run(column, len(letters), "".join(letters), fg, bg, bold)
        column += len(letters)


def _color(color: str, default: str) -> str:
    return default if color == "default" else f"#{color.removeprefix('#')}"


def svg(screen: Screen, theme: Theme, about: str) -> str:
    """The screen as a picture. `about` says in words what is on it."""
    rows, columns = len(screen.lines), len(screen.styles(0))
    width, height = columns * WIDTH + 2 * MARGIN, rows * HEIGHT + 2 * MARGIN
    ground = theme.roles["text"].bg
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}"'
        f' role="img" aria-label="{escape(about)}" font-family="{FONT}" font-size="{SIZE}">',
        f"<title>{escape(about)}</title>",
        f'<rect width="100%" height="100%" rx="8" fill="{ground}"/>',
    ]
    for row in range(rows):
        top = MARGIN + row * HEIGHT
        for run in runs(screen, row, theme):
            parts += _drawn(run, top, ground)
    return "\n".join([*parts, "</svg>", ""])


def _drawn(run: Run, top: float, ground: str) -> Iterator[str]:
    left, wide = MARGIN + run.column * WIDTH, run.width * WIDTH
    if run.bg != ground:
        box = f'x="{left:.1f}" y="{top:g}" width="{wide:.1f}" height="{HEIGHT:g}"'
        yield f'<rect {box} fill="{run.bg}"/>'
    text = run.text.rstrip()
    start = len(text) - len(text.lstrip())
    if not text:
        return
    left, shown = left + start * WIDTH, text[start:]
    bold = ' font-weight="bold"' if run.bold else ""
    # The length makes the letters stand in their cells in whatever font there is.
    place = f'x="{left:.1f}" y="{top + BASELINE:g}" textLength="{len(shown) * WIDTH:.1f}"'
    yield f'<text {place} fill="{run.fg}"{bold} xml:space="preserve">{escape(shown)}</text>'


# ------------------------------------------------------------------------------- the pictures


def visit(host: Hosted, app: str | None, user: str, size: tuple[int, int] = (80, 24)) -> Pilot:
    """Somebody with a good terminal."""
    env = {"LANG": "C.UTF-8", "COLORTERM": "truecolor", "TZ": "UTC"}
    return host.open(app, user=user, size=size, env=env)


def pictures() -> Iterator[tuple[str, str]]:
    """The name and the contents of every picture."""
    with hosted(bundled=True, settings={"server.name": "harbor"}) as host:
        host.host.now = lambda: NOW  # type: ignore[method-assign]
        theme = host.host.catalog.themes["harbor-night"]
        with visit(host, "status", "grace") as grace:
            grace.wait_for("Status")
            with visit(host, None, "ada", (104, 20)) as menu:
                menu.wait_for("^C leave").press("down").wait_for("localhost reader …")
                yield "menu.svg", svg(menu.screen, theme, "The menu of a host called harbor")
        with visit(host, "reader", "ada") as reader:
            reader.wait_for("Keys and screens").press("down", "enter").wait_for("Esc back")
            yield "reader.svg", svg(reader.screen, theme, "The reader: a page of the handbook")


def main() -> None:
    """Writes every picture."""
    IMAGES.mkdir(exist_ok=True)
    for name, contents in pictures():
        (IMAGES / name).write_text(contents, "utf-8")


if __name__ == "__main__":
    main()
