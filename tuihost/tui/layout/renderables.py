"""rich for what it does best: it lays things out, and never writes a byte.

What rich draws becomes lines of prompt_toolkit fragments for screens, and bytes only through the
small writer here, which knows one terminal's colours. (rich remembers in each of its styles the
codes of the first terminal that asked, whatever the next one can show.) All text is made harmless
on its way, wherever it came from; markup and emoji codes in plain strings stay text.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from rich.color import Color, ColorSystem, ColorType
from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.protocol import is_renderable
from rich.segment import Segment
from rich.style import Style
from rich.syntax import Syntax, SyntaxTheme
from rich.text import Text

from tuihost.terminal_facts import Colors
from tuihost.text import clean
from tuihost.theme.roles import ANSI, Role
from tuihost.theme.styles import rich_style
from tuihost.tui.layout.plain_rows import PlainRows
from tuihost.tui.terminal.ascii import to_ascii

if TYPE_CHECKING:
    from tuihost.theme.theme import Theme

Fragment = tuple[str, str]
"""A style string of prompt_toolkit and the text in it."""
Line = tuple[Fragment, ...]

_PIPE_WIDTH = 80
_UNBOUNDED = 10_000
_MAX_URL = 2000
LONG = 10_000
"""Characters from which on a plain text is not given to rich, which draws all of it at once."""
REMEMBERED = 10_000
"""Rows that are remembered, of all widths and themes but the last."""


class _Nowhere:
    """The file of a Console that renders only. rich asks it for its encoding."""

    def __init__(self, encoding: str) -> None:
        self.encoding = encoding

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False


_UNICODE, _ASCII = _Nowhere("utf-8"), _Nowhere("ascii")


# ------------------------------------------------------------------------------- for screens


def render_lines(
    renderable: Any,
    width: int,
    theme: Theme,
    *,
    unicode: bool = True,
    safe: bool = True,
    colors: Colors = Colors.TRUE,
) -> tuple[Line, ...]:
    """What rich draws of `renderable` in `width` columns, as lines of fragments.

    Links become `[link:URL]` in the style. Without `unicode` everything is ASCII. `safe=False`
    leaves out the cleaning, for text that went through `clean` before. Costs milliseconds: call
    it when something has changed, not for every frame.
    """
    width = max(1, width)
    console = _Drawing(width, theme, colors, unicode=unicode, inline=False, links=True)
    if not is_renderable(renderable):
        renderable = str(renderable)
    lines = _segments(console, renderable, width, unicode, safe)
    return tuple(_fragments(line) for line in lines)


class RichLines:
    """One renderable, drawn once for each version, width, theme and depth that is asked for.

    `source` is the renderable, or makes it for a width. Remembers the last few answers, as long as
    they are not large. Of a long text only the rows that are looked at are drawn. Thread: one, its
    app's.
    """

    def __init__(self, source: Any, *, remember: int = 4) -> None:
        self._source = source
        self._remember = max(1, remember)
        self._drawn: dict[Hashable, Sequence[Line]] = {}

    def lines(
        self,
        version: Hashable,
        width: int,
        theme: Theme,
        *,
        unicode: bool = True,
        colors: Colors = Colors.TRUE,
    ) -> Sequence[Line]:
        """The lines; drawn anew when `version` or anything else differs from what was asked."""
        key = (version, width, theme, unicode, colors)
        lines = self._drawn.pop(key, None)
        if lines is None:
            source = self._source
            if callable(source) and not is_renderable(source):
                source = source(width)
            if isinstance(source, str) and len(source) > LONG:
                lines = PlainRows(source, width, unicode=unicode)
            else:
                lines = render_lines(source, width, theme, unicode=unicode, colors=colors)
        self._drawn[key] = lines  # at the end: the oldest stands first
        while len(self._drawn) > self._remember or self._large():
            del self._drawn[next(iter(self._drawn))]
        return lines

    def _large(self) -> bool:
        """Whether there is more than one answer, and all of them have too many rows."""
        return len(self._drawn) > 1 and sum(map(len, self._drawn.values())) > REMEMBERED


def _fragments(line: Iterable[Segment]) -> Line:
    merged: list[Fragment] = []
    for text, style, _ in line:
        look = _ptk_style(style) if style else ""
        if merged and merged[-1][0] == look:
            merged[-1] = (look, merged[-1][1] + text)
        elif text:
            merged.append((look, text))
    return tuple(merged)


@lru_cache(maxsize=4096)
def _ptk_style(style: Style) -> str:
    """A style string of prompt_toolkit. Blinking is left out: nothing here moves by itself."""
    words = []
    for prefix, color in (("fg", style.color), ("bg", style.bgcolor)):
        if color is not None and color.type is not ColorType.DEFAULT:
            words.append(f"{prefix}:{_ptk_color(color)}")
    words += [word for word, mark in _marks(style) if mark]
    if style.link:
        words.append(f"[link:{_url(style.link)}]")
    return " ".join(words)


def _marks(style: Style) -> Iterator[tuple[str, bool | None]]:
    yield "bold", style.bold
    yield "dim", style.dim
    yield "italic", style.italic
    yield "underline", style.underline or style.underline2
    yield "reverse", style.reverse
    yield "hidden", style.conceal
    yield "strike", style.strike


_ANSI_BY_NUMBER = {Color.parse(theirs).number: ours for theirs, ours in ANSI.items()}


def _ptk_color(color: Color) -> str:
    named = _ANSI_BY_NUMBER.get(color.number) if color.number is not None else None
    return named if named is not None else color.get_truecolor().hex


def _url(link: str) -> str:
    # A style string is split at blanks and commas, and this word ends at its bracket.
    return quote(clean(link, limit=_MAX_URL), safe="/:?#@!$&'()*+;=%~-._")


def link_of(style: str) -> str | None:
    """The address in a fragment's style, where there is one."""
    start = style.find("[link:")
    return style[start + 6 : style.index("]", start)] if start >= 0 else None


