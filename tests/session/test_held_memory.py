"""What an app holds for somebody is theirs to have, and is given back."""

from __future__ import annotations

import pytest

from tuihost.core.budget.ledger import BOUNDS, Bounds, Holder, Kind
from tuihost.errors import TookTooMuch
from tuihost.host.budget.budget import Budget
from tuihost.logs import event_log
from tuihost.session.held_memory import HeldMemory


def test_what_is_held_is_given_back_and_more_is_refused() -> None:
    budget = Budget({**BOUNDS, Kind.MEMORY: Bounds(1000, 1000, 1000, 10_000)})
    share = budget.share(Holder(1, "eve", "192.0.2.1"), event_log())
    with HeldMemory(share) as held, HeldMemory(share) as other:
        held.add(900)
        assert budget.held(Kind.MEMORY) == 900
        with pytest.raises(TookTooMuch, match="no more than 1,000 bytes"):
            other.add(200)
        other.add(100)
    assert budget.held(Kind.MEMORY) == 0


def test_without_a_host_nothing_is_counted() -> None:
    with HeldMemory() as held:
        held.add(10**12)
