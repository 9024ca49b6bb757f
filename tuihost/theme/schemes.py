"""Colour schemes of other programs, made into themes: base16 (YAML) and Windows Terminal (JSON).

Most schemes were made for source code on one background, and are too faint for a screen of words.
So each colour is moved toward black or white as far as WCAG AA asks, and the new file says which.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuihost.errors import AppLoadError
from tuihost.settings.toml import written
from tuihost.text import clean
from tuihost.theme.contrast import ensure_contrast, hex_of, luminance, rgb_of, too_faint
from tuihost.theme.roles import PALETTE, hint
from tuihost.theme.theme import ThemeError, parse_theme

MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Scheme:
    """A scheme as it was read: its name, its author, and a first draft of a theme's palette."""

    name: str
    author: str
    kind: str
    palette: dict[str, str]


@dataclass(frozen=True, slots=True)
class Converted:
    """A theme ready to be written. `moved` has the names of the colours that were too faint."""

    name: str
    toml: str
    moved: tuple[str, ...]


def read_scheme(path: Path, choice: str | None = None) -> Scheme:
    """The scheme in a file; `choice` names one of several.

    Raises `ThemeError` with what is wrong with the file.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ThemeError([f"{path}: is too long for a colour scheme"])
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise ThemeError([f"{path}: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise ThemeError([f"{path}: is not UTF-8 text"]) from None
    try:
        if text.lstrip().startswith(("{", "/", "[")):
            return _windows_terminal(text, choice)
        return _base16(text)
    except _SchemeError as error:
        raise ThemeError([f"{path}{error}"]) from None


class _SchemeError(AppLoadError):
    """A mistake, and its line before it: `:3: …` or `: …`."""


# -------------------------------------------------------------------------------------- base16

_BASE16_KEYS = tuple(f"base0{digit}" for digit in "0123456789ABCDEF")
_BASE16 = {
    "ground": "base00",
    "raised": "base01",
    "sunken": "base00",
    "select": "base02",
    "line": "base03",
    "faint": "base03",
    "soft": "base04",
    "ink": "base05",
    "accent": "base0D",
    "on-accent": "base00",
    "success": "base0B",
    "warning": "base0A",
    "error": "base08",
    "info": "base0C",
}
_YAML_LINE = re.compile(
    r"""\s*([A-Za-z][\w-]*)\s*:\s*(?:"((?:\\.|[^"\\])*)"|'([^']*)'|([^#]*|\#\w+))(?:\s*\#.*)?\s*"""
)
_MAX_LINE = 500


def _base16(text: str) -> Scheme:
    """Both forms in use: flat, and tinted-theming's with `palette:`. Of YAML only `key: value` is
    understood, and a scheme has nothing else."""
    values: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if found := _YAML_LINE.fullmatch(line[:_MAX_LINE]):
            quoted = re.sub(r"\\(.)", r"\1", found[2] or "")
            value = quoted or found[3] or (found[4] or "").strip()
            values[found[1].lower()] = number, value
    missing = [key for key in _BASE16_KEYS if key.lower() not in values]
    if len(missing) == len(_BASE16_KEYS):
        raise _SchemeError(": is neither a base16 scheme nor one of Windows Terminal's")
    if missing:
        raise _SchemeError(f": {', '.join(missing)} missing from the base16 scheme")
    colors = {}
    for key in _BASE16_KEYS:
        number, value = values[key.lower()]
        colors[key] = _color(value, f":{number}: {key}")
    name = values.get("name", values.get("scheme", (0, "")))[1]
    author = values.get("author", (0, ""))[1]
    palette = {ours: colors[theirs] for ours, theirs in _BASE16.items()}
    return Scheme(name or "imported", author, "base16", palette)


def _color(value: Any, where: str) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"#?[0-9a-fA-F]{6}", value):
        raise _SchemeError(f'{where}: {value!r} is not a colour such as "1b1f2a"')
    return "#" + value.removeprefix("#").lower()


# ---------------------------------------------------------------------------- Windows Terminal

