"""The account as one list: how to log in, keys, open logins, and the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tuihost import OwnAccount, Session, ago, counted

from .words import about_keys, brief_kind, factors_in_words

PASSWORD, SECOND, CODES, ADD, ADD_THIS, CLOSE, HISTORY, THEME = (
    "password",
    "second",
    "codes",
    "add",
    "add this",
    "close",
    "history",
    "theme",
)
KEY, LOGIN = "key ", "login "
"""How the names of rows begin that are about one key, or one login."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing to look at or to change. `name` tells it from the others."""

    section: str
    name: str
    label: str
    about: str
    note: str = ""

    @property
    def fingerprint(self) -> str | None:
        """The fingerprint of the key that the row is about."""
        return self.name.removeprefix(KEY) if self.name.startswith(KEY) else None


def rows(session: Session, own: OwnAccount) -> list[Row]:
    """Everything, as it is now. Raises what the account raises."""
    return [
        *_ways_in(own),
        *_keys(session, own),
        *_open_now(session, own),
        Row("More", HISTORY, "Login history", "logins in your name, and attempts"),
        Row("More", THEME, "Theme", _theme(session)),
    ]


def _theme(session: Session) -> str:
    title = session.theme.title
    return title if session.preferences.get("theme") else f"automatic: {title} on this terminal"


def _ways_in(own: OwnAccount) -> Iterator[Row]:
    record = own.record()
    secret = "set" if record.has_password else "none: you log in with your keys"
    yield Row("Logging in", PASSWORD, "Password", secret)
    on = "on, with codes from your authenticator app" if record.totp else "off"
    yield Row("Logging in", SECOND, "Second factor", on)
    if record.totp:
        codes = counted(record.recovery_left, "code") if record.recovery_left else "none"
        few = "make new ones soon" if record.recovery_left < 3 else ""
        yield Row("Logging in", CODES, "Recovery codes", f"{codes} left", few)


def _keys(session: Session, own: OwnAccount) -> Iterator[Row]:
    now, kept, used = session.host.now(), own.keys(), own.key_in_use()
    for key in kept:
        note = (
            "never used"
            if key.last_used is None
            else f"used {ago(now - key.last_used, short=True)}"
        )
        if key.fingerprint == used:
            note = "in use now"
        about = f"{brief_kind(key.line)}  {key.fingerprint}"
        yield Row("Keys", KEY + key.fingerprint, key.name, about, note)
    if own.can_add_key_in_use():
        yield Row("Keys", ADD_THIS, "Add this key", f"the one that you logged in with: {used}")
    if own.may_change():
        about = about_keys(own.record().chains) or "paste the line from its .pub file"
        yield Row("Keys", ADD, "Add a key", about)


def _open_now(session: Session, own: OwnAccount) -> Iterator[Row]:
    now, logins = session.host.now(), own.logins()
    for login in logins:
        since = ago(now - login.since, short=True)
        about = f"logged in {since}, with {factors_in_words(login.factors)}"
        note = "this one" if login.here else ""
        yield Row("Open logins", f"{LOGIN}{login.id}", login.peer.address, about, note)
    others = sum(not login.here for login in logins)
    if others and own.may_change():
        yield Row("Open logins", CLOSE, "Close the others", counted(others, "other login"))
