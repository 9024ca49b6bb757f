"""Text for terminals that show ASCII only: every character keeps its width."""

from __future__ import annotations

import unicodedata

from prompt_toolkit.utils import get_cwidth

_LIKENESS = {
    "-": "─━┄┅┈┉╌╍═╴╶╸╺╼╾‐‑‒–—―−⎯▬",
    "|": "│┃┆┇┊┋╎╏║╵╷╹╻╽╿▌▍▎▏▐▕¦",
    "/": "╱⁄",
    "\\": "╲",
    "X": "╳",
    "#": "█▉▊▋▓▆▇■▣▪◼⌗",
    "+": "▄▅✚",
    ":": "▒▂▃",
    ".": "░▁…·∙⋅․",
    "<": "←⇐‹«◀◂◄⏎↵⟵❮",
    ">": "→⇒›»▶▸►⟶❯➜",
    "^": "↑⇑▲▴△⌃",
    "v": "↓⇓▼▾▽✓✔",
    "*": "•●◉◆★☆✎✱✳✦◈⁕❖",
    "o": "○◌◯◇□▢▫◦⚬◻",
    "x": "✗✘✕✖×",
    "!": "⚠‼",
    "i": "ℹⓘ",
    "'": "‘’‚′`´",
    '"': "“”„″",
    "~": "≈∼⌁",
    "?": "¿",
}
_KEPT = 4096  # answers that are remembered for everybody


class _Table(dict[int, str]):
    """What stands for a character, by its code point; worked out when first met."""

    def __missing__(self, code: int) -> str:
        likeness = _likeness(chr(code))
        if len(self) < _KEPT:
            self[code] = likeness
        return likeness


def _likeness(char: str) -> str:
    if char.isascii():
        return char
    if "─" <= char <= "╿":
        return "+"  # the corners and crossings of boxes; their lines have a likeness of their own
    width = get_cwidth(char)
    base = unicodedata.normalize("NFKD", char)[0]
    if width == 1 and base.isascii() and base.isprintable():
        return base  # é: an accented letter
    return "?" * width


_TABLE = _Table({ord(char): like for like, chars in _LIKENESS.items() for char in chars})


def to_ascii(text: str) -> str:
    """`text` with the nearest ASCII character for each other one: lines for lines, arrows for
    arrows, letters without their accents, and `?` for each column of the rest."""
    return text.translate(_TABLE)
