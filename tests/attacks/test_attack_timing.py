"""Asking the clock whether there is such an account: it must not know.

Tries for a known, an unknown, a closed and a locked account are made in turns, and compared in
pairs of one round, so that whatever else the machine does concerns all of them alike.
"""

from __future__ import annotations

import base64
import random
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import paramiko
import pytest

from tests.listening import accepting
from tests.log import SILENT
from tests.ssh.answerers import SESSIONS_ALONE, Recorder
from tests.ssh.raw_client import serve_client
from tests.waiting import DEADLINE
from tuihost.accounts import AccountRecord, KeyRecord
from tuihost.core.keys.authorized_keys import parse_line
from tuihost.core.keys.offers import KeyOffer, fingerprint
from tuihost.core.limits import TransportLimits
from tuihost.core.login.authentication import AuthMachine
from tuihost.core.login.chains import Chains
from tuihost.core.login.lockout import Try
from tuihost.core.login.verdicts import Ask, Failure
from tuihost.host._watchdog import Watchdog
from tuihost.host.login.services import LoginServices
from tuihost.host.login.verifier import AccountVerifier
from tuihost.login.steps import bundled_steps
from tuihost.settings.loading import load
from tuihost.ssh.keys.host_keys import HostKeys
from tuihost.ssh.transport import HostTransport
from tuihost.testing.hosted import hang_up
from tuihost.wire import Peer

pytestmark = pytest.mark.usefixtures("real_costs")

PEER = Peer("198.51.100.4", 50_000)
PEOPLE = ("known", "unknown", "closed", "locked", "collector")
PASSWORD, WRONG = "correct horse battery", "battery staple correct"
ROUNDS = 500
WARM_UP = 5
BOUND = 0.0005  # seconds
BOUND_KEYS = 0.0001  # for what has no hash to compute
LOCK_AFTER = 3
DAYS = 3 * 86_400.0


class OneChain(AccountVerifier):
    """Looks up chains as always, and then has everybody come in by a single factor."""

    chain: str

    def chains(self, user: str, target: str | None) -> Chains:
        super().chains(user, target)
        return ((self.chain,),)


def ed25519(number: int) -> str:
    blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + number.to_bytes(32, "big")
    return f"ssh-ed25519 {base64.b64encode(blob).decode()}"


class Bench:
    """A host with these people, and a clock that goes on by days from round to round, so that
    only who is meant to be locked ever is."""

    def __init__(self, folder: Path) -> None:
        self.time = 1_800_000_000.0
        keys = folder / "keys"
        keys.mkdir()
        steps = {step.name: step for step in bundled_steps()}
        given = {
            "server.state_dir": str(folder),
            "sources.lockout_failures": LOCK_AFTER,
            "login.guests": False,
            "login.authorized_keys": [f"{keys}/%u"],
        }
        self.login_services = LoginServices(
            load(None, {}, given), steps, SILENT, now=lambda: self.time
        )
        hashed = self.login_services.passwords.hash(PASSWORD)
        own = [paramiko.ECDSAKey.generate(bits=256) for _ in range(4)]
        for name in PEOPLE:
            if name == "unknown":
                continue
            store = self.login_services.store
            record = AccountRecord(name, password_hash=hashed, disabled=name == "closed")
            assert store.create(record)
            for key in own:
                line = f"{key.get_name()} {key.get_base64()}"
                store.add_key(KeyRecord(name, fingerprint(key.asbytes()), "", line))
            store.set_totp(name, b"0" * 20)
            lines = [f"{key.get_name()} {key.get_base64()}" for key in own]
            if name == "collector":
                for number in range(56):
                    other = ed25519(number)
                    store.add_key(KeyRecord(name, parse_line(other).fingerprint, "", other))
                lines += [ed25519(number) for number in range(100, 1000)]
            (keys / name).write_text("".join(f"{line}\n" for line in lines))
            (keys / name).chmod(0o600)

    def next_round(self) -> None:
        self.time += DAYS
        self.login_services.store.note_failure(
            "what has run out is thrown away now", self.time, 1.0
        )
        lockout = self.login_services.lockout
        attempt = Try("locked", PEER.address, self.time)
        for _ in range(LOCK_AFTER):
            lockout.failed(attempt, lockout.begin(attempt))

    def machine(self, chain: str | None = None) -> AuthMachine:
        verifier = AccountVerifier(self.login_services, PEER, SILENT)
        if chain is not None:
            verifier = OneChain(self.login_services, PEER, SILENT)
            verifier.chain = chain
        return AuthMachine(verifier, password_step=True)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.login_services.close()


Tried = Callable[[Bench, str], None]
EVES = KeyOffer("ssh-ed25519", b"x" * 51, fingerprint(b"x" * 51))


def password(bench: Bench, user: str) -> None:
    machine = bench.machine()
    assert machine.start(user) is None
    assert isinstance(machine.password(user, WRONG), Failure)


def key_named(bench: Bench, user: str) -> None:
    machine = bench.machine()
    assert machine.start(user) is None
    assert machine.key_named(user, EVES) is False


