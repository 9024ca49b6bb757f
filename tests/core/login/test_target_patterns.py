"""Which targets the patterns of `roles.forwards` name."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from tuihost.core.login._target_patterns import might_name, names
from tuihost.core.login.rights import Rights, target_problem
from tuihost.wire import TcpAddress, UnixAddress

INNER, OUTER = ip_address("10.1.2.3"), ip_address("8.8.8.8")


@pytest.mark.parametrize(
    ("pattern", "host", "address", "named"),
    [
        ("10.1.*:22", "10.1.attacker.example", "8.8.8.8", False),
        ("10.1.*:22", "10.1.attacker.example", "10.1.2.3", True),
        ("10.1.*:22", "inner.example", "10.1.2.3", True),
        ("10.1.*:22", "10.1.2.3", "10.1.2.3", True),
        ("10.1.*:22", "::ffff:10.1.2.3", "::ffff:10.1.2.3", True),
        ("10.1.*:22", "64:ff9b::a01:203", "64:ff9b::a01:203", True),
        ("10.1.*:*", "10.2.2.3", "10.2.2.3", False),
        ("10.1.*:23", "10.1.2.3", "10.1.2.3", False),
        ("10.0.0.0/8:22", "inner.example", "10.1.2.3", True),
        ("10.0.0.0/8:22", "inner.example", "8.8.8.8", False),
        ("[fd00::*]:22", "inner.example", "fd00::1", True),
        ("fd00::*:22", "fd00::1", "fd00::1", True),
        ("[fd00::*]:22", "fd00.example", "8.8.8.8", False),
        ("*.example:22", "db.example", "10.1.2.3", True),
        ("*.example:22", "10.1.2.3", "10.1.2.3", False),
        ("db*:22", "db1", "8.8.8.8", True),
        ("*:22", "anything", "8.8.8.8", True),
        ("*", "anything", "8.8.8.8", True),
        ("10.1.*", "10.1.attacker.example", "8.8.8.8", False),
    ],
)
def test_a_pattern_of_addresses_names_addresses_and_one_of_names_names(
    pattern: str, host: str, address: str, named: bool
) -> None:
    target = TcpAddress(host, 22)
    asked = might_name([pattern], target) and names([pattern], target, ip_address(address))
    assert asked is named
    rights = Rights(forwards=(pattern,))
    assert (rights.forward(target) and rights.forward_to(target, ip_address(address))) is named


def test_what_cannot_be_named_is_refused_before_anything_is_resolved() -> None:
    assert not might_name(["10.1.*:22"], TcpAddress("10.2.2.3", 22))
    assert not might_name(["10.1.*:22"], TcpAddress("inner.example", 23))
    assert not might_name([], TcpAddress("inner.example", 22))
    assert might_name(["/run/*.sock"], UnixAddress("/run/a.sock"))
    assert not might_name(["/run/*.sock"], UnixAddress("/run/a"))


def test_a_network_that_cannot_be_one_names_nothing() -> None:
    address = ip_address("10.1.2.3")
    assert not names(["10.1.0.0/99:22"], TcpAddress("10.1.2.3", 22), address)
    assert names(["10.1.0.0/16:22"], TcpAddress("10.1.2.3", 22), address)
    assert not might_name(["10.1.0.0/99:22"], TcpAddress("10.1.2.3", 22))
    assert not names(["10.1.*:22"], TcpAddress("10.1.2.3", 23), address)


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("db.example:22", None),
        ("10.0.0.0/8:22", None),
        ("10.1.*:2?", None),
        ("[fd00::*]:*", None),
        ("localhost:0", None),
        ("*", None),
        ("/run/app/*.sock", None),
        ("x", "should be host:port (host:* for every port) or the path of a socket"),
        (":22", "should be host:port (host:* for every port) or the path of a socket"),
        ("x:http", "'http' is not a port"),
        ("x:65536", "'65536' is not a port"),
        ("10.0.0/8:*", "'10.0.0/8' is not a network"),
    ],
)
def test_a_pattern_that_can_name_nothing_is_told(pattern: str, problem: str | None) -> None:
    assert target_problem(pattern) == problem
