"""A few threads of each person work at one moment; who waits gets a turn in order."""

from __future__ import annotations

from functools import partial
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from tuihost.core.budget.ledger import Bounds, Exceeded, Holder, Kind, Ledger, Level
from tuihost.core.budget.turns import LEAST_USED, LONGEST, LOOK_EVERY, State, Ticket, TurnQueue

BOUNDS = {Kind.TURNS: Bounds(2, 2, 3, 8)}


def queue() -> TurnQueue:
    return TurnQueue(Ledger(BOUNDS))


_numbers = count(1)


def guest(name: str = "eve", source: str = "192.0.2.1", connection: int = 0) -> Ticket:
    return Ticket(Holder(connection or next(_numbers), name, source))


def used_by_then(seconds: float, ticket: Ticket) -> float:
    """As a thread that works all the time."""
    return seconds


def asked(turns: TurnQueue, *tickets: Ticket) -> list[Level | None]:
    """By which level each of them has to wait; None for those that need not."""
    answers = [turns.ask(ticket, 0.0) for ticket in tickets]
    return [None if answer is None else answer.level for answer in answers]


def test_a_person_has_two_turns_and_a_source_three() -> None:
    turns = queue()
    eves = [guest() for _ in range(3)]
    assert asked(turns, *eves) == [None, None, Level.PERSON]
    assert asked(turns, guest("mallory"), guest("trudy")) == [None, Level.SOURCE]
    assert asked(turns, guest("bob", "192.0.2.2")) == [None], "nobody else waits for them"
    assert turns.waiting == 2


def test_a_connection_has_a_bound_of_its_own() -> None:
    turns = TurnQueue(Ledger({Kind.TURNS: Bounds(1, 3, 9, 9)}))
    first, second, other = guest(connection=1), guest(connection=1), guest(connection=2)
    assert asked(turns, first, second, other) == [None, Level.CONNECTION, None]
    assert turns.give_back(other, 1.0) == ()
    assert turns.give_back(first, 1.0) == (second,)


def test_who_waits_first_is_first() -> None:
    turns = queue()
    eves = [guest() for _ in range(5)]
    asked(turns, *eves)
    assert turns.give_back(eves[0], 1.0) == (eves[2],)
    assert eves[2].state is State.HAS_TURN
    assert eves[2].since == 1.0
    assert turns.ask(eves[0], 2.0) == Exceeded(Kind.TURNS, Level.PERSON, 2)
    assert [turns.give_back(eve, 3.0) for eve in eves[1:4]] == [(eves[3],), (eves[4],), (eves[0],)]


def test_the_persons_of_a_source_take_turns() -> None:
    turns = queue()
    eves, bob, carol = [guest() for _ in range(4)], guest("bob"), guest("carol")
    other = guest("dan")
    asked(turns, *eves[:2], other, *eves[2:], bob, carol)
    assert turns.give_back(other, 1.0) == (bob,), "she has two at work already"
    assert turns.give_back(eves[0], 1.0) == (eves[2],)
    assert turns.give_back(eves[1], 1.0) == (carol,), "she has just had one"
    assert turns.give_back(bob, 1.0) == (eves[3],)


def test_the_sources_take_turns() -> None:
    turns = TurnQueue(Ledger({Kind.TURNS: Bounds(9, 9, 9, 2)}))
    here = [Ticket(Holder(1, "eve", "192.0.2.1", guest=False)) for _ in range(4)]
    there = Ticket(Holder(2, "bob", "192.0.2.2", guest=False))
    assert asked(turns, *here, there) == [None, None, *[Level.HOST] * 3]
    assert turns.give_back(here[0], 1.0) == (here[2],)
    assert turns.give_back(here[1], 1.0) == (there,)


def test_two_begin_if_two_have_waited_for_one() -> None:
    """Somebody with an account, who is at two sources."""
    turns = TurnQueue(Ledger({Kind.TURNS: Bounds(9, 1, 1, 9)}))
    here = Ticket(Holder(1, "ada", "192.0.2.1", guest=False))
    there = Ticket(Holder(2, "ada", "192.0.2.2", guest=False))
    bob = guest("bob")
    assert asked(turns, here, there, bob) == [None, Level.PERSON, Level.SOURCE]
    assert set(turns.give_back(here, 1.0)) == {there, bob}


def test_who_waits_no_more_is_forgotten() -> None:
    turns = queue()
    eves = [guest() for _ in range(4)]
    asked(turns, *eves)
    assert turns.give_back(eves[2], 1.0) == ()
    assert turns.waiting == 1
    assert turns.give_back(eves[2], 1.0) == (), "a second time does nothing"
    assert turns.give_back(eves[0], 1.0) == (eves[3],)


def test_a_thread_that_waits_itself_holds_nobody_up() -> None:
    turns = queue()
    works, idle, waits = guest(), guest(), guest()
    asked(turns, works, idle, waits)
    used = {works: 5.0, idle: 7.0}
    assert turns.look(0.0, used.__getitem__) == ()
    used[works] += LEAST_USED * LOOK_EVERY * 2
    assert turns.look(LOOK_EVERY / 2, used.__getitem__) == (), "too early to tell"
    assert turns.look(LOOK_EVERY, used.__getitem__) == (waits,)
    assert (works.state, idle.state) == (State.HAS_TURN, State.NOTHING)
    assert turns.give_back(idle, 1.0) == (), "it had none any more"
    assert turns.ask(idle, 1.0) is not None, "and waits when it goes on"


def test_a_turn_ends() -> None:
    turns = queue()
    eves = [guest() for _ in range(3)]
    asked(turns, *eves)
    for step in range(int(LONGEST / LOOK_EVERY)):
        now = step * LOOK_EVERY
        assert turns.look(now, partial(used_by_then, now)) == ()
    assert turns.look(LONGEST, lambda _: LONGEST) == (eves[2],)
    assert [eve.state for eve in eves] == [State.NOTHING, State.NOTHING, State.HAS_TURN]


@given(
    st.lists(st.tuples(st.integers(0, 11), st.booleans()), max_size=60),
    st.integers(1, 3),
    st.integers(1, 4),
    st.integers(1, 5),
)
def test_nobody_waits_for_whom_there_is_room(
    steps: list[tuple[int, bool]], person: int, source: int, host: int
) -> None:
    ledger = Ledger({Kind.TURNS: Bounds(person, person, source, host)})
    turns = TurnQueue(ledger)
    tickets = [
        Ticket(Holder(number, f"p{number % 3}", f"s{number % 2}", guest=number % 4 > 0))
        for number in range(12)
    ]
    for at, (number, asks) in enumerate(steps):
        ticket = tickets[number]
        if asks and ticket.state is State.NOTHING:
            turns.ask(ticket, float(at))
        elif not asks:
            for begun in turns.give_back(ticket, float(at)):
                assert begun.state is State.HAS_TURN
        waiting = [ticket for ticket in tickets if ticket.state is State.WAITS]
        assert turns.waiting == len(waiting)
        assert all(ledger.room(ticket.holder, Kind.TURNS) is not None for ticket in waiting)
        working = sum(ticket.state is State.HAS_TURN for ticket in tickets)
        assert working == ledger.held(Kind.TURNS) <= host
