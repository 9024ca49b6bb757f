"""The host's own keys: made privately, and refused where they are not private or not whole."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.waiting import DEADLINE
from tuihost.errors import SettingsError
from tuihost.ssh.keys.host_keys import HostKeys


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "state" / "host_ed25519"


def _problem(*paths: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        HostKeys.load_or_create(*paths)
    assert all("\n" not in line for line in caught.value.problems)
    return "; ".join(caught.value.problems)


def _write(path: Path, key: object, encryption: object = None) -> Path:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    text = key.private_bytes(  # type: ignore[attr-defined]
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        encryption or serialization.NoEncryption(),
    )
    path.write_bytes(text)
    path.chmod(0o600)
    return path


def test_a_key_is_made_once_and_kept_private(place: Path) -> None:
    first = HostKeys.load_or_create(place)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    assert HostKeys.load_or_create(place).cards() == first.cards()
    assert os.listdir(place.parent) == [place.name]


def test_openssh_reads_it_and_sees_the_same_fingerprint(
    place: Path, program: Callable[[str], str]
) -> None:
    keys = HostKeys.load_or_create(place)
    words = [program("ssh-keygen"), "-lf", str(place)]
    shown = subprocess.run(words, capture_output=True, check=True, timeout=DEADLINE).stdout.decode()
    (card,) = keys.cards()
    assert shown.split()[:2] == ["256", card.sha256]
    assert card.kind == "ssh-ed25519"
    assert card.line.startswith("ssh-ed25519 AAAA")


def test_an_rsa_key_beside_it_signs_with_sha2_alone(place: Path) -> None:
    other = _write(place.with_name("rsa"), rsa.generate_private_key(65537, 3072))
    keys = HostKeys.load_or_create(place, other)
    assert list(keys.by_algorithm) == ["ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256"]
    assert [card.bits for card in keys.cards()] == [256, 3072]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622, 0o666])
def test_a_key_that_others_can_read_is_refused(place: Path, mode: int) -> None:
    HostKeys.load_or_create(place)
    place.chmod(mode)
    assert f"others can read it (mode {mode:o})" in _problem(place)


def test_a_folder_that_others_can_write_is_refused(place: Path) -> None:
    HostKeys.load_or_create(place)
    place.parent.chmod(0o777)
    assert "others can write to its folder" in _problem(place)


def test_half_a_key_is_refused_and_never_replaced(place: Path) -> None:
    HostKeys.load_or_create(place)
    half = place.read_bytes()[:150]
    place.write_bytes(half)
    assert "not a complete private key" in _problem(place)
    place.write_bytes(b"")
    assert "is empty" in _problem(place)
    assert place.read_bytes() == b""


def test_an_encrypted_key_is_refused(place: Path) -> None:
    key = Ed25519PrivateKey.generate()
    _write(place, key, serialization.BestAvailableEncryption(b"x"))
    assert "is encrypted" in _problem(place)


def test_a_weak_or_foreign_key_is_refused(place: Path) -> None:
    _write(place, rsa.generate_private_key(65537, 2048))
    assert "an RSA key of 2048 bits" in _problem(place)
    _write(place, ec.generate_private_key(ec.SECP256R1()))
    assert "neither an Ed25519 nor an RSA key" in _problem(place)


def test_what_is_no_file_is_refused(place: Path) -> None:
    place.mkdir(parents=True, mode=0o700)
    assert "is not a regular file" in _problem(place)
    os.rmdir(place)
    os.mkfifo(place, 0o600)
    assert "is not a regular file" in _problem(place)


def test_every_problem_is_told_at_once(place: Path) -> None:
    HostKeys.load_or_create(place)
    place.chmod(0o644)
    told = _problem(place, place.with_name("missing"))
    assert "others can read it" in told
    assert "No such file" in told


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_of_another_user_is_refused(place: Path) -> None:
    HostKeys.load_or_create(place)
    os.chown(place, 12345, -1)
    assert "belongs to another user" in _problem(place)


def test_of_two_that_start_at_once_the_second_takes_the_firsts(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    won = HostKeys.load_or_create(place)
    # The second looked before the first had linked its key into place.
    monkeypatch.setattr(Path, "exists", lambda self: False)
    assert HostKeys.load_or_create(place).cards() == won.cards()
    assert os.listdir(place.parent) == [place.name]
