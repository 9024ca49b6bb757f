"""The SQLite store in trouble: it refuses in one sentence, loses nothing, and works again."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tuihost.accounts import AccountRecord, Invite, KeyRecord, StoreError
from tuihost.database import Database
from tuihost.host.store import account_store
from tuihost.host.store._account_rows import account_of
from tuihost.host.store._account_schema import APPLICATION_ID, MIGRATIONS
from tuihost.host.store.account_store import SqliteAccounts
from tuihost.host.store.secret_box import SecretBox


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "accounts.sqlite3"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteAccounts]:
    store = opened(path)
    yield store
    store.close()


def opened(path: Path) -> SqliteAccounts:
    return SqliteAccounts(path, SecretBox(path.with_name("key")), busy=0.05)


def test_looking_makes_no_file(store: SqliteAccounts, path: Path) -> None:
    assert store.get("ada") is None
    assert not store.taken("ada")
    assert store.failures("ada", 0.0, 60.0) == 0
    store.clear_failures("ada")
    assert os.listdir(path.parent) == []


def test_the_files_are_for_nobody_else(store: SqliteAccounts, path: Path) -> None:
    store.create(AccountRecord("ada"))
    files = sorted(path.parent.iterdir())
    assert {"accounts.sqlite3", "accounts.sqlite3-wal", "key"} <= {file.name for file in files}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


@pytest.mark.parametrize("version", [1, 2])
def test_accounts_of_an_older_store_are_known_by_what_they_look_like(
    path: Path, version: int
) -> None:
    older = Database(path, MIGRATIONS[:version], application_id=APPLICATION_ID, prepare=_old_form)
    with older.writing() as database:
        database.execute(
            'insert into account (folded, name, roles, "groups", disabled, created,'
            " password_expired, terms, chains)"
            " values ('alice', 'alice', '[]', '[]', 0, 0, 0, '', '[]')"
        )
    older.close()
    store = opened(path)
    assert store.taken("al1ce")
    assert not store.taken("bob")
    store.close()


def _old_form(connection: sqlite3.Connection) -> None:
    connection.create_function("skeleton", 1, lambda name: name, deterministic=True)


def test_it_is_in_write_ahead_mode(store: SqliteAccounts, path: Path) -> None:
    store.create(AccountRecord("ada"))
    database = sqlite3.connect(path)
    assert database.execute("pragma journal_mode").fetchone() == ("wal",)
    database.close()


ENDS: list[tuple[Callable[[SqliteAccounts], object], Callable[[SqliteAccounts], object]]] = [
    (
        lambda store: store.update("ada", disabled=True),
        lambda copy: copy.all()[0].disabled is False,
    ),
    (
        lambda store: store.update("ada", password_hash="new"),
        lambda copy: _ada(copy).password_hash == "old",
    ),
    (lambda store: store.delete("ada"), lambda copy: copy.get("ada")),
    (lambda store: store.remove_key("ada", "SHA256:1"), lambda copy: copy.keys("ada")),
    (lambda store: store.take_totp("ada", 7), lambda copy: copy.take_totp("ada", 7)),
    (lambda store: store.take_recovery("ada", b"1"), lambda copy: copy.take_recovery("ada", b"1")),
    (lambda store: store.set_recovery("ada", []), lambda copy: copy.take_recovery("ada", b"1")),
    (
        lambda store: store.take_invite(b"code", 5.0, AccountRecord("bob")),
        lambda copy: copy.peek_invite(b"code", 5.0),
    ),
]


def _ada(store: SqliteAccounts) -> AccountRecord:
    record = store.get("ada")
    assert record is not None
    return record


@pytest.mark.parametrize(("end", "valid"), ENDS)
def test_what_ends_has_ended_in_a_copy_of_the_file_alone(
    store: SqliteAccounts,
    path: Path,
    end: Callable[[SqliteAccounts], object],
    valid: Callable[[SqliteAccounts], object],
) -> None:
    """Whoever copies the file without its write-ahead log opens nothing again."""
    before = opened(path)
    before.create(AccountRecord("ada", password_hash="old"))
    before.set_totp("ada", b"secret")
    before.set_recovery("ada", [b"1"])
    before.add_key(KeyRecord("ada", "SHA256:1", "laptop", "ssh-ed25519 AAAA"))
    before.add_invite(b"code", Invite())
    before.close()
    assert end(store) is not False
    folder = path.parent / "copy"
    folder.mkdir()
    for file in (path, path.with_name("key")):
        shutil.copy(file, folder)
    copy = opened(folder / path.name)
    assert not valid(copy)
    copy.close()


@pytest.mark.parametrize(
    ("place", "spoil", "reason"),
    [
        ("accounts.sqlite3", lambda path: path.chmod(0o622), "others can write to it"),
        ("accounts.sqlite3", lambda path: path.chmod(0o666), "others can write to it"),
        (".", lambda path: path.chmod(0o777), "its folder: others can write to it"),
        (".", lambda path: path.chmod(0o1777), "its folder: others can write to it"),
    ],
)
def test_a_store_that_others_may_write_to_lets_nobody_in(
    store: SqliteAccounts, path: Path, place: str, spoil: Callable[[Path], None], reason: str
) -> None:
    store.create(AccountRecord("ada"))
    spoil(path.parent / place)
    again = opened(path)
    for ask in (again.check, lambda: again.get("ada"), lambda: again.delete("ada")):
        with pytest.raises(StoreError, match=f"accounts.sqlite3 cannot be trusted: {reason}"):
            ask()
    path.parent.chmod(0o700)
    path.chmod(0o600)
    assert again.get("ada") == AccountRecord("ada")
    again.check()
    path.chmod(0o666)  # while the host runs
    with pytest.raises(StoreError, match="cannot be trusted"):
        again.get("ada")
    again.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_store_of_another_user_is_trusted_in_that_users_folder_alone(
    store: SqliteAccounts, path: Path
) -> None:
    store.create(AccountRecord("ada"))
    os.chown(path, 1234, 1234)
    with pytest.raises(StoreError, match="cannot be trusted: belongs to another user"):
        store.get("ada")
    os.chown(path.parent, 1234, 1234)
    assert store.get("ada") == AccountRecord("ada")


def test_as_much_is_read_for_a_name_that_is_nobodys(
    store: SqliteAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.create(AccountRecord("ada"))
    read: list[str] = []

    def reading(row: tuple[str]) -> AccountRecord:
        read.append(row[0])
        return account_of(row)

    monkeypatch.setattr(account_store, "account_of", reading)
    assert (store.get("ada"), store.get("eve")) == (AccountRecord("ada"), None)
    assert store.lookup("ada") == (AccountRecord("ada"), True)
    assert store.lookup("eve") == store.lookup("") == (None, False)
    assert read == ["ada", "", "ada", "", ""]


def test_locked_by_another_process(store: SqliteAccounts, path: Path) -> None:
    store.create(AccountRecord("ada"))
    store.set_totp("ada", b"secret")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(StoreError, match=r"accounts\.sqlite3 is locked by another process"):
        store.take_totp("ada", 1)
    assert store.get("ada") is not None  # reading does not wait for a writer
    other.execute("rollback")
    other.close()
    assert store.take_totp("ada", 1)


def test_a_full_disk_refuses_and_loses_nothing(store: SqliteAccounts) -> None:
    store.create(AccountRecord("ada", terms="before"))
    with store._database.writing() as database:
        pages = database.execute("pragma page_count").fetchone()[0]
        database.execute(f"pragma max_page_count = {pages}")
    with pytest.raises(StoreError, match="the disk is full"):
        store.update("ada", terms="x" * 100_000)
    with store._database.writing() as database:
        database.execute("pragma max_page_count = 1000000")
    found = store.get("ada")
    assert found is not None
    assert found.terms == "before"
    assert store.update("ada", terms="after")


def test_a_damaged_file(path: Path) -> None:
    path.write_bytes(b"this is no database at all" * 100)
    before = path.read_bytes()
    store = opened(path)
    for _ in range(2):
        with pytest.raises(StoreError, match="is damaged"):
            store.get("ada")
        with pytest.raises(StoreError, match="is damaged"):
            store.create(AccountRecord("ada"))
    assert path.read_bytes() == before
    path.unlink()  # the operator takes it away: it was never a store
    assert store.create(AccountRecord("ada"))
    store.close()


def test_damage_inside_a_store(path: Path) -> None:
    store = opened(path)
    for number in range(200):
        store.create(AccountRecord(f"user{number}", terms="x" * 100))
    store.close()
    raw = bytearray(path.read_bytes())
    raw[4096 : len(raw)] = b"\xa5" * (len(raw) - 4096)
    path.write_bytes(raw)
    store = opened(path)
    with pytest.raises(StoreError, match="is damaged"):
        store.get("user7")
    store.close()


def test_a_store_that_is_gone_is_not_made_anew(store: SqliteAccounts, path: Path) -> None:
    store.create(AccountRecord("ada"))
    away = path.with_name("away")
    path.rename(away)
    for ask in (lambda: store.get("ada"), lambda: store.create(AccountRecord("eve"))):
        with pytest.raises(StoreError, match=r"accounts\.sqlite3 is gone"):
            ask()
    with pytest.raises(StoreError, match=r"is gone: put it back, or delete its key"):
        opened(path).taken("ada")  # also for a host that starts now
    assert not path.exists()
    away.rename(path)
    assert store.get("ada") is not None


def test_a_store_that_was_put_back_from_a_copy_is_noticed(
    store: SqliteAccounts, path: Path
) -> None:
    store.create(AccountRecord("ada"))
    copy = path.with_name("copy")
    source = sqlite3.connect(path)
    target = sqlite3.connect(copy)
    source.backup(target)
    source.close()
    target.close()
    store.create(AccountRecord("eve"))
    for extra in ("-wal", "-shm"):
        path.with_name(path.name + extra).unlink()
    copy.replace(path)
    assert [one.name for one in store.all()] == ["ada"]
    assert store.create(AccountRecord("bob"))


def test_no_folder(tmp_path: Path) -> None:
    store = opened(tmp_path / "nowhere" / "accounts.sqlite3")
    with pytest.raises(
        StoreError, match=r"the account store .* cannot be opened: there is no such folder"
    ):
        store.get("ada")


def test_closed(store: SqliteAccounts) -> None:
    store.create(AccountRecord("ada"))
    store.close()
    store.close()
    with pytest.raises(StoreError, match="is closed"):
        store.get("ada")


def test_a_newer_store_is_left_alone(store: SqliteAccounts, path: Path) -> None:
    store.create(AccountRecord("ada"))
    store.close()
    database = sqlite3.connect(path)
    database.execute("pragma user_version = 99")
    database.close()
    with pytest.raises(StoreError, match=r"was written by a newer version \(its version is 99"):
        opened(path).get("ada")


def test_a_database_of_something_else_is_left_alone(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("create table bread (butter)")
    database.commit()
    database.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="is a database of something else"):
        opened(path).create(AccountRecord("ada"))
    assert path.read_bytes() == before


# ------------------------------------------------------------------------------------ secrets


def test_secrets_are_not_to_be_seen_in_the_file(store: SqliteAccounts, path: Path) -> None:
    secret = b"twenty-bytes-of-it!!"
    store.create(AccountRecord("ada"))
    store.set_totp("ada", secret)
    files = [file.read_bytes() for file in path.parent.iterdir()]
    assert all(secret not in raw for raw in files)
    assert store.totp_secret("ada") == secret


def test_a_secret_cannot_be_moved_to_another_account(store: SqliteAccounts) -> None:
    for name in ("ada", "eve"):
        store.create(AccountRecord(name))
        store.set_totp(name, name.encode())
    with store._database.writing() as database:
        database.execute("update account set totp = (select totp from account where name = 'eve')")
    assert store.totp_secret("eve") == b"eve"
    with pytest.raises(StoreError, match="damaged, or somebody else's"):
        store.totp_secret("ada")


def test_a_key_that_is_gone_is_not_made_anew_over_secrets(path: Path) -> None:
    store = opened(path)
    store.create(AccountRecord("ada"))
    store.create(AccountRecord("eve"))
    store.set_totp("ada", b"secret")
    store.close()
    key = path.with_name("key")
    kept = key.read_bytes()
    key.unlink()
    store = opened(path)
    for ask in (lambda: store.totp_secret("ada"), lambda: store.set_totp("eve", b"other")):
        with pytest.raises(StoreError, match="key is gone"):
            ask()
    assert not key.exists()
    assert store.get("ada") is not None  # what is not secret can still be read
    key.write_bytes(kept)
    key.chmod(0o600)
    assert store.totp_secret("ada") == b"secret"
    store.close()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda key: key.chmod(0o644), "key cannot be used: others can read it"),
        (lambda key: key.write_bytes(b"short"), "is not 32 bytes long"),
        (lambda key: key.write_bytes(os.urandom(33)), "is not 32 bytes long"),
        (lambda key: (key.unlink(), key.mkdir(), key.chmod(0o700)), "not a regular file"),
        (lambda key: (key.unlink(), os.mkfifo(key, 0o600)), "not a regular file"),
        (lambda key: key.write_bytes(os.urandom(32)), "encrypted with another key"),
    ],
)
def test_a_key_that_cannot_be_trusted_is_not_used(path: Path, spoil, sentence: str) -> None:  # type: ignore[no-untyped-def]
    store = opened(path)
    store.create(AccountRecord("ada"))
    store.set_totp("ada", b"secret")
    store.close()
    spoil(path.with_name("key"))
    store = opened(path)
    with pytest.raises(StoreError, match=sentence):
        store.totp_secret("ada")
    store.close()
