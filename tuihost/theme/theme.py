"""Themes: one TOML file that gives prompt_toolkit, rich and Pygments the same looks.

    title = "Harbor Night"
    dark = true
    pair = "harbor-day"    # the theme that light terminals get instead

    [palette]              # the colours of `roles.PALETTE`, and any others by name
    ground = "#0f1620"
    ink = "#d5dee8"
    …
    [roles]                # roles that look different, in rich's grammar
    selection = "bold ink on select"
    [syntax]               # the same for source code
    keyword = "bold accent"
    [glyphs]               # one sign, or a pair: Unicode and ASCII
    prompt = ["❯", ">"]
    [ansi16]               # roles on a terminal of sixteen colours, with rich's colour names
    accent = "bold bright_blue"

A theme is frozen and may be used by every thread; what it builds is built once.
"""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from tuihost.errors import MisuseError
from tuihost.phrases import size_of
from tuihost.terminal_facts import Colors
from tuihost.text import clean
from tuihost.theme import styles as theme_styles
from tuihost.theme._file import ThemeError as ThemeError
from tuihost.theme._file import read_parts
from tuihost.theme.roles import (
    MONO,
    PALETTE,
    ROLES,
    SYNTAX,
    Role,
    ansi_palette,
    hint,
    on_parents,
    parse_role,
)

if TYPE_CHECKING:
    from prompt_toolkit.styles import BaseStyle
    from pygments.style import Style as PygmentsStyle
    from rich.theme import Theme as RichTheme

Built = TypeVar("Built")

