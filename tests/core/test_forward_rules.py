"""Where forwards may lead."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuihost.core.forward_rules import (
    HostRule,
    NetworkRule,
    bind_addresses,
    free_ports,
    is_near,
    key_permits,
    literal,
    may_dial,
    may_listen,
    reachable,
    rule_of,
)
from tuihost.wire import TcpAddress, UnixAddress

NEAR = [
    "127.0.0.1",
    "127.8.8.8",
    "::1",
    "169.254.169.254",
    "fe80::1",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "ff02::1",
    "240.0.0.1",
    "255.255.255.255",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "2002:7f00:1::",
    "2001:0:c000:201::80ff:fffe",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "169.254.169.254",
    "fd00:ec2::254",
    "100.100.100.200",
    "64:ff9b::6464:64c8",
]


def dials(rules: list[str], host: str, port: int, *addresses: str) -> list[str]:
    """What is dialled of `addresses` when `host` resolves to them."""
    read, target = [rule_of(rule) for rule in rules], TcpAddress(host, port)
    if not may_dial(read, target):
        return []
    found = {ip_address(address): address for address in addresses}
    return [found[address] for address in reachable(read, target, found)]


# ---------------------------------------------------------------------------------- the rules


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("db.example.org:5432", 5432, 5432),
        ("*.example.org:*", 0, 65535),
        ("10.0.0.0/8:1-1023", 1, 1023),
        ("[2001:db8::/32]:443", 443, 443),
        ("[::1]:8000-8099", 8000, 8099),
    ],
)
def test_a_rule_names_hosts_and_ports(text: str, first: int, last: int) -> None:
    rule = rule_of(text)
    assert isinstance(rule, HostRule | NetworkRule)
    assert (rule.ports[0], rule.ports[-1]) == (first, last)


@pytest.mark.parametrize(
    "text",
    [
        "db",
        "db:",
        ":80",
        "db:0",
        "db:70000",
        "db:90-80",
        "db:x",
        "::1:80",
        "[db]:80",
        "10.0.0.0/99:80",
        "d b:80",
        "/run/*/x.sock",
        "/run/../x",
        "/run/",
        "",
        "db:1-",
    ],
)
def test_a_rule_that_says_nothing_is_a_mistake(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        rule_of(text)


# --------------------------------------------------------------------------------- dialling


def test_nothing_is_dialled_without_a_rule() -> None:
    assert dials([], "db.example.org", 5432, "93.184.216.34") == []
    assert dials(["db.example.org:5432"], "db.example.org", 22, "93.184.216.34") == []
    assert dials(["db.example.org:5432"], "other.example.org", 5432, "93.184.216.34") == []


def test_a_name_reaches_what_it_resolves_to_by_any_spelling() -> None:
    for host in ("db.example.org", "DB.example.ORG", "db.example.org."):
        assert dials(["db.example.org:5432"], host, 5432, "10.1.2.3") == ["10.1.2.3"]


def test_each_rule_reaches_what_it_names_itself() -> None:
    rules = ["db.example.org:80", "other.example.org:22", "10.0.0.0/8:22"]
    assert dials(rules, "db.example.org", 80, "10.1.2.3") == ["10.1.2.3"]
    assert dials(rules, "db.example.org", 22, "10.1.2.3", "8.8.8.8") == ["10.1.2.3"]
    assert dials(rules, "other.example.org", 22, "8.8.8.8") == ["8.8.8.8"]
    assert dials(rules, "other.example.org", 80, "10.1.2.3") == []


@pytest.mark.parametrize("address", NEAR)
def test_no_name_leads_to_this_machine_or_its_link(address: str) -> None:
    assert dials(["*:*"], "rebound.example.org", 80, address) == []
    assert dials(["*:*"], address, 80, address) == []
    assert dials(["*:*"], "rebound.example.org", 80, "93.184.216.34", address) == ["93.184.216.34"]


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1", "localhost."])
def test_odd_spellings_of_loopback_are_names_that_resolve_to_it(host: str) -> None:
    assert dials(["*:*"], host, 80, "127.0.0.1") == []
    assert dials(["127.0.0.1:80"], host, 80, "127.0.0.1") == ["127.0.0.1"]


def test_an_address_or_a_network_is_reached_where_it_is_named() -> None:
    assert dials(["127.0.0.1:3000-3999"], "127.0.0.1", 3500, "127.0.0.1") == ["127.0.0.1"]
    assert dials(["127.0.0.1:3000-3999"], "127.0.0.2", 3500, "127.0.0.2") == []
    assert dials(["10.0.0.0/8:22"], "inner", 22, "10.9.9.9", "8.8.8.8") == ["10.9.9.9"]
    wrapped = "::ffff:7f00:1"
    assert dials(["127.0.0.0/8:80"], wrapped, 80, wrapped) == [wrapped]


def test_a_pattern_of_addresses_names_no_name() -> None:
    for rule in ("10.1.*:22", "10.1.?.*:22"):
        assert dials([rule], "10.1.attacker.example", 22, "8.8.8.8") == []
        assert dials([rule], "inner.example.org", 22, "10.1.2.3", "10.2.2.3") == ["10.1.2.3"]
        assert dials([rule], "10.1.2.3", 22, "10.1.2.3") == ["10.1.2.3"]
    assert dials(["127.*:22"], "127.0.0.1", 22, "127.0.0.1") == []


def test_no_name_leads_to_an_address_of_this_machine() -> None:
    own, target = ip_address("93.184.216.34"), TcpAddress("me.example.org", 80)
    by_name, by_address = rule_of("*:*"), rule_of("93.184.216.34:80")
    assert list(reachable([by_name], target, [own], own=[own])) == []
    assert list(reachable([by_address], target, [own], own=[own])) == [own]


def test_localhost_is_named_by_its_name() -> None:
    assert dials(["localhost:80"], "localhost", 80, "127.0.0.1", "::1") == ["127.0.0.1", "::1"]
    assert dials(["localhost:80"], "localhost.", 80, "127.0.0.1") == ["127.0.0.1"]
    assert dials(["localhost:80"], "rebound.example.org", 80, "127.0.0.1") == []


@given(st.ip_addresses(), st.integers(0, 65535))
def test_a_name_never_leads_near(address: object, port: int) -> None:
    found = literal(str(address))
    assert found is not None
    reached = dials(["*:*"], "some.example.org", port, str(address))
    assert bool(reached) == (not is_near(found))


# --------------------------------------------------------------------------------- listening


def listens(rules: list[str], host: str, port: int) -> bool:
    return may_listen([rule_of(rule) for rule in rules], TcpAddress(host, port))


def test_nothing_is_bound_without_a_rule() -> None:
    for host in ("", "*", "localhost", "127.0.0.1", "0.0.0.0", "::", "example.org"):
        assert not listens([], host, 9000)


def test_loopback_is_bound_where_it_is_named_and_everywhere_is_not() -> None:
    for rule in ("localhost:9000-9100", "127.0.0.1:9000-9100", "127.0.0.0/8:9000-9100"):
        assert listens([rule], "localhost", 9000)
        assert not listens([rule], "localhost", 9101)
        for host in ("", "*", "0.0.0.0", "::", "10.0.0.1", "example.org"):
            assert not listens([rule], host, 9000)


def test_everywhere_is_bound_where_that_is_said() -> None:
    assert listens(["*:9000"], "", 9000)
    assert listens(["*:9000"], "*", 9000)
    assert listens(["0.0.0.0:9000"], "0.0.0.0", 9000)
    assert not listens(["0.0.0.0:9000"], "", 9000), "that is IPv6 too"


def test_a_name_is_nothing_to_listen_on() -> None:
    assert not listens(["*:9000"], "example.org", 9000)
    assert bind_addresses("example.org") is None


def test_a_port_that_is_left_open_is_chosen_where_one_may_be() -> None:
    rules = [rule_of("localhost:9000-9100"), rule_of("10.0.0.1:80"), rule_of("/run/x.sock")]
    assert free_ports(rules, "localhost") == (range(9000, 9101),)
    assert free_ports(rules, "") == ()
    assert free_ports([rule_of("*:*")], "") == (range(1, 65536),)


def test_a_port_is_not_chosen_from_a_rule_for_another_address() -> None:
    rules = [rule_of("10.0.0.1:80-90"), rule_of("localhost:80")]
    assert free_ports(rules, "localhost") == (range(80, 81),)


# --------------------------------------------------------------------------- sockets and keys


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/run/app/a.sock", True),
        ("/run/app/../secret/a.sock", False),
        ("/run/app/x/a.sock", False),
        ("/run/app//a.sock", False),
        ("/run/app/a.sock\0", False),
        ("run/app/a.sock", False),
        ("/run/app/a", False),
    ],
)
def test_a_socket_is_named_by_its_folder_and_a_pattern(path: str, named: bool) -> None:
    rules = [rule_of("/run/app/*.sock")]
    assert may_dial(rules, UnixAddress(path)) is named
    assert may_listen(rules, UnixAddress(path)) is named


def test_a_socket_is_not_a_host() -> None:
    rules = [rule_of("/run/x.sock")]
    named_like_it = TcpAddress("/run/x.sock", 0)
    assert not may_dial(rules, named_like_it)
    assert not may_listen(rules, named_like_it)
    assert not may_listen(rules, TcpAddress("127.0.0.1", 1))
    assert list(reachable(rules, named_like_it, [ip_address("8.8.8.8")])) == []
    assert not may_dial([rule_of("*:*"), rule_of("0.0.0.0/0:*")], UnixAddress("/run/x.sock"))
    assert not may_listen([rule_of("*:*"), rule_of("0.0.0.0/0:*")], UnixAddress("/run/x.sock"))


@pytest.mark.parametrize(
    ("patterns", "host", "port", "permitted"),
    [
        (None, "db", 5432, True),
        ((), "db", 5432, False),
        (("db:5432",), "DB.", 5432, True),
        (("db:*",), "db", 1, True),
        (("*:80",), "anything", 80, True),
        (("[::1]:80",), "::1", 80, True),
        (("db:5432",), "db", 5433, False),
        (("db:5432",), "d*", 5432, False),
    ],
)
def test_a_key_permits_what_it_names(
    patterns: tuple[str, ...] | None, host: str, port: int, permitted: bool
) -> None:
    assert key_permits(patterns, TcpAddress(host, port)) is permitted


@pytest.mark.parametrize(
    ("patterns", "permitted"),
    [(None, True), ((), False), (("*:80", "/s:*"), False), (("*:*",), True)],
)
def test_a_key_permits_sockets_where_it_permits_everything(
    patterns: tuple[str, ...] | None, permitted: bool
) -> None:
    assert key_permits(patterns, UnixAddress("/s")) is permitted


def test_a_name_is_not_even_resolved_for_another_port() -> None:
    rules = [rule_of("db.example.org:5432"), rule_of("10.1.*:22")]
    assert may_dial(rules, TcpAddress("db.example.org", 5432))
    assert may_dial(rules, TcpAddress("anything.example.org", 22))
    assert not may_dial(rules, TcpAddress("db.example.org", 80))
    assert not may_dial(rules, TcpAddress("10.1.0.1", 80))
