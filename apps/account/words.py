"""What the app says about keys, factors and times, on a screen, in lines and for programs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tuihost import NotPossible, Session

OUT_OF_REACH = "The accounts cannot be reached at the moment. Nothing was changed."

NOT_DONE = "Nothing was changed."
LIMITED = "This login has limits, so nothing can be changed here: you can only look."

_KIND = re.compile(r"(?:^|\s)((?:ssh|ecdsa|sk)-[a-z0-9@.-]+)\s+AAAA")
_ASKS_NOTHING_MORE = {"publickey", "terms"}
_FACTORS = {"publickey": "key", "totp": "one-time code", "recovery": "recovery code"}


def kind_of(line: str) -> str:
    """The kind of the key in a line of authorized_keys, such as `ssh-ed25519`."""
    found = _KIND.search(line)
    return found[1] if found else "key"


def brief_kind(line: str) -> str:
    """The same in a word or two: `ed25519`, `ecdsa`, `ed25519 security key`."""
    kind = kind_of(line)
    name = kind.removeprefix("sk-").removeprefix("ssh-").partition("@")[0].partition("-")[0]
    return f"{name} security key" if kind.startswith("sk-") else name


def factors_in_words(factors: Iterable[str]) -> str:
    """What a login proved: `password, one-time code`."""
    return ", ".join(_FACTORS.get(factor, factor) for factor in factors)


def about_keys(chains: Sequence[Sequence[str]]) -> str:
    """What a person should know before they add a key to an account with these chains; empty if a
    key alone lets them in."""
    with_key = [chain for chain in chains if "publickey" in chain]
    if any(set(chain) <= _ASKS_NOTHING_MORE for chain in with_key):
        return ""
    ways = " or ".join(factors_in_words(chain) for chain in with_key or chains)
    if with_key:
        return f"A key alone does not let you in: this account asks for {ways}."
    return (
        f"Keys cannot be used to log in to this account yet: it asks for {ways}. "
        "The people who run this host can change that."
    )


def in_columns(codes: Iterable[str], columns: int) -> list[str]:
    """Codes in rows, `columns` of them in each."""
    every = list(codes)
    return ["  " + "   ".join(every[at : at + columns]) for at in range(0, len(every), columns)]


def check_may_add(session: Session) -> None:
    """Raises `NotPossible` for somebody who may not run the command that adds a key."""
    if not session.may_run("add-key"):
        raise NotPossible("You may not run account add-key.")
