"""What becomes of a login, as the gate counts it."""

from __future__ import annotations

from tuihost.core.gate.penalties import Offence
from tuihost.core.keys.offers import KeyOffer
from tuihost.core.login.chains import Chains
from tuihost.core.login.verdicts import Conversation, Hangup, Verifier
from tuihost.host.gate.gate import Admission
from tuihost.wire import Identity


class CountingVerifier:
    """A verifier that tells an admission what becomes of the login that it serves."""

    def __init__(self, verifier: Verifier, admission: Admission) -> None:
        self._verifier = verifier
        self._admission = admission

    def chains(self, user: str, target: str | None) -> Chains:
        return self._verifier.chains(user, target)

    def guest(self, user: str) -> bool:
        return self._verifier.guest(user)

    def advice(self, user: str) -> str:
        return self._verifier.advice(user)

    def password(self, user: str, password: str) -> bool:
        return self._verifier.password(user, password)

    def key_acceptable(self, user: str, offer: KeyOffer) -> bool:
        return self._verifier.key_acceptable(user, offer)

    def key_proved(self, user: str, offer: KeyOffer) -> Hangup | None:
        return self._verifier.key_proved(user, offer)

    def step(self, name: str, user: str) -> Conversation:
        return self._verifier.step(name, user)

    def settled(self, identity: Identity) -> Identity | Hangup:
        entering = self._verifier.settled(identity)
        if not isinstance(entering, Hangup):
            self._admission.entered(guest=entering.guest)
        return entering

    def failed(self, user: str, factor: str, reason: str) -> None:
        # Whether there is such a user makes no difference: a wait that did would tell.
        self._admission.failed(Offence.AUTH_FAILED if user else Offence.UNKNOWN_USER)
        self._verifier.failed(user, factor, reason)
