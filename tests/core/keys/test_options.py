"""What each option of a key's line does."""

from __future__ import annotations

import calendar
import time

import pytest

from tests.core.keys.examples import KEY, let_in, options
from tuihost.core.keys.authorized_keys import parse_line
from tuihost.core.keys.options import MAX_VALUES
from tuihost.wire import Restrictions


def test_what_may_not_be_done() -> None:
    assert options("restrict").restrictions == Restrictions(
        pty=False, port_forwarding=False, x11_forwarding=False, agent_forwarding=False, limited=True
    )
    assert options("restrict,pty,X11-forwarding").restrictions == Restrictions(
        port_forwarding=False, agent_forwarding=False, limited=True
    )
    assert options("no-PTY,no-port-forwarding,no-user-rc,user-rc").restrictions == Restrictions(
        pty=False, port_forwarding=False, limited=True
    )
    assert options("no-X11-forwarding,no-agent-forwarding").restrictions == Restrictions(
        x11_forwarding=False, agent_forwarding=False, limited=True
    )
    assert options("restrict,agent-forwarding,port-forwarding").restrictions == Restrictions(
        pty=False, x11_forwarding=False, limited=True
    )


EVERYTHING_BACK = "restrict,pty,port-forwarding,agent-forwarding,X11-forwarding,user-rc"


@pytest.mark.parametrize(
    ("text", "limited"),
    [
        (EVERYTHING_BACK, True),
        ("no-pty,pty", True),
        ("verify-required,no-verify-required", True),
        ('from="*"', True),
        ('expiry-time="20991231"', True),
        ('command="menu"', True),
        ('environment="A=1"', True),
        ('permitopen="*:*"', True),
        ('permitlisten="*:*"', True),
        ("pty,no-user-rc,no-touch-required,no-verify-required", False),
        ('tunnel="0"', False),
    ],
)
def test_a_line_with_an_option_that_limits_is_limited(text: str, limited: bool) -> None:
    """Whatever another option gives back."""
    assert options(text).restrictions.limited is limited


def test_a_command_keeps_its_quotes_and_commas() -> None:
    line = r'command="say \"a, b\" C:\dir",no-pty'
    assert options(line).command == r'say "a, b" C:\dir'
    assert options(line).no_pty


def test_an_environment_and_ports() -> None:
    found = options('environment="A=1",environment="B=x=y",environment="A=2"')
    assert found.environment == (("A", "1"), ("B", "x=y"))
    found = options('permitopen="db:5432",permitopen="[::1]:*",permitlisten="8080"')
    assert found.permitopen == ("db:5432", "[::1]:*")
    assert found.permitlisten == ("*:8080",)
    assert options('permitlisten="localhost:80"').permitlisten == ("localhost:80",)


def test_an_option_cannot_be_repeated_without_end() -> None:
    many = ",".join(f'permitopen="h:{n}"' for n in range(1, MAX_VALUES + 1))
    assert len(options(many).permitopen or ()) == MAX_VALUES
    with pytest.raises(ValueError, match="more than"):
        parse_line(f'{many},permitopen="h:99" {KEY}')


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("20301231Z", calendar.timegm((2030, 12, 31, 0, 0, 0))),
        ("203012312359Z", calendar.timegm((2030, 12, 31, 23, 59, 0))),
        ("20301231235958Z", calendar.timegm((2030, 12, 31, 23, 59, 58))),
    ],
)
def test_an_expiry(text: str, seconds: float) -> None:
    assert options(f'expiry-time="{text}"').expiry == seconds
    line = f'expiry-time="{text}" {KEY}'
    assert let_in(line, now=seconds - 1) is not None
    assert let_in(line, now=seconds) is None


def test_an_expiry_without_a_zone_is_the_hosts_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC-2")
    time.tzset()
    try:
        expected = calendar.timegm((2030, 12, 30, 22, 0, 0))
        assert options('expiry-time="20301231"').expiry == expected
    finally:
        monkeypatch.undo()
        time.tzset()
