"""Who may come in by which chains, and to which apps a login by them leads.

What the name is decides:

    an account's     its own, else the app's, else the host's: without `none`, and without
                     `invite` where they are not its own
    a closed one's   the same, without `none` and `invite`
    for guests       the app's, else `none` and the host's: without `invite`
    for invitations  its own, else the host's, of these the ones with `invite`, else `invite`
                     alone; and each of them after a key, too
    nobody's         the app's, else the host's: without `none` and `invite`

An account that has set up a second factor is asked for it wherever a chain could have it. A closed
account and a name that is nobody's are shown what an open account would be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from tuihost.phrases import nearest

NONE, PASSWORD, PUBLICKEY, INTERACTIVE = "none", "password", "publickey", "keyboard-interactive"
INVITE, TOTP = "invite", "totp"
"""The two steps that chains are chosen by: an invitation's code, and the second factor."""
UNPROVING = frozenset({"terms", "enroll"})
"""Steps that somebody with the factors before them can always complete."""

Chains = tuple[tuple[str, ...], ...]
"""Ways in: each an ordered list of factors."""

NO_CHAIN: Chains = ((PUBLICKEY,),)
"""Shown where nothing is left to come in by: a method that nobody then passes."""


class Who(Enum):
    """What a name is that somebody logs in under."""

    ACCOUNT = "an account"
    CLOSED = "an account that is closed"
    GUEST = "a name that guests may use"
    INVITED = "the name for people with an invitation"
    NOBODY = "none of these"


@dataclass(frozen=True, slots=True)
class LoginChains:
    """The operator's chains: the host's, and those of apps that ask for others."""

    host: Chains
    apps: Mapping[str, Chains]

    @classmethod
    def of(cls, host: Iterable[str], apps: Mapping[str, Iterable[str]]) -> LoginChains:
        """From chains as the settings write them."""
        return cls(chains_of(host), {app: chains_of(lines) for app, lines in apps.items()})

    def mistakes(self, steps: Iterable[str]) -> Iterator[str]:
        """What is wrong with them where there are those `steps`, a sentence each."""
        steps = tuple(steps)
        yield from _mistakes("login.chains", self.host, steps)
        for app, chains in self.apps.items():
            yield from _mistakes(f"login.app_chains.{app}", chains, steps)

    def ask_for(self, factor: str) -> bool:
        """Whether any of them has this factor."""
        every = (self.host, *self.apps.values())
        return any(factor in chain for chains in every for chain in chains)

    def offered(
        self, who: Who, target: str | None = None, *, own: Chains = (), second: bool = False
    ) -> Chains:
        """The chains by which somebody may come in who asks for the app `target`. `own` are an
        account's own, `second` says that it has set up a second factor."""
        if who is Who.INVITED:
            return _by_invitation(own or self.host)
        chains = own or self.apps.get(target or "", self.host)
        if who is Who.GUEST and target not in self.apps:
            chains = ((NONE,), *chains)
        barred = _barred(who, own)
        chains = tuple(chain for chain in chains if chain and barred.isdisjoint(chain))
        if second:
            chains = with_second(chains)
        return tuple(dict.fromkeys(chains)) or NO_CHAIN

    def password_alone(self, own: Chains = ()) -> bool:
        """Whether a password lets an account in that proves nothing else; `own` are its own chains.
        A second factor that people may set up makes no difference, as they may remove it."""
        every = (own,) if own else (self.host, *self.apps.values())
        return any(set(chain) - UNPROVING == {PASSWORD} for chains in every for chain in chains)

    def open(self, app: str, *, factors: tuple[str, ...], target: str | None, guest: bool) -> bool:
        """Whether a login with `factors`, made for `target`, leads to `app`. An app with chains of
        its own asks for one of them, whichever way somebody logged in. Those chains lead to that
        app alone, unless they are the host's too."""
        if app in self.apps:
            return proved(factors, self.apps[app])
        return guest or target not in self.apps or proved(factors, self.host)


def chains_of(lines: Iterable[str]) -> Chains:
    """The chains that settings write as `publickey, totp`, each once, in their order."""
    chains = (tuple(f.strip() for f in line.split(",") if f.strip()) for line in lines)
    return tuple(dict.fromkeys(chain for chain in chains if chain))


def known_factors(steps: Iterable[str]) -> frozenset[str]:
    """What a chain may name where there are those `steps`."""
    return frozenset({NONE, PASSWORD, PUBLICKEY, *steps})


def unknown_factors(chains: Chains, steps: Iterable[str]) -> tuple[str, ...]:
    """The factors of `chains` that nothing could settle where there are those `steps`, each
    once."""
    known = known_factors(steps)
    factors = (factor for chain in chains for factor in chain)
    return tuple(dict.fromkeys(factor for factor in factors if factor not in known))


def proved(factors: tuple[str, ...], chains: Chains) -> bool:
    """Whether a login that settled `factors` proves what one of `chains` asks for, in its order;
    what was proved beyond that does no harm."""
    return any(_within(chain, factors) for chain in chains)


def with_second(chains: Chains) -> Chains:
    """What is left of `chains` for somebody who has set up a second factor: of two chains that
    differ in nothing but that one, the longer. A second factor that an account has is asked for
    wherever it could be, and `password` alone lets in only those without one."""
    return tuple(chain for chain in chains if (*chain, TOTP) not in chains)


def only_by_invitation(chains: Chains) -> bool:
    """Whether an account with these chains of its own is nobody's, but a name under which people
    come with invitations."""
    return bool(chains) and all(INVITE in chain for chain in chains)


def _barred(who: Who, own: Chains) -> frozenset[str]:
    """The factors that none of their chains may have."""
    match who:
        case Who.GUEST:
            return frozenset({INVITE})
        case Who.ACCOUNT if own:
            return frozenset({NONE})
        case _:
            return frozenset({NONE, INVITE})


def _by_invitation(chains: Chains) -> Chains:
    """Those with the factor `invite`. With a key before them that key becomes theirs."""
    invited = tuple(chain for chain in chains if INVITE in chain) or ((INVITE,),)
    keyed = ((PUBLICKEY, *chain) for chain in invited if PUBLICKEY not in chain)
    return tuple(dict.fromkeys((*keyed, *invited)))


_MISTAKES: tuple[tuple[Callable[[Chains], bool], str], ...] = (
    (lambda chains: not chains, "has no chain, so nobody could log in"),
    (
        lambda chains: any(NONE in chain and len(chain) > 1 for chain in chains),
        "the factor 'none' has to be alone in its chain",
    ),
)


def _mistakes(setting: str, chains: Chains, steps: tuple[str, ...]) -> Iterator[str]:
    known = sorted(known_factors(steps))
    for factor in unknown_factors(chains, steps):
        near = nearest(factor, known, 0.7)
        meant = f"there are {', '.join(known)}" if near is None else f"did you mean {near!r}?"
        yield f"{setting}: no step is called {factor!r}; {meant}"
    for is_wrong, sentence in _MISTAKES:
        if is_wrong(chains):
            yield f"{setting}: {sentence}"


def _within(chain: tuple[str, ...], factors: tuple[str, ...]) -> bool:
    rest = iter(factors)
    return all(factor in rest for factor in chain)
