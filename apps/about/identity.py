"""How people reach the host, and how they know that it is the right one."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Any

from tuihost import Session, TcpAddress

ANYWHERE = ("", "0.0.0.0", "::")
THIS_MACHINE = ("127.0.0.1", "::1")
UNKNOWN = "HOST"
"""Stands for the name of the host if it does not know which name people use."""


@dataclass(frozen=True, slots=True)
class Address:
    """The address that people type, not the one that the host listens on. `login` is what one
    person types before it: `ada@`."""

    host: str
    port: int
    login: str = ""

    @classmethod
    def of(cls, session: Session, options: Mapping[str, Any]) -> Address:
        """The option `address` of the app, as `name` or `name:port`. Without it, where the host
        listens, if that means anything to others."""
        listens = session.host.address or TcpAddress("", 22)
        name, _, port = str(options.get("address", "")).strip().rpartition(":")
        if not name or not port.isdecimal():
            name, port = str(options.get("address", "")).strip(), ""
        name = name.strip("[]") or _name_of(listens.host)
        return cls(name, int(port) if port else listens.port, f"{quote(session.user)}@")

    def ssh(self, *words: str, options: str = "") -> str:
        """A command line for the person's own shell: `ssh -p 8022 ada@HOST notes list`."""
        port = "" if self.port == 22 else f"-p {self.port}"
        target = f"{self.login}{self.host}"
        return " ".join(part for part in ("ssh", options, port, target, *words) if part)

    @property
    def target(self) -> str:
        """The host as an argument of `ssh-keyscan`: `-p 8022 HOST`."""
        return self.host if self.port == 22 else f"-p {self.port} {self.host}"

    @property
    def known_as(self) -> str:
        """The name that OpenSSH remembers the host by."""
        return self.host if self.port == 22 else f"[{self.host}]:{self.port}"


def _name_of(listens: str) -> str:
    """What people type, if the host listens there."""
    if listens in ANYWHERE:
        return UNKNOWN
    return "localhost" if listens in THIS_MACHINE else listens


@dataclass(frozen=True, slots=True)
class HostKey:
    """A key of the host. `line` is for a `known_hosts` file, `picture` is OpenSSH's drawing."""

    kind: str
    bits: int
    sha256: str
    line: str
    picture: tuple[str, ...]


def host_keys(session: Session, address: Address) -> list[HostKey]:
    """All of them, the preferred one first."""
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
    """What `ssh -o VisualHostKey=yes` draws for a fingerprint: the path of a bishop that starts in
    the middle of a board of 17 by 9 and takes a diagonal step for each two bits.

    The more often it visits a square, the heavier the sign. S is the start, E the end.
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
