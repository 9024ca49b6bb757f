"""A key, a security key and an authority, and what a file of keys makes of them."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

from tuihost.core.keys.authorized_keys import Unfit, judge, parse
from tuihost.core.keys.certificates import Certificate
from tuihost.core.keys.offers import SK_ECDSA, SK_ED25519, KeyOffer, fingerprint
from tuihost.core.keys.options import KeyOptions
from tuihost.wire import Restrictions


def blob(kind: str, body: bytes = b"k" * 32) -> bytes:
    more = {"ssh-ed25519": 0, SK_ECDSA: 2}.get(kind, 1)
    parts = (kind.encode(), body, *[b"ssh:"] * more)
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


KIND = "ssh-ed25519"
BLOB = blob(KIND)
B64 = base64.b64encode(BLOB).decode()
KEY = f"{KIND} {B64}"
CA = blob(KIND, b"a" * 32)
CA_KEY = f"{KIND} {base64.b64encode(CA).decode()}"
OFFER = KeyOffer(KIND, BLOB, fingerprint(BLOB), proved=True)
SK_BLOB = blob(SK_ED25519)
SK_KEY = f"{SK_ED25519} {base64.b64encode(SK_BLOB).decode()}"
SK_OFFER = KeyOffer(SK_ED25519, SK_BLOB, fingerprint(SK_BLOB))
EVERYTHING = frozenset(
    {"permit-pty", "permit-port-forwarding", "permit-X11-forwarding", "permit-agent-forwarding"}
)
CERTIFICATE = Certificate(
    public=BLOB,
    ca=CA,
    serial=7,
    key_id="ada@ca",
    principals=("ada", "dev"),
    valid_after=1000,
    valid_before=2000,
    extensions=EVERYTHING,
)


def certified(base: KeyOffer = OFFER, **changes: Any) -> KeyOffer:
    certificate = replace(CERTIFICATE, public=base.blob, **changes)
    return replace(base, blob=b"certificate", certificate=certificate)


def options(text: str) -> KeyOptions:
    found = parse(f"{text} {KEY}", "keys")
    assert found.problems == ()
    (line,) = found.lines
    return line.options


def let_in(lines: str, offer: KeyOffer = OFFER, **changes: Any) -> Restrictions | None:
    found = parse(lines, "keys")
    assert found.problems == ()
    place = {"peer_address": "192.0.2.7", "now": 1500.0, "user": "ada"} | changes
    judged = judge(found.lines, offer, **place)
    return None if isinstance(judged, Unfit) else judged
