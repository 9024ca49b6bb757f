"""One-time codes: TOTP (RFC 6238), recovery codes, codes of invitations.

Here is what is right, and what is kept of it. That a code serves only once is the store's to say:
`AccountStore.take_totp`, `take_recovery` and `take_invite` in `tuihost.accounts`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from urllib.parse import quote

PERIOD = 30  # seconds
DIGITS = 6
WINDOW = (0, -1, 1)  # periods: clocks differ, and people type slowly
SECRET_BYTES = 20  # RFC 4226 §4, R6
RECOVERY_CODES = 10
MAX_TYPED = 64  # characters of a code as it is typed

# Crockford's base 32: without I, L, O and U; the first three are taken for 1, 1 and 0.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MEANT = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})
_CODE = re.compile(f"[{_ALPHABET}]+")
_RECOVERY_LENGTH = 10  # 50 bits, behind the limits on tries
_INVITE_LENGTH = 16  # 80 bits: it can be guessed without knowing a name


# ------------------------------------------------------------------------------------- TOTP


def totp_code(secret: bytes, counter: int) -> str:
    """The code of one period, RFC 4226 §5.3 with SHA-1 and six digits."""
    digest = hmac.digest(secret, counter.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def totp_counter(now: float) -> int:
    """The number of the period that the Unix time `now` is in."""
    return max(0, int(now // PERIOD))


def totp_match(secret: bytes, typed: str, now: float) -> int | None:
    """The period of which `typed` is the code; None if there is none in the window.
    Spaces are ignored, and only the ten ASCII digits are digits. Looks at every period, always."""
    code = typed.replace(" ", "")
    sound = len(typed) <= MAX_TYPED and len(code) == DIGITS and code.isascii() and code.isdigit()
    given = code.encode() if sound else b"-" * DIGITS
    middle, found = totp_counter(now), None
    for offset in WINDOW:
        counter = max(0, middle + offset)
        if hmac.compare_digest(totp_code(secret, counter).encode(), given):
            found = counter
    return found


def new_totp_secret() -> bytes:
    """A secret for one account."""
    return secrets.token_bytes(SECRET_BYTES)


def base32(secret: bytes) -> str:
    """A secret in the form that authenticator apps take."""
    return base64.b32encode(secret).decode("ascii").rstrip("=")


def grouped(text: str, size: int = 4, mark: str = " ") -> str:
    """In groups, to be read and typed by people."""
    return mark.join(text[at : at + size] for at in range(0, len(text), size))


def totp_uri(secret: bytes, account: str, issuer: str) -> str:
    """What a QR code for authenticator apps holds. Kept short, so that the picture is small."""
    issuer, account = issuer.replace(":", " ")[:20].strip(), account[:32]
    label = f"{quote(issuer, safe='')}:{quote(account, safe='')}"
    return f"otpauth://totp/{label}?secret={base32(secret)}&issuer={quote(issuer, safe='')}"


# ------------------------------------------------------------------- recovery and invitations


def recovery_codes() -> tuple[str, ...]:
    """A fresh set, as it is shown once: `7F3A9-1C2KM`."""
    made = (_random(_RECOVERY_LENGTH) for _ in range(RECOVERY_CODES))
    return tuple(grouped(code, 5, "-") for code in made)


def recovery_hash(account: str, typed: str) -> bytes:
    """What the store keeps of a recovery code, however its letters and hyphens are typed."""
    return _hash("recovery", account, typed)


def invite_code() -> str:
    """A fresh code for an invitation: `7F3A-91C2-KM0P-4TXY`."""
    return grouped(_random(_INVITE_LENGTH), 4, "-")


def invite_hash(typed: str) -> bytes:
    """What the store keeps of an invitation's code."""
    return _hash("invite", "", typed)


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _hash(kind: str, account: str, typed: str) -> bytes:
    # The codes are random: nothing slower is needed than a hash that cannot be turned round.
    code = typed[:MAX_TYPED].strip().upper().translate(_MEANT)
    if not _CODE.fullmatch(code):
        code = ""  # anything else is the code of nobody, since no code is empty
    parts = (part.encode("utf-8", "surrogatepass") for part in ("tuihost", kind, account, code))
    return hashlib.sha256(b"\0".join(parts)).digest()
