"""Files of a host that two settings name for different uses: a log that is the settings file."""

from __future__ import annotations

import os
import stat
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tuihost.errors import SettingsError
from tuihost.files.secret_files import HOST_LOCK
from tuihost.host.login.services import account_files
from tuihost.host.plugins.deliveries import OUTBOX
from tuihost.settings.models import Settings


@dataclass(frozen=True, slots=True)
class _Use:
    """What a file is for, by a setting; by none, if the host itself decides where it is."""

    path: Path
    what: str
    setting: str = ""

    def given_in(self, settings: Settings) -> bool:
        """Whether somebody chose it."""
        section, _, name = self.setting.partition(".")
        return bool(name) and name in getattr(settings, section).model_fields_set


def shared_files(settings: Settings, settings_file: Path | None) -> Iterator[str]:
    """A sentence for each file that has two uses, which begins with the name of a setting."""
    # What somebody chose is what they can mend.
    uses = sorted(_uses(settings, settings_file), key=lambda use: use.given_in(settings))
    first: dict[Hashable, _Use] = {}
    for use in uses:
        identity = _identity(use.path)
        other = first.setdefault(identity, use) if identity is not None else use
        if other.what != use.what:
            by = f" ({other.setting})" if other.setting else ""
            name = use.setting or other.setting
            yield f"{name}: {use.path} is also {other.what}{by}; choose another file"


def _uses(settings: Settings, settings_file: Path | None) -> Iterator[_Use]:
    """Each file that a host reads or writes, except those of apps."""
    server, login, state = settings.server, settings.login, settings.server.state_dir
    if settings_file is not None:
        yield _Use(settings_file, "the settings file")
    yield _Use(state / "host.sqlite3", "the file of preferences")
    yield _Use(state / HOST_LOCK, "the file by which a host holds its folder")
    try:
        store, secret = account_files(settings)
    except SettingsError:  # wrong for another reason, which is told with it
        pass
    else:
        yield _Use(store, "the account store", "accounts.url")
        yield _Use(secret, "the key of the account store", "accounts.secret_key")
    for key in server.host_keys:
        yield _Use(key, "a host key", "server.host_keys")
    for authority in login.trusted_ca:
        yield _Use(authority, "the key of a certificate authority", "login.trusted_ca")
    for keys in login.authorized_keys:
        yield _Use(Path(keys), "a file of keys", "login.authorized_keys")
    if login.revoked_keys is not None:
        yield _Use(login.revoked_keys, "the list of revoked keys", "login.revoked_keys")
    if login.terms is not None:
        yield _Use(login.terms, "the text of the terms", "login.terms")
    if login.delivery == OUTBOX:
        yield _Use(state / OUTBOX, "the outbox of codes", "login.delivery")
    if settings.logs.file is not None:
        yield _Use(settings.logs.file, "the log", "logs.file")


def _identity(path: Path) -> Hashable | None:
    """The same for two paths to one file, also through links and before it is made. None for what
    is not a file, such as /dev/null."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return os.path.realpath(path) if "\0" not in str(path) else None
    return (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else None
