"""`tuihost user key`: the public keys of an account."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuihost.cli.accounts import (
    Book,
    accounts,
    config_option,
    day,
    json_option,
    no_such,
    say_json,
    say_table,
    sure,
    yes_option,
)
from tuihost.phrases import iso_time
from tuihost.text import clean

if TYPE_CHECKING:
    from tuihost.accounts import KeyRecord
    from tuihost.core.keys.authorized_keys import KeyLine

MAX_FILE = 1 << 20  # bytes
MAX_LABEL = 60


@click.group()
def key() -> None:
    """Public keys: list, add, rename and remove them.

    KEY is a fingerprint, the beginning of one, or the key's name.
    """


@key.command(name="list")
@config_option
@click.argument("user")
@json_option
def list_(config: Path | None, user: str, as_json: bool) -> None:
    """List the keys of USER."""
    with accounts(config) as book:
        book.account(user)
        keys = book.store.keys(user)
    if as_json:
        say_json([_data(one) for one in keys])
    elif keys:
        lines = [
            (one.name, kind_of(one), one.fingerprint, day(one.added), day(one.last_used))
            for one in keys
        ]
        say_table(("NAME", "KIND", "FINGERPRINT", "ADDED", "LAST USED"), lines)
    else:
        click.echo(f"{user} has no keys.", err=True)


@key.command()
@config_option
@click.argument("user")
@click.argument("what", nargs=-1, required=True, metavar="FILE|-|LINE")
@click.option("--name", default="", help="What to call the key; its comment if left out.")
def add(config: Path | None, user: str, what: tuple[str, ...], name: str) -> None:
    """Let USER in by the keys in a FILE, on standard input, or in a LINE of authorized_keys.

    Options before a key, such as from="10.0.0.0/8", are kept and hold.
    """
    given = _given(what)
    if name and len(given) > 1:
        raise click.UsageError("--name is for a single key.")
    with accounts(config) as book:
        book.account(user)
        for line, parsed in given:
            record = _record(user, line, parsed, _label(name) if name else "")
            if book.store.add_key(record):
                click.echo(f"{record.name}  {record.fingerprint}")
            else:
                book.account(user)  # who may be gone meanwhile
                click.echo(f"{record.fingerprint} is there already.", err=True)


@key.command()
@config_option
@click.argument("user")
@click.argument("key")
@click.argument("name")
def rename(config: Path | None, user: str, key: str, name: str) -> None:
    """Call KEY of USER NAME from now on."""
    with accounts(config) as book:
        found = _found(book, user, key)
        if not book.store.rename_key(user, found.fingerprint, _label(name)):
            raise no_such(user, book.store)
    click.echo(f"{_label(name)}  {found.fingerprint}")


@key.command()
@config_option
@click.argument("user")
@click.argument("key")
@yes_option
def remove(config: Path | None, user: str, key: str, yes: bool) -> None:
    """Take KEY away from USER."""
    with accounts(config) as book:
        found = _found(book, user, key)
        sure(f"Remove {found.name} ({found.fingerprint})?", yes)
        if not book.store.remove_key(user, found.fingerprint):
            raise no_such(user, book.store)
    click.echo(f"{found.name} is removed.")


def kind_of(record: KeyRecord) -> str:
    """The kind of a kept key, as its line names it."""
    from tuihost.core.keys.authorized_keys import parse_line

    try:
        return parse_line(record.line).kind
    except ValueError:
        return "damaged"


def _given(what: Sequence[str]) -> tuple[tuple[str, KeyLine], ...]:
    """The keys that the words of a command line mean, each as it is written and as it is read.
    All are good, or the command ends."""
    from tuihost.core.keys.authorized_keys import MAX_LINES, parse_line
    from tuihost.ssh.keys.public_keys import PublicKey

    text, source = _text(what)
    found: list[tuple[str, KeyLine]] = []
    problems: list[str] = []
    for number, line in enumerate(text.splitlines()[:MAX_LINES], 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        try:
            key = parse_line(line)
            if PublicKey.parse(key.blob) is None:
                raise ValueError("the key is of a size or form that is not taken")
            found.append((line, key))
        except ValueError as error:
            problems.append(f"{source}:{number}: {clean(str(error), limit=200)}")
    if not found and not problems:
        problems.append(f"{source}: there is no key")
    if problems:
        raise click.ClickException("\n".join([*problems, "Nothing was changed."]))
    return tuple(found)


def _text(what: Sequence[str]) -> tuple[str, str]:
    """What is to be read, and what it is called where something is wrong with it."""
    if tuple(what) == ("-",):
        return sys.stdin.read(MAX_FILE), "standard input"
    if len(what) > 1 or " " in what[0].strip():
        return " ".join(what), "the line"
    path = Path(what[0]).expanduser()
    try:
        with path.open("rb") as file:
            text = file.read(MAX_FILE).decode("utf-8")
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise click.ClickException(f"{path} is not a file of public keys.") from None
    if "PRIVATE KEY" in text:
        raise click.ClickException(
            f"{path} is a private key, which stays where it is. Its public half is {path}.pub."
        )
    return text, str(path)


def _record(user: str, line: str, key: KeyLine, label: str) -> KeyRecord:
    from tuihost.accounts import KeyRecord

    name = label or clean(key.comment, limit=MAX_LABEL) or key.kind
    return KeyRecord(user, key.fingerprint, name, line, time.time())


def _label(name: str) -> str:
    label = clean(" ".join(name.split()), limit=MAX_LABEL)
    if not label:
        raise click.ClickException("A name needs at least one character.")
    return label


def _found(book: Book, user: str, key: str) -> KeyRecord:
    """The one key that is meant."""
    book.account(user)
    found = list(_meant(book.store.keys(user), key))
    if len(found) == 1:
        return found[0]
    if found:
        raise click.ClickException(f"{len(found)} keys of {user} are called {key!r}; say which.")
    raise click.ClickException(f"{user} has no key {key!r}: tuihost user key list {user}")


def _meant(keys: Sequence[KeyRecord], key: str) -> Iterator[KeyRecord]:
    bare = key.removeprefix("SHA256:")
    for one in keys:
        if one.name == key or (bare and one.fingerprint.removeprefix("SHA256:").startswith(bare)):
            yield one


def _data(one: KeyRecord) -> dict[str, str | None]:
    return {
        "name": one.name,
        "kind": kind_of(one),
        "fingerprint": one.fingerprint,
        "line": one.line,
        "added": iso_time(one.added),
        "last_used": iso_time(one.last_used),
    }
