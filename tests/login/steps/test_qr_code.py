"""QR codes as text."""

from __future__ import annotations

from tuihost.login.steps.codes import (
    new_totp_secret,
    totp_uri,
)
from tuihost.login.steps.qr_code import MAX_COLUMNS, MAX_ROWS, qr_lines


def test_a_picture_fits_or_there_is_none() -> None:
    lines = qr_lines(totp_uri(new_totp_secret(), "ada", "tuihost"))
    assert lines is not None
    assert len(lines) <= MAX_ROWS
    assert max(map(len, lines)) <= MAX_COLUMNS
    assert {len(line) for line in lines} == {len(lines[0])}
    assert set("".join(lines)) <= set("█▀▄ ")
    assert qr_lines("x" * 500) is None


def test_a_picture_can_be_read_back() -> None:
    """Half blocks to modules and back to segno's own matrix."""
    import segno

    text = "otpauth://totp/a:b?secret=JBSWY3DPEHPK3PXP&issuer=a"
    lines = qr_lines(text)
    assert lines is not None
    light = {"█": (0, 0), "▀": (0, 1), "▄": (1, 0), " ": (1, 1)}
    rows: list[list[int]] = []
    for line in lines:
        rows.append([light[cell][0] for cell in line])
        rows.append([light[cell][1] for cell in line])
    truth = segno.make(text, error="l", micro=False).matrix_iter(border=2)
    wanted = [[int(bool(module)) for module in row] for row in truth]
    assert rows[: len(wanted)] == wanted