# ------------------------------------------------------------------------------ for commands


def render_ansi(
    items: Sequence[Any],
    *,
    width: int | None,
    colors: Colors,
    unicode: bool,
    theme: Theme,
    inline: bool = True,
) -> bytes:
    """What a command prints: text as it is, anything else as rich draws it.

    Texts that stand side by side share a line, as with `print`; every line ends in "\\n". Text is
    never wrapped; with no `width` nothing else is cut either. Without colours there is no escape
    code at all. The ground and plain ink stay the terminal's own, unless `inline` is False.
    """
    out: list[str] = []
    words: list[str] = []
    for item in items:
        if is_renderable(item) and not isinstance(item, str):
            out += [" ".join(words) + "\n"] if words else []
            words = []
            out += _drawn(item, width, colors, unicode, theme, inline)
        else:
            text = clean(str(item), lines=True)
            words.append(text if unicode else to_ascii(text))
    if words or not items:
        out.append(" ".join(words) + "\n")
    return "".join(out).encode("utf-8" if unicode else "ascii", "replace")


def _drawn(
    item: RenderableType,
    width: int | None,
    colors: Colors,
    unicode: bool,
    theme: Theme,
    inline: bool,
) -> Iterator[str]:
    if width is None:
        widest = _Drawing(_UNBOUNDED, theme, colors, unicode=unicode, inline=inline, links=False)
        width = _natural_width(widest, item)
    width = max(1, width)
    console = _Drawing(width, theme, colors, unicode=unicode, inline=inline, links=False)
    for line in _segments(console, item, width, unicode, safe=True):
        yield _ansi_line(line, colors) + "\n"


def _natural_width(console: Console, item: RenderableType) -> int:
    """How wide `item` wants to be; what would take any width gets that of a page."""
    widest = Measurement.get(console, console.options, item).maximum
    return widest if widest < _UNBOUNDED else _PIPE_WIDTH


_SYSTEMS = {
    Colors.ANSI16: ColorSystem.STANDARD,
    Colors.ANSI256: ColorSystem.EIGHT_BIT,
    Colors.TRUE: ColorSystem.TRUECOLOR,
}
_CODES = {
    "bold": "1",
    "dim": "2",
    "italic": "3",
    "underline": "4",
    "reverse": "7",
    "hidden": "8",
    "strike": "9",
}


def _ansi_line(line: Iterable[Segment], colors: Colors) -> str:
    """One line with its codes; blanks that nobody would see are left off its end."""
    runs: list[tuple[str, str]] = []
    for text, style, _ in line:
        codes = _sgr_codes(style, colors) if style and colors is not Colors.MONO else ""
        if runs and runs[-1][0] == codes:
            runs[-1] = (codes, runs[-1][1] + text)
        else:
            runs.append((codes, text))
    if runs and not runs[-1][0]:
        runs[-1] = ("", runs[-1][1].rstrip(" "))
    return "".join(f"\x1b[{codes}m{text}\x1b[0m" if codes else text for codes, text in runs)


