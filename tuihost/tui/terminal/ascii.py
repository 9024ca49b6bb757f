"""Text for terminals that show ASCII only, on screens and in what commands print: every character
keeps its width."""

from __future__ import annotations

import unicodedata

from prompt_toolkit.utils import get_cwidth

_SIGNS = {
    "-": "─━┄┅┈┉╌╍═╴╶╸╺╼╾‐‑‒–—―−⎯▬▃",
    "|": "│┃┆┇┊┋╎╏║╵╷╹╻╽╿▌▍▎▏▐▕¦",
    "/": "╱⁄",
    "\\": "╲",
    "X": "╳",
    "#": "█▉▊▋▓■▣▪◼⌗",
    "+": "▆✚",
    ":": "▒",
    ".": "░▂…·∙⋅․",
    "<": "←⇐‹«◀◂◄⏎↵⟵❮",
    ">": "→⇒›»▶▸►⟶❯➜",
    "^": "↑⇑▲▴△⌃",
    "v": "↓⇓▼▾▽✓✔",
    "*": "▇•●◉◆★☆✎✱✳✦◈⁕❖",
    "o": "○◌◯◇□▢▫◦⚬◻",
    "x": "✗✘✕✖×",
    "!": "⚠‼",
    "i": "ℹⓘ",
    "'": "‘’‚′`´",
    '"': "“”„″",
    "~": "≈∼⌁▄",
    "?": "¿",
    "_": "▁",
    "=": "▅",
}
_KEPT = 4096  # answers that are remembered for everybody


class _Table(dict[int, str]):
    """What stands for a character, by its code point; worked out when first met."""

    def __missing__(self, code: int) -> str:
        found = _ascii_char(chr(code))
        if len(self) < _KEPT:
            self[code] = found
        return found


def _ascii_char(char: str) -> str:
    if char.isascii():
        return char
    if "─" <= char <= "╿":
        return "+"  # the corners and crossings of boxes; their lines are in the table
    width = get_cwidth(char)
    # é is an e with an accent, ½ is three characters: only what is as wide can stand for it.
    letters = [part for part in unicodedata.normalize("NFKD", char) if " " <= part <= "~"]
    return "".join(letters) if len(letters) == width else "?" * width


_TABLE = _Table({ord(char): sign for sign, chars in _SIGNS.items() for char in chars})


def to_ascii(text: str) -> str:
    """`text` with the nearest ASCII character for each other one: lines for lines, arrows for
    arrows, letters without their accents, and `?` for each column of the rest."""
    return text if text.isascii() else text.translate(_TABLE)
