"""Which addresses count as one."""

from __future__ import annotations

import pytest

from tuihost.core.sources import Networks, SourceBlocks, address_of


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:7:1:aaaa::1", "2001:db8:7:1::/64"),
        ("64:ff9b::c000:24d", "192.0.2.0/24"),
        ("2002:c000:24d::1", "192.0.2.0/24"),
        ("2001:0:c633:6401:0:f000:3fff:fdb2", "192.0.2.0/24"),
        ("2002:c000:24d:7::9", "192.0.2.0/24"),
        ("64:ff9b:1::c000:24d", "64:ff9b:1::c000:24d"),
        ("fe80::1%eth0", "fe80::/64"),
        ("a socket pair", "a socket pair"),
    ],
)
def test_a_source_is_a_block(address: str, source: str) -> None:
    assert SourceBlocks(24, 64).source(address) == source


def test_single_addresses_are_written_as_such() -> None:
    assert SourceBlocks(32, 128).source("192.0.2.1") == "192.0.2.1"
    assert SourceBlocks(32, 128).source("2001:DB8::1") == "2001:db8::1"
    assert SourceBlocks(32, 128).source("fe80::1%eth0") == "fe80::1"


def test_networks() -> None:
    networks = Networks(("10.0.0.0/8", "2001:db8::/32", "192.0.2.1"))
    assert "10.1.2.3" in networks
    assert "::ffff:10.1.2.3" in networks
    assert "2001:db8::1" in networks
    assert "192.0.2.1" in networks
    assert "192.0.2.2" not in networks
    assert "nowhere" not in networks
    assert 7 not in networks
    assert networks
    assert not Networks()
    assert address_of("nowhere") is None
    with pytest.raises(ValueError, match="host bits"):
        Networks(("10.0.0.1/8",))