@lru_cache(maxsize=4096)
def _sgr_codes(style: Style, colors: Colors) -> str:
    codes = [_CODES[word] for word, mark in _marks(style) if mark]
    system = _SYSTEMS[colors]
    for color, front in ((style.color, True), (style.bgcolor, False)):
        if color is not None and color.type is not ColorType.DEFAULT:
            codes += color.downgrade(system).get_ansi_codes(foreground=front)
    return ";".join(codes)


# --------------------------------------------------------------------------------- for both


class _Drawing(Console):
    """A Console for one terminal's looks: plain text in it is cleaned before it is laid out, and
    source code takes the theme's colours where its author chose none."""

    def __init__(
        self, width: int, theme: Theme, colors: Colors, *, unicode: bool, inline: bool, links: bool
    ) -> None:
        super().__init__(
            file=_UNICODE if unicode else _ASCII,  # type: ignore[arg-type]  # what rich uses of a file
            width=width,
            height=25,
            color_system="truecolor",
            force_terminal=True,
            force_interactive=False,
            force_jupyter=False,
            legacy_windows=False,
            markup=False,
            emoji=False,
            highlight=False,
            theme=theme.rich_for(colors, inline=inline),
            _environ={},  # the server's own COLUMNS and NO_COLOR say nothing about this terminal
        )
        self._code = ThemeSyntax(theme, colors)
        self._links = links

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Also called by whatever holds other renderables, for each of them."""
        return super().render(self._ours(renderable), options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Strings are cleaned before they are measured and laid out."""
        return super().render_str(clean(text, lines=True), **options)

    def _ours(self, renderable: RenderableType) -> RenderableType:
        markdown = sys.modules.get("rich.markdown")  # without it, nothing can be a Markdown
        if markdown is not None and isinstance(renderable, markdown.Markdown):
            changed = copy.copy(renderable)
            if changed.code_theme == _UNCHOSEN:
                changed.code_theme = self._code  # handed on to Syntax, which takes both
            # Where links cannot be followed, their addresses are written out.
            changed.hyperlinks = changed.hyperlinks and self._links
            return cast(RenderableType, changed)
        if isinstance(renderable, Syntax):
            style = getattr(renderable._theme, "_pygments_style_class", None)
            if getattr(style, "name", "") == _UNCHOSEN:
                coloured = copy.copy(renderable)
                coloured._theme = self._code
                return coloured
        return renderable


_UNCHOSEN = "monokai"
"""The colours that rich takes where an author names none."""


class ThemeSyntax(SyntaxTheme):
    """A theme's colours for source code, for rich's `Syntax` and `Markdown`."""

    def __init__(self, theme: Theme, colors: Colors = Colors.TRUE) -> None:
        self._roles = theme.roles_for(colors)
        self._tokens = theme.token_styles_for(colors)

    def get_style_for_token(self, token_type: tuple[str, ...]) -> Style:
        token: Any = token_type
        while token is not None:
            if token in self._tokens:
                return self._styled(self._tokens[token])
            token = token.parent
        return self.get_background_style()

    def get_background_style(self) -> Style:
        return rich_style(self._roles["code"])

    def _styled(self, role: Role) -> Style:
        return self.get_background_style() + rich_style(role)


def _segments(
    console: Console, renderable: RenderableType, width: int, unicode: bool, safe: bool
) -> Iterator[list[Segment]]:
    """The lines of a renderable, no wider than `width`, harmless, without control segments."""
    for line in console.render_lines(renderable, pad=False):
        whole = [segment for segment in line if not segment.control]
        fresh = [
            Segment(_shown(text, unicode, safe), style, None) for text, style, control in whole
        ]
        if any(new.text != old.text for new, old in zip(fresh, whole, strict=True)):
            # A control character had no width and has one now.
            fresh = Segment.adjust_line_length(fresh, width, pad=False)
        yield fresh


def _shown(text: str, unicode: bool, safe: bool) -> str:
    text = clean(text) if safe else text
    return text if unicode else to_ascii(text)
