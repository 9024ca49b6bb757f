"""Waits that grow, tables that are bounded, newcomers that are dropped at random."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tuihost.core.gate.penalties import Offence, Penalties, PenaltyLimits

ADA, EVE = "192.0.2.1", "198.51.100.9"


def test_offences_cost_what_they_cost_in_openssh() -> None:
    assert {offence.label: offence.seconds for offence in Offence} == {
        "crash": 90.0,
        "authfail": 5.0,
        "invaliduser": 5.0,
        "refuseconnection": 10.0,
        "noauth": 1.0,
        "grace-exceeded": 10.0,
    }


def test_penalties_add_up_until_a_source_has_to_wait() -> None:
    table = Penalties()
    assert table.penalise(EVE, Offence.AUTH_FAILED, 0.0) is None
    assert table.penalise(EVE, Offence.AUTH_FAILED, 0.0) is None
    assert table.waiting(EVE, 0.0) is None, "10 seconds are less than the minimum"
    begun = table.penalise(EVE, Offence.AUTH_FAILED, 0.0)
    assert begun is not None
    assert begun.seconds == 15.0
    assert table.penalise(EVE, Offence.AUTH_FAILED, 1.0) is None, "it waits already"
    wait = table.waiting(EVE, 5.0)
    assert wait is not None
    assert (wait.seconds, wait.offence) == (15.0, Offence.AUTH_FAILED)
    assert table.waiting(EVE, 20.0) is None, "the wait is over"
    assert table.waiting(ADA, 5.0) is None, "somebody else waits too"


def test_what_was_penalised_long_ago_does_not_add_up() -> None:
    table = Penalties()
    for at in range(0, 600, 6):
        assert table.penalise(ADA, Offence.AUTH_FAILED, float(at)) is None
        assert table.waiting(ADA, float(at)) is None


def test_each_further_wait_is_longer_and_quiet_makes_up_for_it() -> None:
    table, now, waits = Penalties(), 0.0, []
    for _ in range(8):
        while (begun := table.penalise(EVE, Offence.AUTH_FAILED, now)) is None:
            pass
        waits.append(begun.seconds)
        now += begun.seconds
    assert waits == [15.0, 20.0, 20.0, 40.0, 80.0, 160.0, 320.0, 600.0]
    assert table.penalise(EVE, Offence.AUTH_FAILED, now + 600.0) is None, "it was never forgiven"


def test_no_wait_is_longer_than_the_maximum() -> None:
    table = Penalties(PenaltyLimits(maximum=60.0))
    for _ in range(100):
        table.penalise(EVE, Offence.CRASH, 0.0)
    wait = table.waiting(EVE, 0.0)
    assert wait is not None
    assert wait.seconds == 60.0


def test_a_full_table_gives_up_the_wait_that_would_end_first() -> None:
    table = Penalties(PenaltyLimits(sources=100))
    table.penalise(EVE, Offence.CRASH, 0.0)
    for number in range(10_000):
        table.penalise(f"10.0.{number >> 8}.{number & 255}", Offence.NO_AUTH, 0.0)
    assert len(table) == 100
    assert table.waiting(EVE, 0.0), "a scanner's second pushed out a real wait"
    for number in range(100):
        table.penalise(f"2001:db8:{number:x}::/64", Offence.CRASH, 0.0)
    assert len(table) == 200, "the families share a table"


def test_what_is_over_is_forgotten() -> None:
    table = Penalties()
    for number in range(1000):
        table.penalise(f"10.0.{number >> 8}.{number & 255}", Offence.NO_AUTH, 0.0)
    table.penalise(ADA, Offence.NO_AUTH, 602.0)
    assert len(table) == 1


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "2001:db8::/64"]),
            st.sampled_from(Offence),
            st.integers(0, 100),
        ),
        max_size=200,
    )
)
def test_property_whatever_comes_the_tables_are_bounded_and_waits_end(
    offences: list[tuple[str, Offence, int]],
) -> None:
    table, now = Penalties(PenaltyLimits(maximum=60.0, sources=3)), 0.0
    for source, offence, passed in offences:
        now += passed
        table.penalise(source, offence, now)
        assert len(table) <= 4
        for family in (table._v4, table._v6):
            assert len(family.order) <= 2 * len(family.held) + 65
        wait = table.waiting(source, now)
        assert wait is None or wait.seconds <= 60.0
    for source, _, _ in offences:
        assert table.waiting(source, now + 60.0) is None
