"""Certificates: whom one is good for, from where and when, and what it takes away.

The rules (OpenSSH's PROTOCOL.certkeys):
1. It has to be a user's, of this time, for this person, from this address. One without principals
   would be anybody's: here it is nobody's.
2. A critical option that is not understood keeps out.
3. What it does not permit is taken away.

Whether its authority is trusted is decided in `authorized_keys`, by the host's authorities and the
lines with `cert-authority`. Its own signature is verified where it is read, in
`tuihost.ssh.keys`.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network

from tuihost.core.sources import address_of
from tuihost.text import clean
from tuihost.wire import Restrictions


@dataclass(frozen=True, slots=True)
class Certificate:
    """What an OpenSSH certificate says (PROTOCOL.certkeys). The signature of `ca` over it has been
    verified; whether `ca` is anybody's to trust has not.

    `public` is the plain key within, `valid_after` and `valid_before` are Unix seconds, the latter
    the first at which it is over. `source_addresses` are networks, None if any address will do.
    `unknown_critical` are options that must be honoured and that nobody here understands.
    """

    public: bytes
    ca: bytes
    for_user: bool = True
    serial: int = 0
    key_id: str = ""
    principals: tuple[str, ...] = ()
    valid_after: int = 0
    valid_before: int = 2**64 - 1
    force_command: str | None = None
    source_addresses: tuple[str, ...] | None = None
    verify_required: bool = False
    unknown_critical: tuple[str, ...] = ()
    extensions: frozenset[str] = frozenset()

    @property
    def touch_required(self) -> bool:
        """A security key must have felt somebody's touch."""
        return "no-touch-required" not in self.extensions

    @property
    def restrictions(self) -> Restrictions:
        """What a login with it may not do."""
        return Restrictions(
            command=self.force_command,
            pty="permit-pty" in self.extensions,
            port_forwarding="permit-port-forwarding" in self.extensions,
            x11_forwarding="permit-X11-forwarding" in self.extensions,
            agent_forwarding="permit-agent-forwarding" in self.extensions,
        )

    def problem(self, names: tuple[str, ...], *, address: str, now: float) -> str | None:
        """Why it lets nobody in who goes by one of these names, from there and then. For the
        operator; None if it does."""
        if not self.for_user:
            return "the certificate is a host's"
        if self.unknown_critical:
            return f"the certificate asks for {clean(self.unknown_critical[0], limit=40)}"
        if not set(self.principals) & set(names):
            return "the certificate is somebody else's"
        if now < self.valid_after:
            return "the certificate is not valid yet"
        if now >= self.valid_before:
            return "the certificate has expired"
        if not self._comes_from(address):
            return "the certificate may not be used from this address"
        return None

    def _comes_from(self, address: str) -> bool:
        if self.source_addresses is None:
            return True
        found = address_of(address)
        return found is not None and any(
            found in ip_network(network) for network in self.source_addresses
        )
