"""Where a key may come from: the lists of `from=` and of a certificate's source-address.

ssh_config(5) PATTERNS and sshd(8) `from=`, for addresses only. This host never looks up the name of
an address (a login would depend on a name service), so a list with a name in it is refused rather
than half obeyed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from tuihost.core.sources import Address, address_of

MAX_PATTERNS = 256

# Digits, dots and wildcards are IPv4's; hexadecimal needs a colon, or `cafe` would be an address.
_WILD = re.compile(r"[0-9.*?]{1,64}|(?=[^:]*:)[0-9a-f.:*?]{1,64}")


@dataclass(frozen=True, slots=True)
class AddressPatterns:
    """Networks and wildcard patterns that an address may match, and those that it must not."""

    wanted: tuple[IPv4Network | IPv6Network | str, ...]
    unwanted: tuple[IPv4Network | IPv6Network | str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> AddressPatterns:
        """From a list with commas; `!` marks what must not match. Raises ValueError."""
        names = [name.strip() for name in text.split(",")]
        if len(names) > MAX_PATTERNS:
            raise ValueError(f"more than {MAX_PATTERNS} addresses")
        wanted = tuple(_pattern(name) for name in names if not name.startswith("!"))
        unwanted = tuple(_pattern(name[1:]) for name in names if name.startswith("!"))
        if not wanted:
            raise ValueError("no address that may match")
        return cls(wanted, unwanted)

    def match(self, address: str) -> bool:
        """Whether a connection from there is allowed; never for a text that is not an address."""
        found = address_of(address)
        return (
            found is not None
            and any(_matches(pattern, found) for pattern in self.wanted)
            and not any(_matches(pattern, found) for pattern in self.unwanted)
        )


def networks(text: str) -> tuple[str, ...]:
    """The networks of a certificate's source-address, which knows neither wildcards nor `!`
    (PROTOCOL.certkeys). Raises ValueError."""
    names = tuple(text.split(","))
    if len(names) > MAX_PATTERNS:
        raise ValueError(f"more than {MAX_PATTERNS} networks")
    return tuple(str(ip_network(name)) for name in names)


def _pattern(name: str) -> IPv4Network | IPv6Network | str:
    name = name.lower()
    if "*" in name or "?" in name:
        if _WILD.fullmatch(name):
            return name
    else:
        try:
            return ip_network(name)
        except ValueError as error:
            if "/" in name:
                raise ValueError(str(error)) from None
    raise ValueError(f"{name!r} is not an address; names are not looked up")


def _matches(pattern: IPv4Network | IPv6Network | str, address: Address) -> bool:
    if isinstance(pattern, str):
        return _wild_match(pattern, str(address))
    return address in pattern


def _wild_match(pattern: str, text: str) -> bool:
    """`*` and `?`, in a time bounded by the product of the two lengths."""
    ends = {0}  # how much of the text the pattern so far can have taken
    for sign in pattern:
        if sign == "*":
            ends = set(range(min(ends), len(text) + 1))
        else:
            ends = {end + 1 for end in ends if end < len(text) and sign in ("?", text[end])}
        if not ends:
            return False
    return len(text) in ends
