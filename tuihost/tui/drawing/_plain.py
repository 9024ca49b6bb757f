"""ASCII for terminals that show nothing else."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from rich.cells import cell_len

from tuihost.theme.roles import GLYPHS

_PLAIN_SIGNS = {
    **{fancy: plain for fancy, plain in GLYPHS.values() if len(fancy) == 1 and len(plain) == 1},
    **dict(zip(*GLYPHS["spark"], strict=True)),
    **dict.fromkeys("━═╌┄╸╺", "-"),
    **dict.fromkeys("┃║▌▐", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╔╗╚╝╠╣╦╩╬┏┓┗┛┡┩╇╈", "+"),
    **dict.fromkeys("“”„«»", '"'),
    **dict.fromkeys("‘’‚", "'"),
    **dict.fromkeys("–—·", "-"),
    "\u00a0": " ",
    "×": "x",
}


def ascii_of(text: str) -> str:
    """`text` in ASCII, as wide as it was: signs by their plain form, accents off, else `?`."""
    if text.isascii():
        return text
    return "".join(char if char.isascii() else _ascii_char(char) for char in text)


@lru_cache(maxsize=4096)
def _ascii_char(char: str) -> str:
    width = cell_len(char)
    plain = _PLAIN_SIGNS.get(char) or "".join(
        part
        for part in unicodedata.normalize("NFKD", char)
        if part.isascii() and part.isprintable()
    )
    return plain if len(plain) == width else "?" * width
