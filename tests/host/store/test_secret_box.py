"""Secrets at rest: nobody reads, moves or changes one unnoticed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tuihost.accounts import StoreError
from tuihost.host.store.secret_box import SecretBox


@pytest.fixture
def box(tmp_path: Path) -> SecretBox:
    box = SecretBox(tmp_path / "key")
    box.create()
    return box


def test_a_secret_is_opened_for_its_owner_only(box: SecretBox) -> None:
    sealed = box.seal(b"twenty-bytes-of-it!!", "ada")
    assert b"twenty-bytes" not in sealed
    assert box.open(sealed, "ada") == b"twenty-bytes-of-it!!"
    with pytest.raises(StoreError, match="damaged, or somebody else's"):
        box.open(sealed, "eve")


def test_the_key_is_made_once_and_kept(box: SecretBox) -> None:
    before = box.path.read_bytes()
    sealed = box.seal(b"secret", "ada")
    box.create()
    assert box.path.read_bytes() == before
    assert SecretBox(box.path).open(sealed, "ada") == b"secret"


def test_another_key_is_told_from_a_damaged_secret(box: SecretBox) -> None:
    sealed = box.seal(b"secret", "ada")
    box.path.write_bytes(os.urandom(32))
    with pytest.raises(StoreError, match="was encrypted with another key"):
        SecretBox(box.path).open(sealed, "ada")


def test_a_key_that_is_gone_or_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="key is gone, and the secrets cannot be read"):
        SecretBox(tmp_path / "key").seal(b"secret", "ada")
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"key cannot be made: "):
        SecretBox(tmp_path / "file" / "key").create()


def test_a_secret_that_was_tampered_with(tmp_path: Path) -> None:
    box = SecretBox(tmp_path / "key")
    box.create()
    sealed = box.seal(b"secret", "ada")
    assert box.seal(b"secret", "ada") != sealed
    assert box.open(sealed, "ada") == b"secret"
    for place in range(len(sealed)):
        spoiled = bytearray(sealed)
        spoiled[place] ^= 1
        with pytest.raises(StoreError):
            box.open(bytes(spoiled), "ada")
    for short in (b"", sealed[:9], sealed[:15], sealed[:-1]):
        with pytest.raises(StoreError):
            box.open(short, "ada")