MAX_BYTES = 64_000
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True, eq=False)
class Theme:
    """The looks of everything on a screen. Two themes are equal when they are the same object,
    so that a theme can be the key of a cache."""

    name: str
    title: str
    dark: bool
    description: str
    credit: str
    pair: str
    """The name of the same theme for terminals of the other brightness, if there is one."""
    roles: Mapping[str, Role]
    syntax: Mapping[str, Role]
    ansi16: Mapping[str, Role]
    """The roles for a terminal of sixteen colours, whole."""
    glyphs: Mapping[str, tuple[str, str]]
    _number: int = field(default_factory=lambda: next(_numbers), repr=False)
    _built: dict[Hashable, Any] = field(default_factory=dict, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def style(self) -> BaseStyle:
        """prompt_toolkit's style for a screen of many colours."""
        return self.style_for(Colors.TRUE)

    def style_for(self, colors: Colors, *, inline: bool = False) -> BaseStyle:
        """prompt_toolkit's style for terminals with these colours. `inline` is for lines between
        other output, such as a prompt: the ground stays the terminal's own."""
        return self._once(
            ("ptk", _depth(colors), inline),
            lambda: theme_styles.ptk_style(
                self.roles_for(colors, inline=inline), self.syntax_for(colors)
            ),
        )

    @property
    def rich(self) -> RichTheme:
        """rich's theme: every role is a style name, and rich's own names follow the roles."""
        return self.rich_for(Colors.TRUE)

    def rich_for(self, colors: Colors, *, inline: bool = False) -> RichTheme:
        """The same for terminals with these colours."""
        return self._once(
            ("rich", _depth(colors), inline),
            lambda: theme_styles.rich_theme(self.roles_for(colors, inline=inline)),
        )

    @property
    def pygments(self) -> type[PygmentsStyle]:
        """A style class for Pygments."""
        return self._once(
            "pygments", lambda: theme_styles.pygments_style(self.title, self.roles, self.syntax)
        )

    def token_styles_for(self, colors: Colors) -> Mapping[Any, Role]:
        """The looks of Pygments' token types; a missing type looks as its parent."""
        return self._once(
            ("tokens", _depth(colors)), lambda: theme_styles.token_styles(self.syntax_for(colors))
        )

    def glyph(self, name: str, unicode: bool = True) -> str:
        """The sign for `name`, one of `roles.GLYPHS`, or its ASCII form."""
        pair = self.glyphs.get(name)
        if pair is None:
            raise MisuseError(f"there is no glyph {name!r}{hint(name, self.glyphs)}")
        return pair[0] if unicode else pair[1]

    @property
    def invalidation(self) -> Hashable:
        """Different for any two themes of a process, even of one name: a part of cache keys."""
        return self.name, self._number

    @property
    def colorless(self) -> bool:
        """True if nothing but the terminal's own colours is used, at any depth."""
        return not any(role.fg or role.bg for role in self.roles.values())

    def roles_for(self, colors: Colors, *, inline: bool = False) -> Mapping[str, Role]:
        """The roles for terminals with these colours."""
        roles = self.roles
        if not self.colorless and colors is Colors.ANSI16:
            roles = self.ansi16
        elif not self.colorless and colors is Colors.MONO:
            roles = mono_roles()
        return theme_styles.inline(roles) if inline else roles

    def syntax_for(self, colors: Colors) -> Mapping[str, Role]:
        """The looks of source code on terminals with these colours."""
        if self.colorless or colors > Colors.ANSI16:
            return self.syntax
        palette = dict.fromkeys(PALETTE, "")
        if colors is Colors.ANSI16:
            palette = ansi_palette(self.dark, self.ansi16["accent"].fg)
        return {name: parse_role(text, palette) for name, text in SYNTAX.items()}

    def _once(self, key: Hashable, make: Callable[[], Built]) -> Built:
        with self._lock:
            if key not in self._built:
                self._built[key] = make()
            return cast(Built, self._built[key])


def _depth(colors: Colors) -> Colors:
    return Colors.TRUE if colors > Colors.ANSI16 else colors


def mono_roles() -> Mapping[str, Role]:
    """The roles without any colour: every state is told by bold, underline, dim and reverse."""
    return {name: parse_role(MONO.get(name, ""), {}) for name in ROLES}


# ------------------------------------------------------------------------------------ loading


def valid_name(name: str) -> bool:
    """Whether a theme can be called that: lower-case letters, digits and `-`, a letter first."""
    return _NAME.fullmatch(name) is not None


def load_theme(path: Path | str) -> Theme:
    """The theme in a file; its name is the file's without `.toml`.

    Raises `ThemeError` with everything that is wrong with it.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ThemeError([f"{path}: cannot be read: {error.strerror}"]) from None
    if len(data) > MAX_BYTES:
        raise ThemeError([f"{path}: is longer than {size_of(MAX_BYTES)}, too long for a theme"])
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ThemeError([f"{path}:{line}: is not UTF-8 text"]) from None
    return parse_theme(text, path.stem, str(path))


def parse_theme(text: str, name: str, source: str = "<theme>") -> Theme:
    """The theme written in `text`; `source` comes before its mistakes."""
    if not valid_name(name):
        raise ThemeError(
            [f"{source}: {clean(name)!r} cannot be a theme's name: lower-case letters, digits, '-'"]
        )
    parts = read_parts(text, source)
    return Theme(
        name=name,
        title=parts.title,
        dark=parts.dark,
        description=parts.description,
        credit=parts.credit,
        pair=parts.pair,
        roles=MappingProxyType(on_parents(parts.roles)),
        syntax=MappingProxyType(parts.syntax),
        ansi16=MappingProxyType(on_parents(parts.ansi16)),
        glyphs=MappingProxyType(parts.glyphs),
    )


def find_themes(folders: Iterable[Path]) -> tuple[dict[str, Theme], tuple[str, ...]]:
    """All themes in `folders` by name, and a sentence for each that is broken. Of two with one
    name the first stays, and the sentence names both. A theme whose pair is not there, or is as
    dark as itself, is one of all the same. A folder that is not there is empty."""
    themes: dict[str, Theme] = {}
    places: dict[str, Path] = {}
    broken: list[str] = []
    for folder in folders:
        for path in sorted(folder.glob("*.toml")):
            if path.stem in places:
                broken.append(f"{path}: {places[path.stem]} is already a theme of that name")
                continue
            places[path.stem] = path
            try:
                themes[path.stem] = load_theme(path)
            except ThemeError as error:
                broken += error.problems
    for name, theme in themes.items():
        possible = [other.name for other in themes.values() if other.dark != theme.dark]
        if theme.pair and theme.pair not in possible:
            kind = "light" if theme.dark else "dark"
            meant = hint(theme.pair, possible)
            broken.append(f"{places[name]}: pair: {theme.pair!r} is not a {kind} theme{meant}")
    return dict(sorted(themes.items())), tuple(broken)
