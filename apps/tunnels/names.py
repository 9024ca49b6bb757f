"""The names of tunnels: what people may ask for, and what they get if they ask for none."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Collection

from tuihost import Account, skeleton

LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
UNNAMED = frozenset({"", "*", "localhost", "0.0.0.0", "::", "127.0.0.1", "::1"})
"""What clients send if the person named no host (RFC 4254 §7.1, and OpenSSH's `localhost`)."""

RESERVED = frozenset({"www", "mail", "admin", "api", "login", "account", "status", "static"})
_ADJECTIVES = ("brisk", "calm", "clear", "deep", "fair", "fleet", "kind", "quiet", "swift", "warm")
_NOUNS = ("anchor", "beacon", "cove", "ferry", "gull", "harbor", "mast", "otter", "reef", "sail")


class NoName(Exception):
    """Nobody can have that name, or not now; the text says why."""


def name_for(
    asked: str,
    account: Account,
    taken: Collection[str],
    pick: Callable[[int], int] = secrets.randbelow,
    again: Collection[str] = (),
) -> str:
    """The name of a new tunnel; `taken` are the names in use, `again` those of them that the person
    may take over. An account that asks for none gets its own; a guest gets any. Raises `NoName`."""
    if is_unnamed(asked):
        own = None if account.guest else _label_of(account.name)
        return _numbered(own, taken) if own else _any(taken, pick)
    name = asked.lower().partition(".")[0]
    if not LABEL.fullmatch(name):
        raise NoName("a name has only lower-case letters, digits and -, at most 40 of them")
    if _is_reserved(name):
        raise NoName(f"the name {name} is reserved")
    if name in again:
        return name
    if name in taken:
        raise NoName(f"the name {name} is taken")
    if looks_taken(name, taken):
        raise NoName(f"the name {name} looks like one that is taken")
    return name


def is_unnamed(asked: str) -> bool:
    """Whether the person asked for no name."""
    return asked.lower() in UNNAMED


def looks_taken(name: str, taken: Collection[str]) -> bool:
    """Whether a name is one of these, or looks like one."""
    return skeleton(name) in set(map(skeleton, taken))


def _label_of(name: str) -> str | None:
    label = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:32]
    return label if LABEL.fullmatch(label) and not _is_reserved(label) else None


def _is_reserved(name: str) -> bool:
    return skeleton(name) in set(map(skeleton, RESERVED))


def _numbered(name: str, taken: Collection[str]) -> str:
    looks, number = set(map(skeleton, taken)), 1
    while skeleton(found := name if number == 1 else f"{name}-{number}") in looks:
        number += 1
    return found


def _any(taken: Collection[str], pick: Callable[[int], int]) -> str:
    def word(words: tuple[str, ...]) -> str:
        return words[pick(len(words))]

    # Long enough that nobody finds a stranger's tunnel by trying.
    while (found := f"{word(_ADJECTIVES)}-{word(_NOUNS)}-{pick(10**6):06}") in taken:
        continue
    return found
