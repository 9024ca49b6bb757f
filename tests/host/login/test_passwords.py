"""Passwords: what is one, how many at a time, and that nobody's takes as long as somebody's."""

from __future__ import annotations

import threading
import time
import unicodedata
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from tests.waiting import DEADLINE
from tuihost.core.login.authentication import MAX_PASSWORD
from tuihost.host.login.passwords import Passwords

pytestmark = pytest.mark.usefixtures("real_costs")


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    passwords = Passwords(2)
    yield passwords
    passwords.close()


def test_the_right_one_and_no_other(passwords: Passwords) -> None:
    stored = passwords.hash("correct horse")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.verify(stored, "correct horse")
    assert not passwords.verify(stored, "correct horse ")
    assert not passwords.verify(None, "correct horse")
    assert not passwords.verify(None, "the password of nobody")
    assert not passwords.verify("", "the password of nobody")
    assert not passwords.verify("no hash", "correct horse")


@pytest.mark.parametrize("text", ["", "x" * (MAX_PASSWORD + 1), "é" * 513, "a\0b", "\udcff"])
def test_what_is_no_password_never_reaches_the_hash(
    passwords: Passwords, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = passwords.hash("x")
    monkeypatch.setattr(PasswordHasher, "verify", None)
    monkeypatch.setattr(PasswordHasher, "hash", None)
    assert not passwords.verify(stored, text)
    with pytest.raises(ValueError, match="1 to 1024 bytes"):
        passwords.hash(text)


def test_the_longest_one(passwords: Passwords) -> None:
    stored = passwords.hash("x" * MAX_PASSWORD)
    assert passwords.verify(stored, "x" * MAX_PASSWORD)
    assert not passwords.verify(stored, "x" * (MAX_PASSWORD - 1))


def test_one_password_however_its_accents_are_composed(passwords: Passwords) -> None:
    stored = passwords.hash("caf\u00e9")
    assert passwords.verify(stored, unicodedata.normalize("NFD", "caf\u00e9"))


def test_other_costs_are_noticed(passwords: Passwords) -> None:
    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash("x")
    assert passwords.verify(cheap, "x")
    assert passwords.needs_rehash(cheap)
    assert not passwords.needs_rehash(passwords.hash("x"))


def test_no_more_than_so_many_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = Passwords(2)
    stored = passwords.hash("x")
    passwords.verify(None, "x")
    gate, lock = threading.Event(), threading.Lock()
    now, most, both = 0, 0, threading.Event()

    def verify(self: PasswordHasher, known: str, raw: bytes) -> bool:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
            if now == 2:
                both.set()
        assert gate.wait(DEADLINE)
        with lock:
            now -= 1
        return True

    monkeypatch.setattr(PasswordHasher, "verify", verify)
    threads = [threading.Thread(target=passwords.verify, args=(stored, "x")) for _ in range(6)]
    for thread in threads:
        thread.start()
    assert both.wait(DEADLINE), "two of six should be at work"
    gate.set()
    for thread in threads:
        thread.join(DEADLINE)
    passwords.close()
    assert most == 2


def test_nobody_takes_as_long_as_somebody(passwords: Passwords) -> None:
    stored = passwords.hash("x")
    spent: dict[str | None, list[float]] = {stored: [], None: []}
    for _ in range(15):
        for known, times in spent.items():
            begun = time.process_time()
            passwords.verify(known, "wrong")
            times.append(time.process_time() - begun)
    ours, nobodys = (sorted(times)[7] for times in spent.values())
    assert nobodys > 0.5 * ours, f"{nobodys:.4f} s for nobody, {ours:.4f} s for somebody"
    assert ours > 0.5 * nobodys, f"{nobodys:.4f} s for nobody, {ours:.4f} s for somebody"
