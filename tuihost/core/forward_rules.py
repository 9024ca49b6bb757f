"""Where forwards may lead: the operator's rules for real addresses, as values. No I/O.

The rules of dialling, all of them:
1. Nothing is dialled that no rule names. A rule names a host (a pattern of names), an address or a
   network, and a port, a range of ports or `*`.
2. A rule that names a host reaches what that name resolves to, but for this machine itself and its
   link: loopback, link-local, unspecified, multicast. Only a rule that names an address or a
   network, or `localhost`, leads there.
3. A name is resolved once, and what is dialled is an address that was judged.
4. The host's own port is never dialled, whatever the rules say.

For listening the same rules name what may be bound; an address that nobody named is not bound,
and a client's "all addresses" is all of them or none.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_PLACE = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<host>[^:\[\]]+)):(?P<ports>\*|\d+(?:-\d+)?)")
_HOST = re.compile(r"[A-Za-z0-9*?._-]{1,255}")

MAX_PORT = 65_535
EVERYWHERE = ("0.0.0.0", "::")
LOOPBACK = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class ForwardPlace:
    """What one rule of the operator names. Exactly one of `host`, `network` and `path` is set;
    `host` is a pattern in small letters, `path` one of a file's name within a fixed folder."""

    host: str | None = None
    network: Network | None = None
    path: str | None = None
    first: int = 0
    last: int = MAX_PORT

    def has_port(self, port: int) -> bool:
        return self.first <= port <= self.last and self.path is None

    def names(self, host: str) -> bool:
        """Whether it names that host, or that address, as somebody wrote it."""
        if self.host is not None:
            return fnmatchcase(_name(host), self.host)
        address = literal(host)
        return address is not None and self.reaches(address)

    def reaches(self, address: Address) -> bool:
        """Whether it names a network with that address in it."""
        return self.network is not None and address in self.network

    def has_path(self, path: str) -> bool:
        """Whether it names that Unix socket: a clean absolute path, the folder to the letter."""
        if self.path is None or posixpath.normpath(path) != path or "\0" in path:
            return False
        folder, name = posixpath.split(self.path)
        return posixpath.dirname(path) == folder and fnmatchcase(posixpath.basename(path), name)


def place_of(text: str) -> ForwardPlace:
    """Reads one rule: `db.example.org:5432`, `10.0.0.0/8:22`, `[::1]:8000-8099`, `*.example.org:*`,
    `/run/app/*.sock`. Raises `ValueError` with what is wrong."""
    if text.startswith("/"):
        folder, name = posixpath.split(text)
        if posixpath.normpath(text) != text or not name or set(folder) & set("*?["):
            raise ValueError("a path of a socket has its patterns in the file's name only")
        return ForwardPlace(path=text)
    found = _PLACE.fullmatch(text)
    if found is None:
        raise ValueError("should be host:port, address:port, network:port or a path")
    first, last = _ports(found["ports"])
    host = found["six"] or found["host"]
    try:
        return ForwardPlace(network=ip_network(host, strict=False), first=first, last=last)
    except ValueError:
        if found["six"] or "/" in host or not _HOST.fullmatch(host):
            raise ValueError(f"{host!r} is neither a host nor an address nor a network") from None
    return ForwardPlace(host=host.lower(), first=first, last=last)


def _ports(text: str) -> tuple[int, int]:
    if text == "*":
        return 0, MAX_PORT
    first, _, last = text.partition("-")
    low, high = int(first), int(last or first)
    if not 0 < low <= high <= MAX_PORT:
        raise ValueError(f"{text} is no port or range of ports")
    return low, high


def literal(host: str) -> Address | None:
    """The address that `host` is written as, as it counts; None where it is a name."""
    try:
        return plain(ip_address(host.partition("%")[0]))
    except ValueError:
        return None


def plain(address: Address) -> Address:
    """What an address comes to: an IPv4 one where it wraps that up."""
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address.sixtofour or address
    return address


def is_near(address: Address) -> bool:
    """This machine, its link, or nobody in particular: never reached by a name."""
    return (
        address.is_loopback
        or address.is_link_local
        or address.is_unspecified
        or address.is_multicast
        or address.is_reserved
    )


def may_dial(rules: Iterable[ForwardPlace], host: str, port: int) -> bool:
    """Whether some address of `host` might be dialled: asked before anything is resolved."""
    return any(
        rule.has_port(port) and (rule.names(host) or (rule.network and literal(host) is None))
        for rule in rules
    )


def reachable(
    rules: Iterable[ForwardPlace], host: str, port: int, addresses: Iterable[Address]
) -> Iterator[Address]:
    """Those of `addresses`, which `host` resolved to, that may be dialled, in their order."""
    rules = tuple(rule for rule in rules if rule.has_port(port))
    by_name = any(rule.host is not None and rule.names(host) for rule in rules)
    home = _name(host) == "localhost" and any(rule.host == "localhost" for rule in rules)
    for found in addresses:
        address = plain(found)
        if (
            any(rule.reaches(address) for rule in rules)
            or (by_name and not is_near(address))
            or (home and address.is_loopback)
        ):
            yield found


def bind_addresses(host: str) -> tuple[str, ...] | None:
    """The addresses that a client means by the host of a remote forward (RFC 4254 §7.1); None
    where it is a name, which is nothing to listen on."""
    match _name(host):
        case "" | "*":
            return EVERYWHERE
        case "localhost":
            return LOOPBACK
        case name:
            return (name,) if literal(name) is not None else None


def may_listen(rules: Iterable[ForwardPlace], host: str, port: int) -> bool:
    """Whether `host` and `port` may be bound. Everywhere is a place of its own, which only `*`, an
    unspecified address or a network of all addresses names."""
    addresses = bind_addresses(host)
    if addresses is None:
        return False
    named = [rule for rule in rules if rule.has_port(port)]
    return any(
        rule.host in (_name(host) or "*", "*") or all(_covers(rule, one) for one in addresses)
        for rule in named
    )


def _covers(rule: ForwardPlace, address: str) -> bool:
    found = literal(address)
    if rule.network is None or found is None:
        return False
    # `::1` is asked for beside 127.0.0.1 wherever `localhost` is; a rule for the one is enough.
    if found.version != rule.network.version:
        return found.is_loopback and rule.network.is_loopback
    return found in rule.network


def free_ports(rules: Iterable[ForwardPlace], host: str) -> tuple[range, ...]:
    """The ranges in which a port may be chosen for a client that leaves it open."""
    spans = (range(max(1, rule.first), rule.last + 1) for rule in rules if rule.path is None)
    return tuple(span for span in spans if may_listen(rules, host, span[0]))


def key_permits(patterns: Iterable[str] | None, host: str, port: int) -> bool:
    """Whether a key's `permitopen` or `permitlisten` lets that through: `host:port`, in which each
    may be `*` (sshd(8)); None where the key says nothing."""
    if patterns is None:
        return True
    for pattern in patterns:
        named, _, wanted = pattern.rpartition(":")
        if wanted in ("*", str(port)) and named.strip("[]").lower() in ("*", _name(host)):
            return True
    return False


def _name(host: str) -> str:
    """A host as names are compared: small letters, without the root's dot."""
    return host.strip().lower().removesuffix(".")
