"""The patterns of `roles.forwards`: which targets they name, before a name is resolved and after.

A pattern is `host:port`, in which each may have `*`, `?` and `[…]`; or it is that of a path. One
whose host could be an address (`10.1.*`, `10.0.0.0/8`, `[fd00::*]`) names addresses and no names:
anybody can have a name such as `10.1.example.org`. So it is asked again once the target's name was
resolved.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from ipaddress import ip_network

from tuihost.core.forward_rules import MAX_PORT, literal, names_addresses
from tuihost.core.sources import Address, unwrapped
from tuihost.wire import SocketAddress, TcpAddress, UnixAddress

_WILD = frozenset("*?[")


def might_name(patterns: Iterable[str], target: SocketAddress) -> bool:
    """Whether the target might be named: asked before it is resolved."""
    match target:
        case UnixAddress(path):
            return any(fnmatchcase(path, pattern) for pattern in patterns)
        case TcpAddress(host):
            address = literal(host)
            return any(
                _names(pattern, target)
                if address is not None or not _of_addresses(pattern)
                else _names_port(pattern, target)
                for pattern in patterns
            )


def names(patterns: Iterable[str], target: TcpAddress, address: Address) -> bool:
    """Whether the target is named, now that it has come to that address."""
    found = TcpAddress(str(unwrapped(address)), target.port)
    return any(_names(pattern, found if _of_addresses(pattern) else target) for pattern in patterns)


def target_problem(pattern: str) -> str | None:
    """What is wrong with a pattern of targets; None if it can name some."""
    if pattern.startswith("/") or (":" not in pattern and pattern.endswith("*")):
        return None
    host, port = _parts(pattern)
    if ":" not in pattern or not host:
        return "should be host:port (host:* for every port) or the path of a socket"
    if not set(port) & _WILD and not (port.isdecimal() and int(port) <= MAX_PORT):
        return f"{port!r} is not a port"
    if "/" in host:
        try:
            ip_network(host, strict=False)
        except ValueError:
            return f"{host!r} is not a network"
    return None


def _names(pattern: str, target: TcpAddress) -> bool:
    host, _ = _parts(pattern)
    if not _names_port(pattern, target):
        return False
    if not _of_addresses(pattern):
        return fnmatchcase(target.host, host)
    address = literal(target.host)
    if "/" in host:
        try:
            return address is not None and address in ip_network(host, strict=False)
        except ValueError:
            return False
    return address is not None and fnmatchcase(str(address), host)


def _names_port(pattern: str, target: TcpAddress) -> bool:
    return not pattern.startswith("/") and fnmatchcase(str(target.port), _parts(pattern)[1])


def _of_addresses(pattern: str) -> bool:
    return names_addresses(_parts(pattern)[0])


def _parts(pattern: str) -> tuple[str, str]:
    """Host and port; without a port, any."""
    host, colon, port = pattern.rpartition(":")
    if not colon:
        return pattern, "*"
    if host.startswith("[") and host.endswith("]") and ":" in host:
        host = host[1:-1].lower()
    return host, port
