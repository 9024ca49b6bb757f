"""The file of a theme: what may be in it, and where its mistakes are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tuihost.errors import AppLoadError
from tuihost.settings.toml import KeyLines, TomlError, parsed
from tuihost.text import clean
from tuihost.theme.roles import (
    ANSI,
    GLYPHS,
    PALETTE,
    ROLES,
    SYNTAX,
    Role,
    RoleError,
    ansi_like,
    ansi_palette,
    hint,
    parse_color,
    parse_role,
)


class ThemeError(AppLoadError):
    """A theme could not be loaded. Holds every mistake that was found, each with file and line."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, slots=True)
class Parts:
    """What a theme's file says, with everything that it left out filled in."""

    title: str
    dark: bool
    description: str
    credit: str
    pair: str
    roles: dict[str, Role]
    syntax: dict[str, Role]
    ansi16: dict[str, Role]
    glyphs: dict[str, tuple[str, str]]


def read_parts(text: str, source: str) -> Parts:
    """The parts of a theme written in `text`. Raises `ThemeError` with every mistake in it;
    `source` comes before each."""
    try:
        table = parsed(text)
    except TomlError as error:
        reason = f"{error.reason[:1].lower()}{error.reason[1:]}"
        raise ThemeError([f"{source}:{error.place}: is not TOML: {reason}"]) from None
    return _Reader(text, table, source).parts()


_TABLES = ("palette", "roles", "syntax", "glyphs", "ansi16")
_TEXTS = {"title": str, "dark": bool, "description": str, "credit": str, "pair": str}


class _Reader:
    """Reads one file and gathers its mistakes."""

    def __init__(self, text: str, table: dict[str, Any], source: str) -> None:
        self._text = text
        self._table = table
        self._source = source
        self._problems: list[tuple[int, str]] = []
        self._lines: KeyLines | None = None

    def parts(self) -> Parts:
        about = self._about()
        tables = {part: self._part(part) for part in _TABLES}
        palette = self._palette(tables["palette"])
        roles = self._roles("roles", tables["roles"], ROLES, palette)
        syntax = self._roles("syntax", tables["syntax"], SYNTAX, palette)
        ansi = self._ansi16(tables["ansi16"], bool(about.get("dark")), palette.get("accent", ""))
        glyphs = self._glyphs(tables["glyphs"])
        if self._problems:
            ordered = sorted(set(self._problems))
            raise ThemeError(
                f"{self._source}:{line}: {what}" if line else f"{self._source}: {what}"
                for line, what in ordered
            )
        return Parts(
            title=clean(about["title"]),
            dark=about["dark"],
            description=clean(about.get("description", "")),
            credit=clean(about.get("credit", "")),
            pair=clean(about.get("pair", "")),
            roles=roles,
            syntax=syntax,
            ansi16=ansi,
            glyphs=glyphs,
        )

    def _wrong(self, what: str, *path: str) -> None:
        """Notes a mistake at `path`, the names of a table and a key."""
        if self._lines is None:
            self._lines = KeyLines(self._text)
        self._problems.append((self._lines.of(path) or 0, what))

    def _about(self) -> dict[str, Any]:
        about: dict[str, Any] = {}
        for key, value in self._table.items():
            if key in _TABLES:
                continue
            kind = _TEXTS.get(key)
            if kind is None:
                self._wrong(f"{key!r} is not known{hint(key, (*_TEXTS, *_TABLES))}", key)
            elif type(value) is not kind:
                wanted = "true or false" if kind is bool else "text"
                self._wrong(f"{key} must be {wanted}, not {value!r}", key)
            else:
                about[key] = value
        for key in ("title", "dark"):
            if key not in self._table:
                self._wrong(f"{key} is missing")
        return about

    def _part(self, name: str) -> dict[str, Any]:
        part = self._table.get(name, {})
        if not isinstance(part, dict):
            self._wrong(f"{name} must be a table: [{name}]", name)
            return {}
        return part

    def _palette(self, part: dict[str, Any]) -> dict[str, str]:
        colors: dict[str, str] = {}
        for key, value in part.items():
            try:
                colors[key] = parse_color(value if isinstance(value, str) else repr(value))
            except RoleError as error:
                colors[key] = ""
                self._wrong(f"[palette] {key}: {error}", "palette", key)
        return colors

    def _roles(
        self, table: str, part: dict[str, Any], defaults: dict[str, str], palette: dict[str, str]
    ) -> dict[str, Role]:
        found: dict[str, Role] = {}
        self._unknown(table, part, defaults)
        for name, default in defaults.items():
            text = part.get(name, default)
            try:
                if not isinstance(text, str):
                    raise RoleError(f"must be text such as {default!r}")
                found[name] = parse_role(text, palette)
            except RoleError as error:
                if name in part:
                    self._wrong(f"[{table}] {name}: {error}", table, name)
                for word in () if name in part else default.split():
                    if word in PALETTE and word not in palette:
                        needed = f"[palette] has no {word!r}: {PALETTE[word]}"
                        self._wrong(needed, "palette")
                found[name] = Role()
        return found

    def _ansi16(self, part: dict[str, Any], dark: bool, accent: str) -> dict[str, Role]:
        self._unknown("ansi16", part, ROLES)
        leading = ansi_like(accent, dark)
        own = part.get("accent")
        if isinstance(own, str):
            leading = next((ANSI[word] for word in own.split() if word in ANSI), leading)
        palette = ansi_palette(dark, leading)
        known = {name: part[name] for name in ROLES if name in part}
        return self._roles("ansi16", known, ROLES, palette)

    def _unknown(self, table: str, part: dict[str, Any], known: Iterable[str]) -> None:
        for name in part:
            if name not in known:
                what = f"[{table}] does not know {name!r}{hint(name, known)}"
                self._wrong(what, table, name)

    def _glyphs(self, part: dict[str, Any]) -> dict[str, tuple[str, str]]:
        glyphs = dict(GLYPHS)
        self._unknown("glyphs", part, GLYPHS)
        for name in GLYPHS.keys() & part.keys():
            value = part[name]
            pair = [value, GLYPHS[name][1]] if isinstance(value, str) else value
            try:
                glyphs[name] = _glyph_pair(name, pair)
            except RoleError as error:
                self._wrong(f"[glyphs] {name}: {error}", "glyphs", name)
        return glyphs


def _glyph_pair(name: str, pair: Any) -> tuple[str, str]:
    if not (
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(s, str) and s for s in pair)
    ):
        raise RoleError("must be a sign, or a pair of Unicode and ASCII signs")
    fancy, plain = pair
    if clean(fancy) != fancy or not plain.isascii() or not plain.isprintable():
        raise RoleError("holds characters that cannot be shown")
    if name == "spark" and (len(fancy) != 8 or len(plain) != 8):
        raise RoleError("needs eight levels")
    from wcwidth import wcswidth

    if wcswidth(fancy) > max(len(fancy), wcswidth(GLYPHS[name][0])):
        raise RoleError("is wider than its place")
    return fancy, plain