_JSON_EXTRAS = re.compile(
    r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/|,(?=(?:\s|//[^\n]*|/\*.*?\*/)*[}\]])', re.DOTALL
)
_WINDOWS_KEYS = (
    "background",
    "foreground",
    "brightBlack",
    "red",
    "green",
    "yellow",
    "blue",
    "cyan",
)


def _windows_terminal(text: str, choice: str | None) -> Scheme:
    """A scheme on its own, or the whole `settings.json`, which may hold comments."""
    plain = _JSON_EXTRAS.sub(lambda found: found[1] or "", text)
    try:
        table = json.loads(plain)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        raise _SchemeError(f":{line}: is not JSON") from None
    table = _chosen(table, choice)
    missing = [key for key in _WINDOWS_KEYS if key not in table]
    if missing:
        raise _SchemeError(f": the scheme of Windows Terminal has no {', '.join(missing)}")
    get = {key: _color(table[key], f": {key}") for key in _WINDOWS_KEYS}
    dark = luminance(get["background"]) < luminance(get["foreground"])
    for name in ("red", "green", "yellow", "blue", "cyan") if dark else ():
        bright = f"bright{name.capitalize()}"
        if bright in table:
            get[name] = _color(table[bright], f": {bright}")
    ground, ink = get["background"], get["foreground"]
    palette = {
        "ground": ground,
        "raised": mixed(ground, ink, 0.08),
        "sunken": ground,
        "select": mixed(ground, get["blue"], 0.25),
        "line": get["brightBlack"],
        "faint": get["brightBlack"],
        "soft": mixed(ink, ground, 0.3),
        "ink": ink,
        "accent": get["blue"],
        "on-accent": ground,
        "success": get["green"],
        "warning": get["yellow"],
        "error": get["red"],
        "info": get["cyan"],
    }
    return Scheme(str(table.get("name") or "imported"), "", "Windows Terminal", palette)


def _chosen(table: Any, choice: str | None) -> dict[str, Any]:
    if isinstance(table, dict) and "schemes" not in table:
        return table
    schemes = table.get("schemes") if isinstance(table, dict) else table
    if not isinstance(schemes, list) or not all(isinstance(scheme, dict) for scheme in schemes):
        raise _SchemeError(": 'schemes' is not a list of schemes")
    names = [str(scheme.get("name", "")) for scheme in schemes]
    if choice is None and len(schemes) == 1:
        return dict(schemes[0])
    if choice is None or choice not in names:
        if not names:
            raise _SchemeError(": it has no scheme")
        listed = ", ".join(map(clean, names))
        wrong = "choose one of its schemes" if choice is None else f"has no scheme {choice!r}"
        meant = hint(choice, names) if choice else ""
        raise _SchemeError(f": {wrong}{meant}; there are: {listed}")
    return dict(schemes[names.index(choice)])


# ------------------------------------------------------------------------------------ the theme


def mixed(first: str, second: str, share: float) -> str:
    """The colour that is `share` of the way from `first` to `second`, 0 to 1."""
    pairs = zip(rgb_of(first), rgb_of(second), strict=True)
    red, green, blue = (start + (end - start) * share for start, end in pairs)
    return hex_of((red, green, blue))


def convert(scheme: Scheme) -> Converted:
    """A theme made from `scheme`, with a contrast of AA for every word."""
    draft = scheme.palette
    name = _slug(scheme.name)
    # No word is readable on grounds that are far apart: they are mixed until there is a colour
    # for it. On a single ground there always is.
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        palette = readable(draft, share)
        toml = _written(scheme, palette)
        if not too_faint(parse_theme(toml, name, scheme.name)):
            break
    moved = tuple(key for key in PALETTE if palette[key] != draft[key])
    return Converted(name, toml, moved)


def readable(draft: dict[str, str], share: float = 0.0) -> dict[str, str]:
    """`draft` with its grounds mixed by `share`, and its words made readable on them."""
    palette = dict(draft)
    for key in ("raised", "sunken", "select"):
        palette[key] = mixed(draft[key], draft["ground"], share)
    grounds = tuple(palette[key] for key in ("ground", "raised", "sunken", "select"))
    for key in ("ink", "soft", "accent", "success", "warning", "error", "info"):
        palette[key] = ensure_contrast(draft[key], grounds)
    for key in ("line", "faint"):
        palette[key] = ensure_contrast(draft[key], grounds, 3.0)
    palette["on-accent"] = ensure_contrast(draft["on-accent"], (palette["accent"],))
    return palette


def _slug(name: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:32].strip("-")
    return words if words[:1].isalpha() else f"scheme-{words}"[:32].strip("-")


def _written(scheme: Scheme, palette: dict[str, str]) -> str:
    by = f"{scheme.kind} scheme {scheme.name}" + (f" by {scheme.author}" if scheme.author else "")
    lines = [
        f"title = {_text(scheme.name)}",
        f"dark = {written(luminance(palette['ground']) < luminance(palette['ink']))}",
        f"credit = {_text(by)}",
        "",
        "[palette]",
    ]
    if palette != scheme.palette:
        lines.append("# Some colours were moved to reach the contrast of WCAG AA.")
    for key in PALETTE:
        was = scheme.palette[key]
        note = "" if palette[key] == was else f"  # was {was}"
        lines.append(f"{key} = {written(palette[key])}{note}")
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    return written(clean(text, limit=200))
