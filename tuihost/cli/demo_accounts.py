"""The accounts of a demo: `ada` with a password and a second factor, or a key that is added to her
account; `new` for an invitation.

Ada's secret is made once and kept, so that an authenticator app keeps working; her password is
derived from it. An account of that name that no demo made is left alone.
"""

from __future__ import annotations

import base64
import hmac
import time
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import click
import platformdirs

from tuihost.accounts import AccountRecord, AccountStore, Invite
from tuihost.cli.accounts import hashed, opened_store
from tuihost.cli.common import called
from tuihost.core.login.chains import PASSWORD, PUBLICKEY, only_by_invitation
from tuihost.login.steps.codes import (
    PERIOD,
    grouped,
    invite_code,
    invite_hash,
    new_totp_secret,
    totp_code,
    totp_counter,
    totp_uri,
)
from tuihost.login.steps.qr_code import qr_lines
from tuihost.settings.models import Settings

ADA, NEW = "ada", "new"
GROUP = frozenset({"demo"})
"""Tells the demo's account from somebody else's of the same name."""
_ADAS_CHAINS = ((PUBLICKEY,), (PASSWORD, "totp"))
_INVITED_FOR = 86_400.0  # seconds


@dataclass(frozen=True, slots=True)
class Ada:
    """An account to log in with. `secret` is that of its second factor."""

    password: str
    secret: bytes

    def code(self, now: float) -> tuple[str, int]:
        """The current code, grouped for reading, and for how many seconds it is valid: until the
        next one has expired, too."""
        code = totp_code(self.secret, totp_counter(now))
        return grouped(code, 3), 2 * PERIOD - int(now) % PERIOD


@dataclass(frozen=True, slots=True)
class DemoAccounts:
    """What the person who started the demo is told. None if the name is somebody's, or has another
    meaning in the settings."""

    ada: Ada | None
    invitation: str | None


def prepare(settings: Settings) -> DemoAccounts:
    """Makes the accounts, or puts them back as they were. Raises StoreError."""
    with opened_store(settings) as store:
        return DemoAccounts(_ada(store), _invitation(store, settings.login.invite_name))


def demo_folder() -> Path:
    """Where a demo keeps everything, unless it is told another folder: apart from a real host, as a
    demo's key must not be able to pass for the real host's."""
    return platformdirs.user_state_path("tuihost") / "demo"


def code_command(settings: Settings) -> str:
    """What to type for the current code of the demo with these settings."""
    folder = settings.server.state_dir
    option = "" if folder == demo_folder() else f" --state-dir {quote(str(folder))}"
    return f"{called()} demo --code{option}"


def current_code(settings: Settings, *, with_picture: bool = False) -> tuple[str, ...]:
    """The current code, for how long it is valid, and the QR code of its secret. Changes
    nothing."""
    with opened_store(settings) as store:
        secret = store.totp_secret(ADA) if _is_ours(store) else None
    if secret is None:
        raise click.ClickException("There is no demo yet. To start one: tuihost demo")
    ada = Ada("", secret)
    code, left = ada.code(time.time())
    return code, f"valid for {left} s", *(picture(ada, settings) if with_picture else ())


def picture(ada: Ada, settings: Settings) -> tuple[str, ...]:
    """The QR code of her secret, for an authenticator app; if it is too long for one, its URI."""
    uri = totp_uri(ada.secret, ADA, settings.server.name)
    return qr_lines(uri) or (uri,)


def _ada(store: AccountStore) -> Ada | None:
    store.create(AccountRecord(ADA, groups=GROUP, created=time.time(), chains=_ADAS_CHAINS))
    if not _is_ours(store):
        return None
    secret = store.totp_secret(ADA)
    if secret is None:
        secret = new_totp_secret()
        store.set_totp(ADA, secret)
    ada = Ada(_password(secret), secret)
    store.update(
        ADA,
        disabled=False,
        password_hash=hashed(ada.password),
        password_expired=False,
        chains=_ADAS_CHAINS,
    )
    return ada


def _is_ours(store: AccountStore) -> bool:
    record = store.get(ADA)
    return record is not None and record.groups == GROUP


def _password(secret: bytes) -> str:
    digest = hmac.digest(secret, b"the password of the demo", "sha256")
    return grouped(base64.b32encode(digest).decode("ascii")[:12].lower(), 4, "-")


def _invitation(store: AccountStore, name: str) -> str | None:
    now, code = time.time(), invite_code()
    account = store.get(NEW)
    taken = account is not None and (account.disabled or not only_by_invitation(account.chains))
    if name != NEW or taken:
        return None
    store.drop_invites(now)
    invite = Invite(note="the demo's", created=now, expires=now + _INVITED_FOR, by="tuihost demo")
    store.add_invite(invite_hash(code), invite)
    return code
