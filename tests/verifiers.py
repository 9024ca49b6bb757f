"""Verifiers for tests of what stands around them."""

from __future__ import annotations

from typing import cast

from tuihost.core.keys.offers import KeyOffer
from tuihost.core.login.chains import NONE, Chains
from tuihost.core.login.verdicts import Conversation, Hangup, Verifier
from tuihost.errors import MisuseError
from tuihost.wire import Identity


class OpenGuests:
    """Lets anybody in without proof, and knows nothing else."""

    def chains(self, user: str, target: str | None) -> Chains:
        return ((NONE,),)

    def guest(self, user: str) -> bool:
        return True

    def advice(self, user: str) -> str:
        return ""

    def password(self, user: str, password: str) -> bool:
        return False

    def key_acceptable(self, user: str, offer: KeyOffer) -> bool:
        return False

    def key_proved(self, user: str, offer: KeyOffer) -> Hangup | None:
        return None

    def step(self, name: str, user: str) -> Conversation:
        raise MisuseError(f"there is no step {name}")

    def settled(self, identity: Identity) -> Identity | Hangup:
        return identity

    def failed(self, user: str, factor: str, reason: str) -> None:
        pass


class _WithChains:
    def __init__(self, verifier: Verifier, chains: Chains) -> None:
        self._verifier = verifier
        self._chains = chains

    def chains(self, user: str, target: str | None) -> Chains:
        return self._chains

    def __getattr__(self, name: str) -> object:
        return getattr(self._verifier, name)


def with_chains(verifier: Verifier, chains: Chains) -> Verifier:
    """The same verifier, with these chains for everybody."""
    return cast(Verifier, _WithChains(verifier, chains))
