"""The verifier does the same work for everybody, and next to none for guests."""

from __future__ import annotations

import base64
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.log import SILENT, kept_log
from tests.waiting import DEADLINE
from tuihost.accounts import AccountRecord, KeyRecord, StoreError
from tuihost.core.keys.authorized_keys import parse_line
from tuihost.core.keys.offers import KeyOffer
from tuihost.core.login.lockout import Try
from tuihost.core.login.verdicts import Hangup, Query
from tuihost.host.login import _key_files
from tuihost.host.login.services import LoginServices
from tuihost.host.login.verifier import FRESH, MAX_TOLD, AccountVerifier
from tuihost.login.steps import bundled_steps
from tuihost.login.steps.codes import totp_code, totp_counter
from tuihost.settings.loading import load
from tuihost.wire import Identity, Peer

pytestmark = pytest.mark.usefixtures("real_costs")

PEER = Peer("198.51.100.4", 50_000)


@pytest.fixture
def login_services(tmp_path: Path) -> Iterator[LoginServices]:
    given = {"server.state_dir": str(tmp_path), "sources.lockout_failures": 3}
    steps = {step.name: step for step in bundled_steps()}
    login_services = LoginServices(load(None, {}, given), steps, SILENT)
    yield login_services
    login_services.close()


@pytest.fixture
def people(login_services: LoginServices) -> tuple[str, ...]:
    """Four who all come to nothing: known, unknown, closed and locked."""
    hashed = login_services.passwords.hash("the right one")
    for name in ("known", "closed", "locked"):
        login_services.store.create(
            AccountRecord(name, password_hash=hashed, disabled=name == "closed", roles=frozenset())
        )
        login_services.store.set_totp(name, b"0" * 20)
    for _ in range(3):
        attempt = Try("locked", PEER.address, login_services.now())
        login_services.lockout.failed(attempt, login_services.lockout.begin(attempt))
    return ("known", "unknown", "closed", "locked")


