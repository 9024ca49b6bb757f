"""Somebody with a password and a second factor, as the bundled steps meet them."""

from __future__ import annotations

import re

from tuihost.login import Query
from tuihost.login.steps.codes import (
    totp_code,
    totp_counter,
)
from tuihost.testing.steps import FakeServices

SECRET = b"12345678901234567890"
GOOD, BETTER = "correct horse 9", "battery staple 9"


def code(services: FakeServices, periods: int = 0, secret: bytes = SECRET) -> str:
    return totp_code(secret, totp_counter(services.now()) + periods)


def secret_shown(query: Query) -> bytes:
    import base64

    found = re.search(r"((?:[A-Z2-7]{4} ?){8})", query.prompts[0].text)
    assert found, query
    return base64.b32decode(found[1].replace(" ", ""))
