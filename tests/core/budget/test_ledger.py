"""What people take is counted at every level, and what one level refuses is taken from none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuihost.core.budget.ledger import (
    BOUNDS,
    FREE,
    SWEEP_AT,
    Bounds,
    Exceeded,
    Holder,
    Kind,
    Ledger,
    Level,
)

THREADS, LINES = Kind.THREADS, Kind.LOG_LINES
SMALL = {**BOUNDS, THREADS: Bounds(2, 3, 4, 8), LINES: Bounds(60, 120, 180, 240, at_once=10.0)}


def guest(connection: int, name: str = "eve", source: str = "192.0.2.1") -> Holder:
    return Holder(connection, name, source)


def account(connection: int, name: str = "ada", source: str = "192.0.2.7") -> Holder:
    return Holder(connection, name, source, guest=False)


def taken(ledger: Ledger, holder: Holder, count: int) -> Level | None:
    """Takes so many threads, one by one; the level that refused one."""
    for _ in range(count):
        exceeded = ledger.take(holder, THREADS)
        if exceeded is not None:
            return exceeded.level
    return None


def test_each_level_has_its_bound() -> None:
    ledger = Ledger(SMALL)
    assert taken(ledger, guest(1), 2) is None
    assert taken(ledger, guest(1), 1) is Level.CONNECTION
    assert taken(ledger, guest(2), 2) is Level.PERSON, "with more connections there is no more"
    assert taken(ledger, guest(3, "mallory"), 2) is Level.SOURCE, "nor with more names"
    assert taken(ledger, guest(4, source="192.0.2.2"), 2) is None, "the same name elsewhere"
    assert taken(ledger, guest(5, source="192.0.2.3"), 1) is Level.GUESTS
    assert taken(ledger, account(6), 2) is None, "what guests cannot take"
    assert taken(ledger, account(7, "bob"), 1) is Level.HOST
    assert ledger.held(THREADS) == 8


def test_what_is_refused_is_taken_nowhere() -> None:
    ledger = Ledger(SMALL)
    assert taken(ledger, guest(1), 2) is None
    for _ in range(10):
        assert ledger.take(guest(2), THREADS, 2) == Exceeded(THREADS, Level.PERSON, 3)
    assert ledger.room(guest(2), THREADS) is None
    assert ledger.take(guest(2), THREADS) is None


def test_networks_of_the_operators_own_have_no_bound_of_their_own() -> None:
    ledger = Ledger(SMALL)
    for number in range(5):
        holder = Holder(number, f"guest-{number}", "127.0.0.1", counts_source=False)
        assert ledger.take(holder, THREADS) is None


def test_what_is_given_back_is_there_again_and_leaves_nothing() -> None:
    ledger = Ledger(SMALL)
    for number in range(100):
        assert ledger.take(guest(number), THREADS, 2) is None
        ledger.give_back(guest(number), THREADS)
        ledger.give_back(guest(number), THREADS)
    assert ledger.held(THREADS) == 0
    assert not ledger._held[THREADS]


def test_giving_back_what_was_not_taken_is_a_fault() -> None:
    with pytest.raises(AssertionError):
        Ledger(SMALL).give_back(guest(1), THREADS)


def test_what_is_spent_comes_back_by_the_minute() -> None:
    ledger = Ledger(SMALL)
    assert ledger.spend(guest(1), LINES, 10, 0.0) is None, "ten seconds' worth at once"
    assert ledger.spend(guest(1), LINES, 1, 0.5) == Exceeded(LINES, Level.CONNECTION, 60, True)
    assert ledger.spend(guest(1), LINES, 1, 1.0) is None
    assert ledger.spend(guest(2), LINES, 10, 1.0) is None
    refused = ledger.spend(guest(3), LINES, 10, 1.0)
    assert refused is not None
    assert refused.level is Level.PERSON


def test_what_is_charged_beyond_is_missing_later() -> None:
    ledger = Ledger(SMALL)
    ledger.charge(guest(1), LINES, 15, 0.0)
    assert ledger.spend(guest(1), LINES, 1, 5.0) is not None
    assert ledger.spend(guest(1), LINES, 1, 6.0) is None
    ledger.charge(guest(1), LINES, -1, 6.0)
    assert ledger.spend(guest(1), LINES, 1, 6.0) is None
    ledger.charge(guest(1), LINES, 1e9, 6.0)
    assert ledger.spend(guest(1), LINES, 1, 17.0) is None, "a debt is bounded"


def test_who_spent_long_ago_is_forgotten() -> None:
    ledger = Ledger(SMALL)
    for number in range(3 * SWEEP_AT):
        assert (
            ledger.spend(guest(number, f"g{number}", f"s{number}"), LINES, 1, number * 60) is None
        )
    assert len(ledger._left[LINES]) <= SWEEP_AT + 5


def test_many_who_spend_at_one_moment_are_all_remembered() -> None:
    bounds = {LINES: Bounds(60, 60, 60, 10**9, at_once=60.0)}
    ledger = Ledger(bounds)
    for number in range(2 * SWEEP_AT):
        assert ledger.spend(guest(number, f"g{number}", f"s{number}"), LINES, 60, 0.0) is None
    assert all(
        ledger.spend(guest(number, f"g{number}", f"s{number}"), LINES, 1, 0.0) is not None
        for number in range(2 * SWEEP_AT)
    )


def test_a_larger_share_is_larger_at_the_levels_of_people() -> None:
    scaled = Bounds(3, 4, 5, 100).scaled(2.0)
    assert [scaled.at(level) for level in Level] == [6, 8, 10, 75, 100]
    assert Bounds(1, 1, 1, 1).scaled(0.1) == Bounds(1, 1, 1, 1)


@pytest.mark.parametrize("kind", Kind)
def test_every_refusal_is_a_sentence_with_a_cure(kind: Kind) -> None:
    assert kind.meaning
    for level in Level:
        sentence = Exceeded(kind, level, 1234, bool(BOUNDS[kind].at_once)).sentence
        assert sentence.startswith("There are no more than 1,234 ")
        assert sentence.endswith(("first.", "in a minute."))


@pytest.mark.parametrize(
    ("level", "spent", "cure"),
    [
        (Level.CONNECTION, False, "End some of yours first."),
        (Level.PERSON, False, "End some of yours first."),
        (Level.PERSON, True, "Try again in a minute."),
        (Level.SOURCE, False, "Try again in a minute."),
        (Level.HOST, False, "Try again in a minute."),
    ],
)
def test_only_people_who_hold_something_can_give_it_back(
    level: Level, spent: bool, cure: str
) -> None:
    assert Exceeded(Kind.THREADS, level, 1, spent).sentence.endswith(cure)


@pytest.mark.parametrize("kind", Kind)
def test_bounds_grow_from_level_to_level(kind: Kind) -> None:
    bounds = [BOUNDS[kind].at(level) for level in Level]
    assert bounds == sorted(bounds)
    assert bounds[-1] > bounds[-2], "guests leave something to people with accounts"


def test_what_is_free_is_never_refused() -> None:
    lease = FREE.take(THREADS, 10**9)
    assert not isinstance(lease, Exceeded)
    with lease:
        assert lease.grow(10**9) is None
    assert FREE.room(THREADS) is None
    assert FREE.spend(LINES, 10**9) is None
    FREE.charge(LINES, 10**9)
    FREE.give_back()


def test_a_free_turn_is_anybodys_at_any_time() -> None:
    first, second = FREE.turn(), FREE.turn()
    for step in ("begin", "pause", "resume", "pass_on", "waive", "end"):
        for turn in (first, second):
            getattr(turn, step)()


Acts = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 2), st.booleans(), st.integers(1, 3)), max_size=60
)


@given(Acts)
def test_property_no_order_goes_past_a_bound_and_all_comes_back(
    acts: list[tuple[int, int, bool, int]],
) -> None:
    ledger = Ledger(SMALL)
    held: list[tuple[Holder, int]] = []
    for number, name, gives_back, amount in acts:
        if gives_back and held:
            holder, count = held.pop(number % len(held))
            ledger.give_back(holder, THREADS, count)
            continue
        holder = guest(number, f"g{name}", f"s{number % 2}") if name else account(number)
        if ledger.take(holder, THREADS, amount) is None:
            held.append((holder, amount))
        for holder, _ in held:
            for place in holder.places:
                mine = sum(count for other, count in held if place in other.places)
                assert mine <= SMALL[THREADS].at(place[0])
    assert ledger.held(THREADS) == sum(count for _, count in held)
    for holder, count in held:
        ledger.give_back(holder, THREADS, count)
    assert not ledger._held[THREADS]
