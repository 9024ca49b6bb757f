"""What a line and a certificate, or two keys, take away together."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from tuihost.core.keys.restrictions import together
from tuihost.wire import Restrictions

NOTHING = Restrictions()
SWITCHES = ("pty", "port_forwarding", "x11_forwarding", "agent_forwarding")


def both_ways(first: Restrictions, second: Restrictions) -> Restrictions | None:
    """What they take away together, whichever comes first."""
    found = together(first, second)
    assert found == together(second, first)
    return found


@pytest.mark.parametrize("name", SWITCHES)
def test_what_either_takes_away_is_taken_away(name: str) -> None:
    without = replace(NOTHING, **{name: False})
    assert both_ways(NOTHING, NOTHING) == NOTHING
    assert both_ways(NOTHING, without) == without
    assert both_ways(without, without) == without


def test_different_switches_add_up() -> None:
    found = both_ways(Restrictions(pty=False), Restrictions(x11_forwarding=False))
    assert found == Restrictions(pty=False, x11_forwarding=False)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (None, None, None),
        (None, ("db:1",), ("db:1",)),
        (("db:1", "web:80"), ("web:80", "db:2"), ("web:80",)),
        (("db:1",), ("db:2",), ()),
        ((), None, ()),
        ((), ("db:1",), ()),
    ],
)
@pytest.mark.parametrize("name", ["permit_open", "permit_listen"])
def test_a_target_is_permitted_where_both_permit_it(
    name: str,
    first: tuple[str, ...] | None,
    second: tuple[str, ...] | None,
    expected: tuple[str, ...] | None,
) -> None:
    one, other = (replace(NOTHING, **{name: given}) for given in (first, second))
    assert both_ways(one, other) == replace(NOTHING, **{name: expected})


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (None, None, Restrictions()),
        ("menu", None, Restrictions(command="menu")),
        ("menu", "menu", Restrictions(command="menu")),
        ("", None, Restrictions(command="")),
        ("menu", "notes", None),
        ("menu", "", None),
    ],
)
def test_two_commands_cannot_both_be_obeyed(
    first: str | None, second: str | None, expected: Restrictions | None
) -> None:
    assert both_ways(Restrictions(command=first), Restrictions(command=second)) == expected


def test_the_first_value_of_a_variable_counts() -> None:
    found = together(
        Restrictions(environment=(("A", "1"), ("B", "2"))),
        Restrictions(environment=(("C", "3"), ("A", "other"))),
    )
    assert found is not None
    assert dict(found.environment) == {"A": "1", "B": "2", "C": "3"}


def test_a_condition_of_either_is_a_condition() -> None:
    limited = Restrictions(limited=True)
    assert both_ways(NOTHING, limited) == limited


def test_every_restriction_is_looked_at() -> None:
    """A new one has to be joined by `together`, and get a row here."""
    known = {*SWITCHES, "command", "environment", "permit_open", "permit_listen", "limited"}
    assert {field.name for field in fields(Restrictions)} == known
