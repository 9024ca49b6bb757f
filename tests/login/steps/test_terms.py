"""A text that people accept."""

from __future__ import annotations

from tuihost.login.steps.terms import Terms
from tuihost.testing.steps import FakeServices, drive


def test_terms_are_accepted_once_a_version(services: FakeServices) -> None:
    services.terms_text, services.terms_version = "Be kind — always.", "1"
    assert not drive(Terms(), ["no"], services=services)
    assert not drive(Terms(), ["y"], services=services)
    driven = drive(Terms(), [" Yes "], services=services)
    assert driven
    assert "Be kind — always." in driven.queries[0].prompts[0].text
    assert drive(Terms(), [], services=services).queries == ()
    services.terms_version = "2"
    assert drive(Terms(), ["yes"], services=services)
    services.terms_version, services.terms_text = "3", "  "
    assert drive(Terms(), [], services=services)


def test_who_does_not_exist_accepts_nothing(services: FakeServices) -> None:
    for text in ("", "Be kind."):
        services.terms_text = text
        assert not drive(Terms(), ["yes"], user="nobody", services=services)
