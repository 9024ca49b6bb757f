"""The words of a theme: roles, syntax, glyphs, and the words in which a role is written.

A role is a part that text plays on a screen. Its looks are written in rich's grammar with the
names of a palette: `bold ink on select`. A theme that names the fourteen colours of `PALETTE` is
complete; it adds to that only what it wants to differ from `ROLES` and `SYNTAX`.
"""

from __future__ import annotations

import colorsys
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tuihost.phrases import nearest

PALETTE = {
    "ground": "the background of everything",
    "raised": "the background of dialogs, toasts, stripes and bars",
    "sunken": "the background of inputs and code",
    "select": "the background of the current row",
    "line": "borders and rules",
    "faint": "decoration that may be overlooked, never words",
    "soft": "words that matter less",
    "ink": "words",
    "accent": "the one colour that leads the eye",
    "on-accent": "words on the accent colour",
    "success": "it went well",
    "warning": "take care",
    "error": "it went wrong",
    "info": "good to know",
}

ROLES = {
    "text": "ink on ground",
    "muted": "soft",
    "faint": "faint",
    "accent": "accent",
    "title": "bold ink",
    "heading": "bold accent",
    "border": "line",
    "selection": "bold ink on select",
    "selection.muted": "soft on select",
    "match": "bold underline accent",
    "match.selection": "bold underline accent on select",
    "key": "bold accent",
    "bar": "soft on ground",
    "bar.accent": "bold accent on ground",
    "input": "ink on sunken",
    "input.placeholder": "italic soft on sunken",
    "success": "success",
    "warning": "bold warning",
    "error": "bold error",
    "info": "info",
    "badge": "bold accent on raised",
    "link": "underline accent",
    "code": "ink on sunken",
    "quote": "italic soft",
    "table.header": "bold soft",
    "table.stripe": "ink on raised",
    "scrollbar": "line",
    "scrollbar.thumb": "soft",
    "toast": "ink on raised",
    "dialog": "ink on raised",
    "dialog.title": "bold accent on raised",
    "button": "ink on select",
    "button.focused": "bold on-accent on accent",
    "chart": "accent",
    "chart.muted": "faint",
    "overlay": "ink on raised",
    "guest": "italic soft",
    "cursor-line": "ink on raised",
}

DECORATION = frozenset({"border", "faint", "scrollbar", "scrollbar.thumb", "chart.muted"})
"""Roles that never carry words: WCAG asks 3:1 of them instead of 4.5:1."""

SURFACES = ("text", "bar", "dialog", "toast", "overlay", "table.stripe", "cursor-line", "selection")
"""Roles on whose ground other roles are set."""

SYNTAX = {
    "comment": "italic soft",
    "keyword": "bold accent",
    "string": "success",
    "number": "warning",
    "constant": "warning",
    "name": "ink",
    "function": "info",
    "type": "bold info",
    "builtin": "info",
    "decorator": "accent",
    "operator": "soft",
    "punctuation": "soft",
    "tag": "bold accent",
    "attribute": "info",
    "heading": "bold accent",
    "inserted": "success",
    "deleted": "error",
    "error": "underline error",
}

MONO = {
    "title": "bold",
    "heading": "bold underline",
    "selection": "reverse",
    "selection.muted": "reverse",
    "match": "bold underline",
    "match.selection": "bold underline reverse",
    "key": "bold",
    "bar.accent": "bold",
    "input": "underline",
    "input.placeholder": "dim underline",
    "muted": "dim",
    "faint": "dim",
    "border": "dim",
    "accent": "bold",
    "success": "bold",
    "warning": "bold underline",
    "error": "bold reverse",
    "badge": "reverse",
    "link": "underline",
    "quote": "italic",
    "table.header": "bold underline",
    "scrollbar": "dim",
    "scrollbar.thumb": "bold",
    "toast": "reverse",
    "dialog.title": "bold",
    "button": "underline",
    "button.focused": "bold reverse",
    "chart.muted": "dim",
    "guest": "italic",
}
"""How roles look where there are no colours; a role that is not named here has no marks."""

_ANSI_NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan")
ANSI = {
    **{name: f"ansi{name}" for name in _ANSI_NAMES},
    **{f"bright_{name}": f"ansibright{name}" for name in _ANSI_NAMES},
    "white": "ansigray",
    "bright_white": "ansiwhite",
}
"""The sixteen colours: rich's names, which a theme uses, and prompt_toolkit's for the same."""

ANSI_DARK = {
    "ground": "ansiblack",
    "raised": "ansiblack",
    "sunken": "ansiblack",
    "select": "ansiblue",
    "line": "ansibrightblack",
    "faint": "ansibrightblack",
    "soft": "ansigray",
    "ink": "ansiwhite",
    "accent": "ansibrightcyan",
    "on-accent": "ansiblack",
    "success": "ansibrightgreen",
    "warning": "ansibrightyellow",
    "error": "ansibrightred",
    "info": "ansibrightcyan",
}
ANSI_LIGHT = {
    "ground": "ansiwhite",
    "raised": "ansiwhite",
    "sunken": "ansiwhite",
    "select": "ansigray",
    "line": "ansibrightblack",
    "faint": "ansibrightblack",
    "soft": "ansibrightblack",
    "ink": "ansiblack",
    "accent": "ansiblue",
    "on-accent": "ansiwhite",
    "success": "ansigreen",
    "warning": "ansimagenta",
    "error": "ansired",
    "info": "ansiblue",
}