class Work:
    """Counts what the store and the hash are asked for."""

    def __init__(self, login_services: LoginServices, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: Counter[str] = Counter()
        database = login_services.store._database
        used = [each.open for each in (*database._readers, database._writer) if each.open]
        assert len(used) == 2, "one thread reads by one connection, and writes by another"
        for connection in used:
            connection.set_trace_callback(lambda text: self._note(text.split()[0]))
        verify = login_services.passwords.verify

        def counted(stored: str | None, password: str) -> bool:
            self._note("hash")
            return verify(stored, password)

        monkeypatch.setattr(login_services.passwords, "verify", counted)

    def _note(self, what: str) -> None:
        self.done[what] += 1

    def counting(self, what: str, ask: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any) -> Any:
            self._note(what)
            return ask(*given)

        return counted

    def taken(self) -> Counter[str]:
        done, self.done = self.done, Counter()
        return done


@pytest.mark.parametrize("way", ["password", "asked", "totp", "recovery", "publickey"])
def test_the_same_work_whoever_it_is(
    login_services: LoginServices,
    people: tuple[str, ...],
    way: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    work = Work(login_services, monkeypatch)
    done = {}
    for name in people:
        verifier = AccountVerifier(login_services, PEER, SILENT)
        verifier.chains(name, None)
        match way:
            case "password":
                assert not verifier.password(name, "a wrong one")
            case "publickey":
                assert not verifier.key_acceptable(
                    name, KeyOffer("ssh-ed25519", b"x" * 51, "SHA256:x")
                )
            case _:
                step = verifier.step({"asked": "password"}.get(way, way), name)
                assert isinstance(next(step), Query)
                with pytest.raises(StopIteration) as end:
                    step.send(("a wrong one",))
                assert end.value.value is False
        verifier.failed(name, way, "not accepted")
        done[name] = work.taken()
    assert done["unknown"]["select"] > 0
    # A select that finds a name, and one that does not, differ by microseconds; a hash or a note
    # on the disk would show.
    shape = {name: (found["hash"], found["insert"], found["begin"]) for name, found in done.items()}
    assert len(set(shape.values())) == 1, shape
    selects = [found["select"] for found in done.values()]
    assert max(selects) - min(selects) <= 3, done


@pytest.fixture
def with_files(tmp_path: Path) -> Iterator[LoginServices]:
    """With a file of keys for each account, in that folder."""
    given = {"server.state_dir": str(tmp_path), "login.authorized_keys": [f"{tmp_path}/%u"]}
    steps = {step.name: step for step in bundled_steps()}
    login_services = LoginServices(load(None, {}, given), steps, SILENT)
    yield login_services
    login_services.close()


def test_an_offer_costs_the_same_however_many_keys_there_are(
    tmp_path: Path, with_files: LoginServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_key_files, "SETTLED", -1.0)
    store = with_files.store
    for name in ("none", "many"):
        store.create(AccountRecord(name))
    for number in range(60):
        key = ed25519(number)
        assert store.add_key(KeyRecord("many", parse_line(key).fingerprint, "", key))
    assert len(store.keys("many")) == 60
    (tmp_path / "many").write_text("".join(f"{ed25519(number)}\n" for number in range(60, 960)))
    (tmp_path / "many").chmod(0o600)
    work = Work(with_files, monkeypatch)
    for parser in ("parse", "_parsed_line"):
        monkeypatch.setattr(_key_files, parser, work.counting(parser, getattr(_key_files, parser)))
    offer = KeyOffer("ssh-ed25519", b"x" * 51, "SHA256:x")
    done = {}
    for name in ("none", "many", "nobody"):
        verifier = AccountVerifier(with_files, PEER, SILENT)
        verifier.chains(name, None)
        assert not verifier.key_acceptable(name, offer)  # the file is read for the first of them
        work.taken()
        assert not verifier.key_acceptable(name, offer)
        done[name] = work.taken()
    assert done["many"] == done["none"] == done["nobody"]
    assert done["many"]["select"] > 0


def ed25519(number: int) -> str:
    blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + number.to_bytes(32, "big")
    return f"ssh-ed25519 {base64.b64encode(blob).decode()}"


def test_a_closed_account_is_told_of_where_a_key_is_its_own_and_once(
    login_services: LoginServices,
) -> None:
    log, records = kept_log()
    login_services.store.create(AccountRecord("shut", disabled=True))
    for number in range(20):
        key = ed25519(number)
        login_services.store.add_key(KeyRecord("shut", parse_line(key).fingerprint, "", key))
    verifier = AccountVerifier(login_services, PEER, log)
    verifier.chains("shut", None)
    for number in range(20, 30):
        assert not verifier.key_acceptable("shut", offer_of(number))
    assert records.events == []
    for _ in range(3):
        assert not verifier.key_acceptable("shut", offer_of(0))
    (told,) = records.named("auth.denied")
    assert told["reason"] == "the account is closed"
    for number in range(20):
        assert not verifier.key_acceptable("shut", offer_of(number))
    assert len(records.named("auth.denied")) == MAX_TOLD


def offer_of(number: int) -> KeyOffer:
    line = parse_line(ed25519(number))
    return KeyOffer(line.kind, line.blob, line.fingerprint)


def test_a_locked_try_changes_nothing_that_a_right_one_would(
    login_services: LoginServices, people: tuple[str, ...]
) -> None:
    counter = totp_counter(login_services.now())
    right = totp_code(b"0" * 20, counter)
    verifier = AccountVerifier(login_services, PEER, SILENT)
    verifier.chains("locked", None)
    step = verifier.step("totp", "locked")
    next(step)
    with pytest.raises(StopIteration) as end:
        step.send((right,))
    assert end.value.value is False
    assert login_services.store.take_totp("locked", counter)  # not used up


def test_a_step_that_is_left_after_its_answers_counts(login_services: LoginServices) -> None:
    login_services.store.create(
        AccountRecord(
            "ada", password_hash=login_services.passwords.hash("old one"), password_expired=True
        )
    )
    verifier = AccountVerifier(login_services, PEER, SILENT)
    verifier.chains("ada", None)
    for _ in range(3):
        step = verifier.step("password", "ada")
        next(step)
        assert step.send(("old one",)).title == "Your password has expired"
        step.close()  # the client asks anew instead of answering
    assert not verifier.password("ada", "old one")
    attempt = Try("ada", PEER.address, login_services.now())
    assert login_services.lockout.begin(attempt) is not None


def test_whoever_waits_for_somebodys_word_holds_nobody_up(login_services: LoginServices) -> None:
    """Approval takes seconds; the same account's other tries must not queue behind it."""
    login_services.store.create(
        AccountRecord("ada", password_hash=login_services.passwords.hash("x" * 9))
    )
    waits, results = threading.Event(), []
    stop = login_services.approvals.subscribe(waits.set)
    verifier = AccountVerifier(login_services, PEER, SILENT)
    verifier.chains("ada", None)
    step = verifier.step("approve", "ada")
    assert next(step).prompts == ()

    def wait() -> None:
        with pytest.raises(StopIteration) as end:
            step.send(())
        results.append(end.value.value)

    waiting = threading.Thread(target=wait)
    waiting.start()
    try:
        assert waits.wait(DEADLINE), "nobody waits"
        assert not any(lock.locked() for lock in login_services.store._locks._locks)
        other = AccountVerifier(login_services, PEER, SILENT)
        other.chains("ada", None)
        assert other.password("ada", "x" * 9)
    finally:
        stop()
        for one in login_services.approvals.waiting():
            login_services.approvals.answer(one.number, by="bob", granted=True)
        waiting.join(DEADLINE)
    assert results == [True]


def test_a_door_forgets_what_was_proved_where_a_login_starts_over(
    login_services: LoginServices,
) -> None:
    login_services.store.create(
        AccountRecord("ada", password_hash=login_services.passwords.hash("x" * 9))
    )
    verifier = AccountVerifier(login_services, PEER, SILENT)
    verifier.chains("ada", None)
    assert verifier.password("ada", "x" * 9)
    assert verifier._proved == ("password",)
    verifier.chains("eve", None)
    assert verifier._proved == ()


def test_a_step_may_be_satisfied_without_a_question(login_services: LoginServices) -> None:
    """Terms that were accepted once are not asked for again."""
    for name in ("ada", "closed"):
        login_services.store.create(AccountRecord(name, disabled=name == "closed"))
    for name, lets_in in (("ada", True), ("closed", False)):
        verifier = AccountVerifier(login_services, PEER, SILENT)
        verifier.chains(name, None)
        step = verifier.step("terms", name)
        if lets_in:
            with pytest.raises(StopIteration) as end:
                next(step)
            assert end.value.value is True
            assert verifier._proved == ("terms",)
        else:
            assert isinstance(next(step), Query)  # as somebody who does not exist is asked
            step.close()


def test_a_step_that_is_not_here_keeps_out(login_services: LoginServices) -> None:
    login_services.store.create(AccountRecord("ada", chains=(("tarot",),)))
    verifier = AccountVerifier(login_services, PEER, SILENT)
    assert verifier.chains("ada", None) == (("tarot",),)
    with pytest.raises(StopIteration) as end:
        next(verifier.step("tarot", "ada"))
    assert end.value.value is False


def test_a_yes_for_nobody_is_none(login_services: LoginServices) -> None:
    verifier = AccountVerifier(login_services, PEER, SILENT)
    assert not verifier.guest("")
    assert not verifier.password("", "x")
    identity = Identity("ghost", guest=False, factors=("password",))
    assert verifier.settled(identity) == Hangup("the account cannot be used")


def test_a_login_that_cannot_be_recorded_does_not_blame_the_account(
    login_services: LoginServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise StoreError("the account store cannot be written: the disk is full")

    login_services.store.create(AccountRecord("ada"))
    monkeypatch.setattr(login_services.store, "record_login", fail)
    verifier = AccountVerifier(login_services, PEER, SILENT)
    assert verifier.settled(Identity("ada", guest=False, factors=("password",))) == Hangup(
        "the host cannot record your login at the moment; try again later"
    )


def test_a_name_is_looked_up_once_for_a_guest_and_again_where_that_is_long_ago(
    login_services: LoginServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, asked = [1e9], Counter[str]()
    monkeypatch.setattr(login_services, "now", lambda: clock[0])
    lookup = login_services.store.lookup

    def counted(name: str) -> Any:
        asked[name] += 1
        return lookup(name)

    monkeypatch.setattr(login_services.store, "lookup", counted)
    verifier = AccountVerifier(login_services, PEER, SILENT)
    verifier.chains("zoe", None)
    assert verifier.guest("zoe")
    assert asked == {"zoe": 1}
    login_services.store.create(AccountRecord("zoe"))
    clock[0] += 2 * FRESH
    assert not verifier.guest("zoe"), "somebody has taken the name meanwhile"
    assert not verifier.guest("ZOE"), "what was told of another name says nothing of this one"


def test_a_guest_costs_the_door_next_to_nothing(login_services: LoginServices) -> None:
    def enter() -> None:
        verifier = AccountVerifier(login_services, PEER, SILENT)
        assert verifier.chains("zoe", None)[0] == ("none",)
        assert verifier.guest("zoe")
        identity = Identity("zoe", factors=("none",))
        assert verifier.settled(identity) is identity
        verifier.close()

    def seconds() -> float:
        enter()
        begun = time.thread_time()
        for _ in range(100):
            enter()
        return (time.thread_time() - begun) / 100

    without = seconds()
    assert not login_services.store._database.path.exists()
    login_services.store.create(AccountRecord("ada"))
    assert without < 0.001, f"{without * 1000:.3f} ms without a store"
    spent = seconds()
    assert spent < 0.001, f"{spent * 1000:.3f} ms"
