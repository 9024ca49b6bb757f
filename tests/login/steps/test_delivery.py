"""A code by another way."""

from __future__ import annotations

import pytest

from tuihost.login import DeliveryError, Query
from tuihost.login.steps.delivery import LIFETIME, DeliveredCode
from tuihost.testing.steps import FakeServices, Outbox, drive


def _delivered(services: FakeServices) -> str:
    assert isinstance(services.delivery, Outbox)
    account, subject, text = services.delivery.sent[-1]
    assert account == "ada"
    assert services.host_name in subject
    return text.split()[0]


def test_a_code_by_another_way(services: FakeServices) -> None:
    assert drive(DeliveredCode(), [lambda _: _delivered(services)], services=services)
    old = _delivered(services)
    assert not drive(DeliveredCode(), [old], services=services), "a code is good for one question"
    assert old != _delivered(services)


def test_a_delivered_code_runs_out(services: FakeServices) -> None:
    def late(query: Query) -> str:
        services.time += LIFETIME + 1
        return _delivered(services)

    assert not drive(DeliveredCode(), [late], services=services)


def test_nothing_is_sent_to_who_does_not_exist(services: FakeServices) -> None:
    assert not drive(DeliveredCode(), ["12345678"], user="nobody", services=services)
    assert services.delivery == Outbox()


def test_without_a_delivery_the_step_is_a_fault_of_the_host(services: FakeServices) -> None:
    services.delivery = None
    with pytest.raises(DeliveryError):
        drive(DeliveredCode(), [], services=services)
