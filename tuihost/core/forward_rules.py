"""Where forwards may lead: the operator's rules for real addresses, as values. No I/O.

These are all the rules of dialling:
1. Only targets that a rule names are dialled. A rule names a host (a pattern of names), an address
   or a network, and a port, a range of ports or `*`; or it names Unix sockets.
   A pattern such as `10.1.*` is one of addresses, and is compared with what a name resolves to.
2. A rule that names a host reaches what that name resolves to, except this machine itself (its own
   addresses too), its link, and where clouds keep secrets: loopback, link-local, unspecified,
   multicast. Only a rule that names an address or a network, or `localhost`, leads there.
3. A name is resolved once, and only an address that was judged is dialled.
4. The host's own port is never dialled, whatever the rules say.

For listening, rules of the same form name what may be bound. An address that no rule names is not
bound, and a client's "all addresses" means all of them or none.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network

from tuihost.core.sources import Address, Network, unwrapped
from tuihost.wire import SocketAddress, TcpAddress, UnixAddress

_TCP = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<host>[^:\[\]]+)):(?P<ports>\*|\d+(?:-\d+)?)")
_OF_ADDRESSES = re.compile(r"[0-9.*?/]*[0-9][0-9.*?/]*|[0-9a-f.:*?/]*:[0-9a-f.:*?/]*")
_HOST = re.compile(r"[A-Za-z0-9*?._-]{1,255}")

MAX_PORT = 65_535
ANY_PORT = range(MAX_PORT + 1)
EVERYWHERE = ("0.0.0.0", "::")
LOOPBACK = ("127.0.0.1", "::1")
# Where clouds answer with secrets of the machine that asks, besides the link-local 169.254.169.254:
# AWS, Google, Alibaba, Oracle, Azure. And NAT64 of a site (RFC 8215), which may lead anywhere.
_CONFIDENTIAL: tuple[Network, ...] = tuple(
    ip_network(name)
    for name in (
        "fd00:ec2::/32",
        "fd20:ce::/32",
        "100.100.100.200/32",
        "192.0.0.192/32",
        "168.63.129.16/32",
        "64:ff9b:1::/48",
    )
)


@dataclass(frozen=True, slots=True)
class HostRule:
    """Hosts by a pattern of their names, in lower-case letters."""

    pattern: str
    ports: range


@dataclass(frozen=True, slots=True)
class NetworkRule:
    """The addresses of a network, or a single one."""

    network: Network
    ports: range


@dataclass(frozen=True, slots=True)
class UnixRule:
    """Unix sockets of one folder, which is given to the letter, by a pattern of their names."""

    folder: str
    pattern: str

    def names(self, path: str) -> bool:
        """Whether it names that socket: a clean absolute path."""
        if posixpath.normpath(path) != path or "\0" in path:
            return False
        folder, name = posixpath.split(path)
        return folder == self.folder and fnmatchcase(name, self.pattern)


TcpRule = HostRule | NetworkRule
Rule = TcpRule | UnixRule


def rule_of(text: str) -> Rule:
    """Reads one rule: `db.example.org:5432`, `10.0.0.0/8:22`, `[::1]:8000-8099`, `*.example.org:*`,
    `/run/app/*.sock`. Raises `ValueError` with what is wrong."""
    if text.startswith("/"):
        folder, name = posixpath.split(text)
        if posixpath.normpath(text) != text or not name or set(folder) & set("*?["):
            raise ValueError("the path of a socket may have patterns in the file's name only")
        return UnixRule(folder, name)
    found = _TCP.fullmatch(text)
    if found is None:
        raise ValueError("should be host:port, address:port, network:port or a path")
    ports = _ports(found["ports"])
    host = found["six"] or found["host"]
    try:
        return NetworkRule(ip_network(host, strict=False), ports)
    except ValueError:
        if found["six"] or "/" in host or not _HOST.fullmatch(host):
            raise ValueError(f"{host!r} is not a host, an address or a network") from None
    return HostRule(host.lower(), ports)


def _ports(text: str) -> range:
    if text == "*":
        return ANY_PORT
    first, _, last = text.partition("-")
    low, high = int(first), int(last or first)
    if not 0 < low <= high <= MAX_PORT:
        raise ValueError(f"{text} is not a port or a range of ports")
    return range(low, high + 1)


def literal(host: str) -> Address | None:
    """The address that `host` is written as, as it counts; None if it is a name."""
    try:
        return unwrapped(ip_address(host.partition("%")[0]))
    except ValueError:
        return None


def is_near(address: Address) -> bool:
    """This machine, its link, what a cloud tells its machines in confidence, or nobody in
    particular: never reached by a name."""
    return (
        any(address in network for network in _CONFIDENTIAL)
        or address.is_loopback
        or address.is_link_local
        or address.is_unspecified
        or address.is_multicast
        or address.is_reserved
    )


# ---------------------------------------------------------------------------------- dialling


def may_dial(rules: Iterable[Rule], target: SocketAddress) -> bool:
    """Whether `target` might be dialled: asked before anything is resolved."""
    return any(_might_reach(rule, target) for rule in rules)


def _might_reach(rule: Rule, target: SocketAddress) -> bool:
    match rule, target:
        case UnixRule(), UnixAddress(path):
            return rule.names(path)
        case HostRule(pattern, ports), TcpAddress(host, port):
            later = names_addresses(pattern) and literal(host) is None
            return port in ports and (later or fnmatchcase(_spelled(host), pattern))
        case NetworkRule(network, ports), TcpAddress(host, port):
            address = literal(host)
            return port in ports and (address is None or address in network)
        case _:
            return False


def reachable(
    rules: Iterable[Rule],
    target: TcpAddress,
    addresses: Iterable[Address],
    *,
    own: Collection[Address] = (),
) -> Iterator[Address]:
    """Those of `addresses`, which `target` resolved to, that may be dialled, in their order. `own`
    are those of them that are this machine's."""
    rules = tuple(rules)
    for address in addresses:
        near = address in own or is_near(unwrapped(address))
        if any(_reaches(rule, target, unwrapped(address), near) for rule in rules):
            yield address


