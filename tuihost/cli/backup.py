"""`tuihost backup`: a copy of the accounts with their key, also while the host runs."""

from __future__ import annotations

import os
import tarfile
import tempfile
from functools import partial
from pathlib import Path

import click

from tuihost.cli.accounts import host_user, name_of_user
from tuihost.cli.common import config_option, read_settings, say_settings_found


@click.command()
@config_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(config: Path | None, file: Path) -> None:
    """Write the accounts, their key and the host keys into FILE, a tar archive.

    The host may run meanwhile: the copy is complete, and of one moment. It holds every secret of
    the host, so only you can read it.

    To restore it, stop the host. In the folder of its state, remove accounts.sqlite3-wal and
    accounts.sqlite3-shm if they are there: they belong to the accounts that the copy replaces.
    Then unpack it there: tar -xf FILE -C FOLDER.
    """
    from tuihost.accounts import StoreError
    from tuihost.files.secret_files import draft_of
    from tuihost.host.login.services import open_accounts

    say_settings_found(config)
    settings = read_settings(config)
    store = open_accounts(settings)
    if os.path.lexists(file):
        raise click.ClickException(f"{file} already exists, and is left as it is.")
    try:
        with tempfile.TemporaryDirectory() as folder, draft_of(file) as draft:
            copies = [*store.backup(Path(folder)), *settings.server.host_keys]
            private = partial(_private, owner=host_user(settings.server.state_dir))
            with tarfile.open(draft, "w") as archive:
                for copy in filter(Path.exists, copies):
                    archive.add(copy, copy.name, filter=private)
                names = archive.getnames()
    except OSError as error:
        raise StoreError(f"the backup {file} cannot be written: {error.strerror}") from None
    finally:
        store.close()
    click.echo(f"{file}: {', '.join(names)}")


def _private(member: tarfile.TarInfo, owner: int) -> tarfile.TarInfo:
    """For the host's user alone: root, who makes the copy, may unpack it, too."""
    member.mode, member.uid, member.uname = 0o600, owner, name_of_user(owner)
    return member
