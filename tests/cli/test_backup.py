"""`tuihost backup`: what was written a moment ago is in it, and nobody else can read it."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

import pytest

from tests.cli.operator import Run
from tuihost.accounts import AccountStore, LoginRecord
from tuihost.cli import backup
from tuihost.host.login.services import open_accounts
from tuihost.settings.loading import load


def test_a_running_host_is_copied_with_what_stands_in_its_write_ahead_log(
    store: AccountStore, run: Run, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    store.update("ada", disabled=True)  # this one stays open, as a running host does
    store.set_totp("ada", b"a secret of ada's")
    store.record_login(LoginRecord("ada", 1.0, "192.0.2.1", ("publickey",)))
    assert (state / "accounts.sqlite3-wal").stat().st_size > 0
    said = run("backup", "copy.tar").out
    assert said == "copy.tar: accounts.sqlite3, accounts.key\n"
    assert (tmp_path / "copy.tar").stat().st_mode & 0o777 == 0o600

    restored = tmp_path / "restored"
    with tarfile.open(tmp_path / "copy.tar") as archive:
        assert {member.mode for member in archive.getmembers()} == {0o600}
        archive.extractall(restored, filter="data")
    assert sorted(path.name for path in restored.iterdir()) == ["accounts.key", "accounts.sqlite3"]
    there = open_accounts(load(None, {}, {"server.state_dir": str(restored)}))
    record = there.get("ada")
    assert record is not None
    assert record.disabled
    assert there.totp_secret("ada") == b"a secret of ada's"
    assert len(there.logins("ada")) == 1
    there.close()

    # What the documents used to advise: a copy of the two files.
    naive = tmp_path / "naive"
    naive.mkdir(mode=0o700)
    for name in ("accounts.sqlite3", "accounts.key"):
        shutil.copy(state / name, naive / name)
    without = open_accounts(load(None, {}, {"server.state_dir": str(naive)}))
    assert not without.logins("ada")
    without.close()


def test_what_root_copies_is_unpacked_for_the_user_of_the_host(
    store: AccountStore, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "host_user", lambda folder: 4242)
    run("backup", "copy.tar")
    with tarfile.open(tmp_path / "copy.tar") as archive:
        owners = {(member.uid, member.uname) for member in archive.getmembers()}
    assert owners == {(4242, "#4242")}


def test_a_backup_overwrites_nothing_and_needs_a_store(run: Run, tmp_path: Path) -> None:
    assert "there is no account store yet" in run("backup", "copy.tar", status=69).err
    assert not (tmp_path / "copy.tar").exists()
    (tmp_path / "copy.tar").write_text("mine")
    said = run("backup", "copy.tar", status=1).err
    assert said == "Error: copy.tar already exists, and is left as it is.\n"
    assert (tmp_path / "copy.tar").read_text() == "mine"


def test_a_link_to_nothing_is_not_taken_for_a_backup(
    store: AccountStore, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "copy.tar").symlink_to("not-there")
    said = run("backup", "copy.tar", status=1)
    assert said.err == "Error: copy.tar already exists, and is left as it is.\n"
