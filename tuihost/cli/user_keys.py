"""`tuihost user key`: the public keys of an account."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuihost.cli.accounts import (
    HostAccounts,
    confirm,
    day,
    host_accounts,
    no_such_account,
    yes_option,
)
from tuihost.cli.common import config_option, json_option, say_json, say_table
from tuihost.phrases import iso_time
from tuihost.text import clean

if TYPE_CHECKING:
    from tuihost.accounts import KeyRecord
    from tuihost.core.keys.authorized_keys import KeyLine

MAX_FILE = 1 << 20  # bytes
MAX_LABEL = 60


@click.group()
def key() -> None:
    """List, add, rename and remove public keys.

    KEY is a fingerprint, the beginning of one, or the name of a key.
    """


@key.command(name="list")
@config_option
@click.argument("user")
@json_option
def list_(config: Path | None, user: str, as_json: bool) -> None:
    """List the keys of USER."""
    with host_accounts(config) as accounts:
        accounts.account(user)
        keys = accounts.store.keys(user)
    if as_json:
        say_json([key_data(key) for key in keys])
    elif keys:
        lines = [
            (key.name, kind_of(key), key.fingerprint, day(key.added), day(key.last_used))
            for key in keys
        ]
        say_table(("NAME", "KIND", "FINGERPRINT", "ADDED", "LAST USED"), lines)
    else:
        click.echo(f"{user} has no keys.", err=True)


@key.command()
@config_option
@click.argument("user")
@click.argument("what", nargs=-1, required=True, metavar="FILE|-|LINE")
@click.option("--name", default="", help="What to call the key; by default its comment.")
def add(config: Path | None, user: str, what: tuple[str, ...], name: str) -> None:
    """Let USER log in by the keys of a FILE, of standard input (-), or of a LINE.

    A LINE is as in authorized_keys; its options, such as from="10.0.0.0/8", are kept and apply.
    """
    given = _given(what)
    if name and len(given) > 1:
        raise click.UsageError("--name can be given to a single key only.")
    with host_accounts(config) as accounts:
        accounts.account(user)
        for line in given:
            record = _record(user, line, _label(name) if name else "")
            if accounts.store.add_key(record):
                click.echo(f"{record.name}  {record.fingerprint}")
            else:
                accounts.account(user)  # which may be gone by now
                click.echo(f"{user} already has {record.fingerprint}.", err=True)


@key.command()
@config_option
@click.argument("user")
@click.argument("key")
@click.argument("name")
def rename(config: Path | None, user: str, key: str, name: str) -> None:
    """Give the KEY of USER the name NAME."""
    with host_accounts(config) as accounts:
        found = _found(accounts, user, key)
        if not accounts.store.rename_key(user, found.fingerprint, _label(name)):
            raise no_such_account(user, accounts.store)
    click.echo(f"{_label(name)}  {found.fingerprint}")


@key.command()
@config_option
@click.argument("user")
@click.argument("key")
@yes_option
def remove(config: Path | None, user: str, key: str, yes: bool) -> None:
    """Remove the KEY of USER."""
    with host_accounts(config) as accounts:
        found = _found(accounts, user, key)
        confirm(f"Remove {found.name} ({found.fingerprint})?", yes)
        if not accounts.store.remove_key(user, found.fingerprint):
            raise no_such_account(user, accounts.store)
    click.echo(f"{found.name} is removed.")


def kind_of(record: KeyRecord) -> str:
    """The type of a stored key, such as `ssh-ed25519`."""
    from tuihost.core.keys.authorized_keys import parse_line

    try:
        return parse_line(record.line).kind
    except ValueError:
        return "damaged"


def _given(what: Sequence[str]) -> tuple[KeyLine, ...]:
    """The keys that a command line means. If any is wrong, the command ends."""
    from tuihost.core.keys.authorized_keys import key_text, parse
    from tuihost.ssh.keys.public_keys import accepted_line

    raw, source = _raw(what)
    try:
        found = parse(key_text(raw), source, accepted_line)
    except ValueError as error:
        raise click.ClickException(f"{source} {error}.") from None
    problems = found.problems if found.lines or found.problems else (f"{source} has no key in it",)
    if problems:
        raise click.ClickException("\n".join([*problems, "Nothing was changed."]))
    return found.lines


def _raw(what: Sequence[str]) -> tuple[bytes, str]:
    """The bytes with the keys, and what errors call their source."""
    if tuple(what) == ("-",):
        return sys.stdin.buffer.read(MAX_FILE), "standard input"
    if len(what) > 1 or " " in what[0].strip():
        return " ".join(what).encode("utf-8", "surrogateescape"), "the line"
    path = Path(what[0]).expanduser()
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE), str(path)
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from None


def _record(user: str, key: KeyLine, label: str) -> KeyRecord:
    from tuihost.accounts import KeyRecord

    name = label or clean(key.comment, limit=MAX_LABEL) or key.kind
    return KeyRecord(user, key.fingerprint, name, key.text, time.time())


def _label(name: str) -> str:
    label = clean(" ".join(name.split()), limit=MAX_LABEL)
    if not label:
        raise click.ClickException("A key's name needs at least one character.")
    return label


def _found(accounts: HostAccounts, user: str, key: str) -> KeyRecord:
    """The one key of `user` that is called `key`, or the command ends."""
    accounts.account(user)
    found = list(_meant(accounts.store.keys(user), key))
    if len(found) == 1:
        return found[0]
    if found:
        raise click.ClickException(f"{user} has {len(found)} keys that {key!r} can mean.")
    raise click.ClickException(f"{user} has no key {key!r}: tuihost user key list {user}")


def _meant(keys: Sequence[KeyRecord], key: str) -> Iterator[KeyRecord]:
    bare = key.removeprefix("SHA256:")
    for record in keys:
        fingerprint = record.fingerprint.removeprefix("SHA256:")
        if record.name == key or (bare and fingerprint.startswith(bare)):
            yield record


def key_data(key: KeyRecord) -> dict[str, str | None]:
    """A key for programs."""
    return {
        "name": key.name,
        "kind": kind_of(key),
        "fingerprint": key.fingerprint,
        "line": key.line,
        "added": iso_time(key.added),
        "last_used": iso_time(key.last_used),
    }
