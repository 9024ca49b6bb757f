"""`tuihost user key`: whose keys are whose."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.operator import KEY, MARK, OTHER, WEAK, Run
from tuihost.accounts import AccountStore
from tuihost.core.keys.authorized_keys import MAX_LINES


def test_keys_come_from_files_lines_and_standard_input(
    store: AccountStore, run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "key.pub"
    file.write_text(f"# mine\n\n{KEY} ada@laptop\n")
    assert run("user", "key", "add", "ada", "key.pub").out == f"ada@laptop  {MARK}\n"
    again = run("user", "key", "add", "ada", *f"{KEY} other name".split())
    assert (again.out, again.err) == ("", f"ada already has {MARK}.\n")
    run("user", "key", "add", "ada", "-", "--name", "work", stdin=f'from="10.0.0.0/8" {OTHER}\n')
    first, second = store.keys("ada")
    assert (first.name, first.line) == ("ada@laptop", f"{KEY} ada@laptop")
    assert (second.name, second.line) == ("work", f'from="10.0.0.0/8" {OTHER}')
    listed = json.loads(run("user", "key", "list", "ada", "--json").out)
    assert (listed[0]["kind"], listed[0]["fingerprint"]) == ("ssh-ed25519", MARK)
    assert "ada@laptop  ssh-ed25519" in run("user", "key", "list", "ada").out


@pytest.mark.parametrize("way", ["a file", "standard input", "a line"])
def test_every_way_takes_every_form_of_a_public_key(
    store: AccountStore, run: Run, tmp_path: Path, way: str
) -> None:
    coded = KEY.split()[1]
    block = (
        '---- BEGIN SSH2 PUBLIC KEY ----\r\nComment: "ada@putty"\r\n'
        f"{coded[:30]}\r\n{coded[30:]}\r\n---- END SSH2 PUBLIC KEY ----\r\n"
    )
    (tmp_path / "given").write_bytes(b"\xef\xbb\xbf" + block.encode())
    given = {"a file": "given", "standard input": "-", "a line": block}[way]
    said = run("user", "key", "add", "ada", "--", given, stdin=f"\ufeff{block}")
    assert said.out == f"ada@putty  {MARK}\n"
    assert [key.line for key in store.keys("ada")] == [f"{KEY} ada@putty"]


@pytest.mark.parametrize("way", ["given", "-", "-----BEGIN OPENSSH PRIVATE KEY----- b3Bl"])
def test_a_private_key_is_refused_however_it_comes(
    store: AccountStore, run: Run, tmp_path: Path, way: str
) -> None:
    (tmp_path / "given").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n")
    stdin = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n"
    said = run("user", "key", "add", "ada", "--", way, stdin=stdin, status=1)
    assert "is a private key, which nobody else should have" in said.err
    assert "b3Bl" not in said.err
    assert store.keys("ada") == ()


def test_a_file_of_too_many_keys_is_not_taken_in_part(
    store: AccountStore, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "given").write_text(f"{KEY}\n" * (MAX_LINES + 1))
    said = run("user", "key", "add", "ada", "given", status=1)
    assert f"only the first {MAX_LINES:,} lines count" in said.err
    assert store.keys("ada") == ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "is a private key, which nobody else should have"),
        ("nothing of that kind", "given:1: "),
        (f"{KEY}\nwrong={OTHER}", "given:2: "),
        (f"bogus-option {KEY}", "the option bogus-option is not known"),
        (WEAK, "of this type or size"),
        ("", "given has no key in it"),
        ("\x1b]0;title\x07", "control characters"),
    ],
)
def test_what_is_no_key_changes_nothing(
    store: AccountStore, run: Run, tmp_path: Path, text: str, sentence: str
) -> None:
    (tmp_path / "given").write_text(text)
    said = run("user", "key", "add", "ada", "given", status=1)
    assert sentence in said.err
    assert "\x1b" not in said.err
    assert store.keys("ada") == ()


def test_a_file_that_is_not_there(store: AccountStore, run: Run, tmp_path: Path) -> None:
    said = run("user", "key", "add", "ada", "gone.pub", status=1)
    assert said.err == "Error: gone.pub: No such file or directory\n"
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    assert (
        "is UTF-16 text; save it as UTF-8"
        in run("user", "key", "add", "ada", "binary", status=1).err
    )


def test_a_key_is_renamed_and_removed_by_what_tells_it(store: AccountStore, run: Run) -> None:
    run("user", "key", "add", "ada", f"{KEY} one")
    run("user", "key", "add", "ada", f"{OTHER} two")
    run("user", "key", "rename", "ada", "one", "old laptop")
    run("user", "key", "rename", "ada", MARK[:20], "older laptop")
    assert {one.name for one in store.keys("ada")} == {"older laptop", "two"}
    assert "has no key" in run("user", "key", "remove", "ada", "SHA256:", "-y", status=1).err
    assert "has no key 'three'" in run("user", "key", "remove", "ada", "three", status=1).err
    run("user", "key", "remove", "ada", "two", "--yes")
    assert [one.fingerprint for one in store.keys("ada")] == [MARK]
