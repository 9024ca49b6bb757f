"""A recovery code."""

from __future__ import annotations

from tuihost.login.steps.codes import (
    recovery_codes,
    recovery_hash,
)
from tuihost.login.steps.recovery import Recovery
from tuihost.testing.steps import FakeServices, drive


def test_a_recovery_code_serves_once(services: FakeServices) -> None:
    codes = recovery_codes()
    services.accounts.set_recovery("ada", [recovery_hash("ada", one) for one in codes])
    assert not drive(Recovery(), [codes[0]], user="bob", services=services)
    assert drive(Recovery(), [codes[0].lower()], services=services)
    assert not drive(Recovery(), [codes[0]], services=services)
    services.accounts.update("ada", disabled=True)
    assert not drive(Recovery(), [codes[1]], services=services)
    services.accounts.update("ada", disabled=False)
    assert drive(Recovery(), [codes[1].replace("-", " ")], services=services)