def _reaches(rule: Rule, target: TcpAddress, address: Address, near: bool) -> bool:
    match rule:
        case NetworkRule(network, ports):
            return target.port in ports and address in network
        case HostRule(pattern, ports):
            host = _name(target.host)
            named = str(address) if names_addresses(pattern) else _spelled(target.host)
            if target.port not in ports or not fnmatchcase(named, pattern):
                return False
            home = pattern == host == "localhost" and address.is_loopback
            return home or not near
        case UnixRule():
            return False


# --------------------------------------------------------------------------------- listening


def bind_addresses(host: str) -> tuple[str, ...] | None:
    """The addresses that a client means by the host of a remote forward (RFC 4254 §7.1); None
    if it is a name, which is nothing to listen on."""
    match _name(host):
        case "" | "*":
            return EVERYWHERE
        case "localhost":
            return LOOPBACK
        case name:
            return (name,) if literal(name) is not None else None


def may_listen(rules: Iterable[Rule], address: SocketAddress) -> bool:
    """Whether `address` may be bound. Everywhere is a place of its own, which only `*`, an
    unspecified address or a network of all addresses names."""
    return any(_may_bind(rule, address) for rule in rules)


def _may_bind(rule: Rule, address: SocketAddress) -> bool:
    match rule, address:
        case UnixRule(), UnixAddress(path):
            return rule.names(path)
        case HostRule(pattern, ports), TcpAddress(host, port):
            known = bind_addresses(host) is not None
            return known and port in ports and pattern in (_name(host) or "*", "*")
        case NetworkRule(network, ports), TcpAddress(host, port):
            wanted = bind_addresses(host)
            if wanted is None or port not in ports:
                return False
            return all(_covers(network, each) for each in wanted)
        case _:
            return False


def _covers(network: Network, address: str) -> bool:
    found = literal(address)
    assert found is not None, "what is bound is an address"
    # `::1` is asked for beside 127.0.0.1 wherever `localhost` is; a rule for the one is enough.
    if found.version != network.version:
        return found.is_loopback and network.is_loopback
    return found in network


def free_ports(rules: Iterable[Rule], host: str) -> tuple[range, ...]:
    """The ranges in which a port may be chosen for a client that leaves it open."""
    return tuple(
        range(max(1, rule.ports.start), rule.ports.stop)
        for rule in rules
        if not isinstance(rule, UnixRule) and _may_bind(rule, TcpAddress(host, rule.ports[-1]))
    )


def key_permits(patterns: Iterable[str] | None, address: SocketAddress) -> bool:
    """Whether a key's `permitopen` or `permitlisten` lets that through: `host:port`, in which each
    may be `*` (sshd(8)); None if the key says nothing. A Unix socket has neither, and is let
    through by `*:*` alone."""
    if patterns is None:
        return True
    match address:
        case TcpAddress(host, port):
            return any(_permits(pattern, _name(host), str(port)) for pattern in patterns)
        case UnixAddress():
            return "*:*" in patterns


def _permits(pattern: str, host: str, port: str) -> bool:
    named, _, wanted = pattern.rpartition(":")
    return wanted in ("*", port) and named.strip("[]").lower() in ("*", host)


def names_addresses(host: str) -> bool:
    """Whether a pattern such as `10.1.*` or `fd00:*` is one of addresses. It names no host then:
    anybody can have a name such as `10.1.example.org`."""
    return _OF_ADDRESSES.fullmatch(host.lower()) is not None


def _spelled(host: str) -> str:
    """A host as patterns see it: an address in its plain form, or a name."""
    address = literal(host)
    return _name(host) if address is None else str(address)


def _name(host: str) -> str:
    """A host as names are compared: lower-case letters, without the root's dot."""
    return host.strip().lower().removesuffix(".")
