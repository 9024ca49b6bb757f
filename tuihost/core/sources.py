"""Where connections come from, as the host counts them: one source is a block of addresses.

A person has one IPv4 address at most, but billions of IPv6 ones, so a source of those is a prefix
(RFC 6177 §2: a site has a /64 at least).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64 = IPv6Network("64:ff9b::/96")
_OWN_NAT64 = IPv6Network("64:ff9b:1::/48")  # RFC 8215: where in it the IPv4 address is, varies


def address_of(text: str) -> Address | None:
    """The address in `text`, without its zone; an IPv4 address within IPv6 is that IPv4 address
    (RFC 4291 §2.5.5.2). None if it is not an address."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one only carries: mapped (RFC 4291 §2.5.5.2), translated by
    NAT64 (RFC 6052 §2.1), or tunnelled by 6to4 (RFC 3056 §2) or Teredo (RFC 4380 §4). Any other is
    itself."""
    if not isinstance(address, IPv6Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    _, behind = address.teredo or (None, None)
    return address.ipv4_mapped or address.sixtofour or behind or address


@dataclass(frozen=True, slots=True)
class SourceBlocks:
    """How large a source is: bits of an IPv4 and of an IPv6 address. An IPv6 address that carries
    an IPv4 one counts as that: all of NAT64 is one prefix, all clients of a Teredo server are in
    one, and every IPv4 address has one of 6to4. In a network's own NAT64 prefix each address counts
    by itself, since each stands for one of IPv4."""

    bits_v4: int = 32
    bits_v6: int = 64

    def source(self, address: str) -> str:
        """The source of an address, such as `192.0.2.1` or `2001:db8:7:1::/64`."""
        return _source(address, self.bits_v4, self.bits_v6)


@lru_cache(maxsize=1024)  # several parts of the host ask about each connection
def _source(address: str, bits_v4: int, bits_v6: int) -> str:
    found = address_of(address)
    if found is None:
        return address
    found = unwrapped(found)
    if found in _OWN_NAT64:
        return str(found)
    bits = bits_v4 if found.version == 4 else bits_v6
    if bits == found.max_prefixlen:
        return str(found)
    return str(ip_network((found, bits), strict=False))


class Networks:
    """A list of networks that addresses can be in. Raises ValueError if one is not a network."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._networks: tuple[Network, ...] = tuple(ip_network(name) for name in names)

    def __contains__(self, address: object) -> bool:
        found = address_of(address) if isinstance(address, str) else None
        return found is not None and any(found in network for network in self._networks)

    def __bool__(self) -> bool:
        return bool(self._networks)
