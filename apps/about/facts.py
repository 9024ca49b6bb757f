"""What the host says about itself: how to reach it, and how to know that it is the right one."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tuihost import Session, TcpAddress

ANYWHERE = ("", "0.0.0.0", "::")
UNKNOWN = "HOST"
"""Used as the host's name if it does not know the name by which people reach it."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where people reach the host: what they type, not where it listens."""

    host: str
    port: int

    @classmethod
    def of(cls, session: Session, options: Mapping[str, Any]) -> Address:
        """The option `address` of the app, as `name` or `name:port`; else where the host
        listens, as far as that says anything to others."""
        listens = session.host.address or TcpAddress("", 22)
        name, _, told = str(options.get("address", "")).strip().rpartition(":")
        if not name or not told.isdecimal():
            name, told = str(options.get("address", "")).strip(), ""
        name = name.strip("[]") or (UNKNOWN if listens.host in ANYWHERE else listens.host)
        return cls(name, int(told) if told else listens.port)

    def ssh(self, *words: str, options: str = "") -> str:
        """A command line for your own shell: `ssh -p 8022 HOST notes list`."""
        return " ".join(part for part in ("ssh", options, self.target, *words) if part)

    @property
    def target(self) -> str:
        """The host as `ssh` and its sisters want it: `-p 8022 HOST`."""
        return self.host if self.port == 22 else f"-p {self.port} {self.host}"

    @property
    def known_as(self) -> str:
        """The name under which OpenSSH remembers the host."""
        return self.host if self.port == 22 else f"[{self.host}]:{self.port}"


@dataclass(frozen=True, slots=True)
class HostKey:
    """A key of the host. `line` is for a `known_hosts` file, `picture` is OpenSSH's drawing."""

    kind: str
    bits: int
    sha256: str
    line: str
    picture: tuple[str, ...]


def host_keys(session: Session, address: Address) -> list[HostKey]:
    """All of them, first the one that clients should prefer."""
    cards = session.host.keys()
    return [
        HostKey(
            kind=(kind := card.kind.removeprefix("ssh-").upper()),
            bits=card.bits,
            sha256=card.sha256,
            line=f"{address.known_as} {card.line}",
            picture=picture(card.sha256, f"{kind} {card.bits}"),
        )
        for card in cards
    ]


SIGNS = " .o+=*BOX@%&#/^"
ACROSS, DOWN = 17, 9


def picture(sha256: str, title: str) -> tuple[str, ...]:
    """What `ssh -o VisualHostKey=yes` draws for a fingerprint: the path of a walker who starts
    in the middle and takes a diagonal step for each two bits, in a room of 17 by 9.

    Places that they pass often get heavier signs; S is where they began, E where they ended.
    """
    text = sha256.removeprefix("SHA256:")
    walked = base64.b64decode(text + "=" * (-len(text) % 4))
    visits = [[0] * ACROSS for _ in range(DOWN)]
    x, y = ACROSS // 2, DOWN // 2
    for byte in walked:
        for shift in (0, 2, 4, 6):
            step = byte >> shift
            x = min(max(0, x + (1 if step & 1 else -1)), ACROSS - 1)
            y = min(max(0, y + (1 if step & 2 else -1)), DOWN - 1)
            visits[y][x] += 1
    rows = [[SIGNS[min(times, len(SIGNS) - 1)] for times in row] for row in visits]
    rows[DOWN // 2][ACROSS // 2] = "S"
    rows[y][x] = "E"
    return (
        f"+{f'[{title}]':-^{ACROSS}}+",
        *(f"|{''.join(row)}|" for row in rows),
        f"+{'[SHA256]':-^{ACROSS}}+",
    )