GLYPHS: dict[str, tuple[str, str]] = {
    "bar": ("▌", ">"),
    "rule": ("─", "-"),
    "vline": ("│", "|"),
    "bullet": ("•", "*"),
    "dot": ("●", "*"),
    "ring": ("○", "o"),
    "middot": ("·", "-"),
    "check": ("✓", "+"),
    "cross": ("✗", "x"),
    "warn": ("▲", "!"),
    "info": ("●", "i"),
    "arrow": ("→", ">"),
    "back": ("←", "<"),
    "up": ("↑", "^"),
    "down": ("↓", "v"),
    "left": ("←", "<"),
    "right": ("→", ">"),
    "prompt": ("›", ">"),
    "ellipsis": ("…", "~"),
    "star": ("★", "*"),
    "enter": ("⏎", "Enter"),
    "updown": ("↑↓", "Up/Down"),
    "open": ("▾", "v"),
    "closed": ("▸", ">"),
    "box.tl": ("╭", "+"),
    "box.tr": ("╮", "+"),
    "box.bl": ("╰", "+"),
    "box.br": ("╯", "+"),
    "box.h": ("─", "-"),
    "box.v": ("│", "|"),
    "scroll.track": ("│", "|"),
    "scroll.thumb": ("┃", "#"),
    "meter.full": ("━", "="),
    "meter.empty": ("─", "-"),
    "spark": ("▁▂▃▄▅▆▇█", "_.-~=+*#"),
    "spinner": ("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "|/-\\"),
}
"""Each name with its Unicode and its ASCII form. `spark` holds eight levels from low to high,
`spinner` the pictures of one turn; every other is one sign, however many cells wide."""

_HEX = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_ATTRIBUTES = ("bold", "dim", "italic", "underline", "reverse")


@dataclass(frozen=True, slots=True)
class Role:
    """How one role looks. A colour is `#rrggbb`, or prompt_toolkit's name of one of the sixteen
    (`ansicyan`), or empty: whatever is there already, in the end the terminal's own."""

    fg: str = ""
    bg: str = ""
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    reverse: bool = False

    @property
    def attributes(self) -> tuple[str, ...]:
        """The marks beside colour, such as ("bold", "underline")."""
        return tuple(name for name in _ATTRIBUTES if getattr(self, name))


class RoleError(ValueError):
    """A colour or a role is not written as it should be; the text says what is wrong."""


def hint(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'selection'?` if a known name is near, else nothing."""
    near = nearest(name, known, 0.6)
    return f"; did you mean {near!r}?" if near else ""


def parse_color(text: str) -> str:
    """`#rrggbb` in lower-case letters, or empty for `default`, the terminal's own."""
    if text == "default":
        return ""
    if not _HEX.fullmatch(text):
        raise RoleError(f"{text!r} is not a colour; write '#rrggbb' or 'default'")
    digits = text[1:].lower()
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def parse_role(text: str, colors: Mapping[str, str]) -> Role:
    """A role from `bold ink on select`, with the names of `colors`."""
    marks: set[str] = set()
    found: dict[str, str] = {}
    place = "fg"
    for word in text.split():
        if word in _ATTRIBUTES:
            marks.add(word)
        elif word == "on" and place == "fg":
            place = "bg"
        elif place in found:
            raise RoleError(f"{text!r} has more than one {_PLACES[place]}: {word!r}")
        elif word in colors:
            found[place] = colors[word]
        elif word.startswith("#") or word == "default":
            found[place] = parse_color(word)
        else:
            meant = hint(word, (*colors, *_ATTRIBUTES))
            raise RoleError(f"{word!r} is neither a colour of the palette nor a mark{meant}")
    if place == "bg" and "bg" not in found:
        raise RoleError(f"{text!r} names no colour after 'on'")
    return Role(found.get("fg", ""), found.get("bg", ""), **dict.fromkeys(marks, True))


_PLACES = {"fg": "colour", "bg": "background"}


def on_parents(roles: Mapping[str, Role]) -> dict[str, Role]:
    """`roles` with the colours that a dotted role leaves out taken from the role before its dot;
    its marks are its own."""
    whole = dict(roles)
    for name, role in roles.items():
        parent = roles.get(name.rpartition(".")[0])
        if parent is not None:
            whole[name] = replace(role, fg=role.fg or parent.fg, bg=role.bg or parent.bg)
    return whole


def ansi_palette(dark: bool, accent: str) -> dict[str, str]:
    """The colours that a role may name on a terminal of sixteen: by part and by rich's name."""
    return {**(ANSI_DARK if dark else ANSI_LIGHT), "accent": accent, **ANSI}


def ansi_like(color: str, dark: bool) -> str:
    """The one of the sixteen colours that leads the eye most nearly as `color` does."""
    if not color:
        return "ansibrightcyan" if dark else "ansiblue"
    red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    hue, _, saturation = colorsys.rgb_to_hls(red, green, blue)
    if saturation < 0.15:
        return "ansiwhite" if dark else "ansiblack"
    names = ("red", "yellow", "green", "cyan", "blue", "magenta")
    name = names[round(hue * 6) % 6]
    if dark:
        return f"ansibright{name}"
    return {"yellow": "ansired", "cyan": "ansiblue"}.get(name, f"ansi{name}")
