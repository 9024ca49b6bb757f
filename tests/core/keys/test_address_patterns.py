"""Where a key may come from."""

from __future__ import annotations

import time

import pytest

from tests.core.keys.examples import KEY, let_in
from tests.waiting import allowed
from tuihost.core.keys.address_patterns import AddressPatterns, networks


@pytest.mark.parametrize(
    ("patterns", "yes", "no"),
    [
        ("192.0.2.7", ["192.0.2.7", "::ffff:192.0.2.7"], ["192.0.2.70", "", "host"]),
        ("192.0.2.0/24,2001:db8::/32", ["192.0.2.9", "2001:db8:1::1"], ["192.0.3.1", "::1"]),
        ("192.0.*", ["192.0.2.7", "192.0.99.1"], ["192.1.2.7", "2001:db8::1"]),
        ("10.0.0.?", ["10.0.0.1"], ["10.0.0.10", "10.0.0."]),
        ("2001:DB8:*", ["2001:db8::1"], ["2001:db9::1", "192.0.2.1"]),
        ("*", ["192.0.2.7", "::1", "fe80::1%eth0"], ["", "nowhere"]),
        ("*,!10.0.0.0/8", ["192.0.2.7"], ["10.1.1.1"]),
        ("!10.0.0.1,10.*", ["10.0.0.2"], ["10.0.0.1"]),
        ("::1", ["::1", "0:0::1"], ["127.0.0.1"]),
    ],
)
def test_from(patterns: str, yes: list[str], no: list[str]) -> None:
    line = f'from="{patterns}" {KEY}'
    for address in yes:
        assert let_in(line, peer_address=address) is not None, address
    for address in no:
        assert let_in(line, peer_address=address) is None, address


@pytest.mark.parametrize(
    "patterns",
    ["host", "*.example.com", "!10.0.0.1", "10.0.0.1/8", "10.0.0.0/33", "", "10.0.0.1,,", "caf?",
     "*,!evil.example.com", "!cafe.bad,*", "[::1]", "10.0.0.1 10.0.0.2", ",".join(["::1"] * 300)],
)  # fmt: skip
def test_from_with_a_name_or_nonsense_is_refused(patterns: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        AddressPatterns.parse(patterns)


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    pattern = AddressPatterns.parse("*:" * 30 + "*")
    began = time.perf_counter()
    assert not pattern.match("2001:db8:1:2:3:4:5:6")
    assert time.perf_counter() - began < allowed(0.05)


def test_the_networks_of_a_certificate() -> None:
    assert networks("10.0.0.0/8,::1") == ("10.0.0.0/8", "::1/128")
    for wrong in ("", "10.0.0.*", "!10.0.0.1", "10.0.0.1/8", "host", ",".join(["::1"] * 300)):
        with pytest.raises(ValueError, match=r".+"):
            networks(wrong)