def key_signed(bench: Bench, user: str) -> None:
    machine = bench.machine()
    assert machine.start(user) is None
    assert isinstance(machine.key_proved(user, EVES), Failure)


def asked(chain: str | None, wrong: str) -> Tried:
    def ask(bench: Bench, user: str) -> None:
        machine = bench.machine(chain)
        assert machine.start(user) is None
        assert isinstance(machine.interactive(user), Ask)
        assert isinstance(machine.answers((wrong,)), Failure)

    return ask


WAYS: dict[str, Tried] = {
    "password": password,
    "publickey, named": key_named,
    "publickey, signed": key_signed,
    "keyboard-interactive": asked(None, WRONG),
    "keyboard-interactive, totp": asked("totp", "000000"),
    "keyboard-interactive, recovery": asked("recovery", "7F3A9-1C2KM"),
    "keyboard-interactive, enroll": asked("enroll", "000000"),
}


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("way", WAYS)
def test_the_answer_takes_as_long_whoever_it_is(bench: Bench, way: str) -> None:
    act, order = WAYS[way], random.Random(7)
    taken: dict[str, list[float]] = {name: [] for name in PEOPLE}
    for number in range(WARM_UP + ROUNDS):
        bench.next_round()
        for name in order.sample(PEOPLE, len(PEOPLE)):
            begun = time.perf_counter()
            act(bench, name)
            if number >= WARM_UP:
                taken[name].append(time.perf_counter() - begun)
    differences = {
        (one, other): statistics.median(
            a - b for a, b in zip(taken[one], taken[other], strict=True)
        )
        for at, one in enumerate(PEOPLE)
        for other in PEOPLE[at + 1 :]
    }
    medians = {name: f"{statistics.median(found) * 1000:.3f}" for name, found in taken.items()}
    shown = {" - ".join(pair): f"{found * 1000:+.3f}" for pair, found in differences.items()}
    print(f"{way}: medians {medians} ms, differences {shown} ms")  # noqa: T201
    bound = BOUND_KEYS if way.startswith("publickey") else BOUND
    assert max(map(abs, differences.values())) < bound, shown


# ------------------------------------------------------------------------------- over a line


def over_a_line(method: str) -> Callable[[paramiko.Transport, str], None]:
    def by_password(client: paramiko.Transport, user: str) -> None:
        with pytest.raises(paramiko.AuthenticationException):
            client.auth_password(user, WRONG, fallback=False)

    def by_key(client: paramiko.Transport, user: str) -> None:
        with pytest.raises(paramiko.AuthenticationException):
            client.auth_publickey(user, EVES_KEY)

    def by_questions(client: paramiko.Transport, user: str) -> None:
        with pytest.raises(paramiko.AuthenticationException):
            client.auth_interactive(user, lambda _t, _i, asked: [WRONG] * len(asked))

    return {"password": by_password, "publickey": by_key, "questions": by_questions}[method]


EVES_KEY = paramiko.ECDSAKey.generate(bits=256)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("method", ["password", "publickey", "questions"])
def test_nor_does_it_show_over_a_line(bench: Bench, method: str) -> None:
    """The same by a whole client over TCP on this machine: each try is a connection of its own."""
    act, order = over_a_line(method), random.Random(7)
    taken: dict[str, list[float]] = {name: [] for name in PEOPLE}
    with answering(bench) as port:
        for number in range(WARM_UP + ROUNDS):
            bench.next_round()
            for name in order.sample(PEOPLE, len(PEOPLE)):
                client = paramiko.Transport(("127.0.0.1", port))
                try:
                    client.start_client(timeout=DEADLINE)
                    begun = time.perf_counter()
                    act(client, name)
                    if number >= WARM_UP:
                        taken[name].append(time.perf_counter() - begun)
                finally:
                    hang_up(client)
    differences = {
        (one, other): statistics.median(
            a - b for a, b in zip(taken[one], taken[other], strict=True)
        )
        for at, one in enumerate(PEOPLE)
        for other in PEOPLE[at + 1 :]
    }
    shown = {" - ".join(pair): f"{found * 1000:+.3f}" for pair, found in differences.items()}
    print(f"{method} over a line: differences {shown} ms")  # noqa: T201
    assert max(map(abs, differences.values())) < BOUND, shown


@contextmanager
def answering(bench: Bench) -> Iterator[int]:
    """A port of this machine that leads to that bench's verifier."""
    transports: list[HostTransport] = []
    timer = Watchdog(SILENT)
    timer.start()
    keys = HostKeys.fresh()

    def take(sock: socket.socket, peer: Peer) -> None:
        verifier = AccountVerifier(bench.login_services, PEER, SILENT)
        transport = HostTransport(
            sock,
            peer=peer,
            keys=keys,
            auth=AuthMachine(verifier, password_step=True),
            answerer=Recorder(SESSIONS_ALONE),
            limits=TransportLimits(),
            timer=timer,
            log=SILENT,
            run=lambda: serve_client(transport),
            ended=verifier.close,
        )
        transports.append(transport)
        transport.start()

    try:
        with accepting(take) as port:
            yield port
    finally:
        for transport in transports:
            transport.close("the test is over")
            transport.join(DEADLINE)
        timer.stop()
