"""QR codes as lines of text, without colours and without escape sequences."""

from __future__ import annotations

MAX_COLUMNS, MAX_ROWS = 78, 21  # of 80×24, with room for a question below
_BORDER = 2  # modules; readers want some quiet around the code
_HALVES = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}  # light modules are drawn


def qr_lines(text: str) -> tuple[str, ...] | None:
    """`text` as a QR code in half blocks; None if it does not fit a screen of 80×24."""
    import segno  # most logins never show one

    code = segno.make(text, error="l", micro=False)
    matrix = [[1 if module else 0 for module in row] for row in code.matrix_iter(border=_BORDER)]
    width = len(matrix[0])
    if width > MAX_COLUMNS or (len(matrix) + 1) // 2 > MAX_ROWS:
        return None
    if len(matrix) % 2:
        matrix.append([1] * width)  # nothing is drawn below the last row
    pairs = zip(matrix[::2], matrix[1::2], strict=True)
    return tuple(
        "".join(_HALVES[over, under] for over, under in zip(above, below, strict=True)).rstrip()
        for above, below in pairs
    )
