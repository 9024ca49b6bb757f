"""What is good once, used twice: by two connections at one moment, by two hosts on one store."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko
import pytest

from tests.log import SILENT
from tests.ssh.raw_client import RawClient, host_pair, plain_pair
from tests.waiting import DEADLINE
from tuihost.accounts import AccountRecord, Invite
from tuihost.host.login.services import LoginServices
from tuihost.host.login.verifier import AGAIN, AccountVerifier
from tuihost.login.steps import bundled_steps
from tuihost.login.steps.codes import (
    PERIOD,
    invite_code,
    invite_hash,
    recovery_codes,
    recovery_hash,
    totp_code,
    totp_counter,
)
from tuihost.settings.loading import load
from tuihost.wire import Peer

PEER = Peer("198.51.100.4", 50_000)
SECRET = b"12345678901234567890"
PASSWORD = "correct horse 9"
LET_IN, REFUSED, QUESTION = 52, 51, 60


@dataclass
class Clock:
    """Unix time that a test moves."""

    time: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.time


@dataclass
class Houses:
    """Hosts that share one store, as workers do."""

    folder: Path
    clock: Clock
    stack: ExitStack

    def login_services(self, *chains: str) -> LoginServices:
        given: dict[str, Any] = {
            "server.state_dir": str(self.folder),
            "login.chains": list(chains),
            "login.guests": False,
        }
        steps = {step.name: step for step in bundled_steps()}
        made = LoginServices(load(None, {}, given), steps, SILENT, now=self.clock)
        self.stack.callback(made.close)
        return made

    def dial(self, login_services: LoginServices) -> RawClient:
        """A client that is about to log in."""
        verifier = AccountVerifier(login_services, PEER, SILENT)
        self.stack.callback(verifier.close)
        pair = host_pair(verifier=verifier)
        _, client = self.stack.enter_context(pair)
        client.shake_hands()
        client.ask_for_login()
        return client


@pytest.fixture
def houses(tmp_path: Path) -> Iterator[Houses]:
    with ExitStack() as stack:
        yield Houses(tmp_path, Clock(), stack)


def begin(client: RawClient, user: str = "ada") -> int:
    client.send(50, user, "ssh-connection", "keyboard-interactive", "", "")
    return client.read()[0]


def answer(client: RawClient, *answers: str) -> int:
    client.send(61, len(answers), *answers)
    return client.read()[0]


def at_once(*acts: Callable[[], int]) -> list[int]:
    """Does all of it in one moment, each on a thread; what came of each, in order of size."""
    start, results = threading.Barrier(len(acts)), []

    def run(act: Callable[[], int]) -> None:
        start.wait(DEADLINE)
        results.append(act())

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
        assert not thread.is_alive(), "an answer never came"
    return sorted(results)


def add_ada(login_services: LoginServices, *, totp: bool = True) -> None:
    hashed = login_services.passwords.hash(PASSWORD)
    assert login_services.store.create(AccountRecord("ada", password_hash=hashed))
    if totp:
        login_services.store.set_totp("ada", SECRET)


def code(clock: Clock, periods: int = 0) -> str:
    return totp_code(SECRET, totp_counter(clock.time) + periods)


# ------------------------------------------------------------------------------- codes


class Compares(paramiko.ServerInterface):  # type: ignore[misc]
    """Compares a code with the current one, as the libraries' own `verify` does."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def get_allowed_auths(self, username: str) -> str:
        return "keyboard-interactive"

    def check_auth_interactive(self, username: str, submethods: str) -> Any:
        return paramiko.InteractiveQuery("Code", "", "Code: ")

    def check_auth_interactive_response(self, responses: list[str]) -> int:
        right = responses == [code(self.clock)]
        return int(paramiko.AUTH_SUCCESSFUL if right else paramiko.AUTH_FAILED)


def test_a_code_that_somebody_saw_typed(houses: Houses) -> None:
    for _ in range(2):
        with plain_pair(Compares(houses.clock)) as (_, client):
            client.shake_hands()
            client.ask_for_login()
            assert begin(client) == QUESTION
            assert answer(client, code(houses.clock)) == LET_IN
    login_services = houses.login_services("totp")
    add_ada(login_services)
    first, second = houses.dial(login_services), houses.dial(login_services)
    assert (begin(first), begin(second)) == (QUESTION, QUESTION)
    assert answer(first, code(houses.clock)) == LET_IN
    assert answer(second, code(houses.clock)) == REFUSED


@pytest.mark.parametrize("hosts", [1, 2])
def test_one_code_at_one_moment_on_two_connections(houses: Houses, hosts: int) -> None:
    entrances = [houses.login_services("totp") for _ in range(hosts)]
    add_ada(entrances[0])
    clients = [houses.dial(entrances[number % hosts]) for number in range(4)]
    assert [begin(client) for client in clients] == [QUESTION] * 4
    right = code(houses.clock)
    came = at_once(*(lambda one=client: answer(one, right) for client in clients))
    assert came == [REFUSED] * 3 + [LET_IN]


def test_the_code_before_after_the_code_now(houses: Houses) -> None:
    login_services = houses.login_services("totp")
    add_ada(login_services)
    before, now = code(houses.clock, -1), code(houses.clock)
    client = houses.dial(login_services)
    begin(client)
    assert answer(client, now) == LET_IN
    client = houses.dial(login_services)
    for guess in (before, now, code(houses.clock, 2), code(houses.clock, -2)):
        begin(client)
        assert answer(client, guess) == REFUSED
    houses.clock.time -= 3600  # the host's clock is set back: what served is still known
    begin(client)
    assert answer(client, code(houses.clock)) == REFUSED


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_a_clock_that_jumps_makes_no_code_good_again(houses: Houses, jump: float) -> None:
    login_services = houses.login_services("totp")
    add_ada(login_services)
    used = code(houses.clock)
    client = houses.dial(login_services)
    begin(client)
    assert answer(client, used) == LET_IN
    houses.clock.time += jump
    client = houses.dial(login_services)
    begin(client)
    assert answer(client, used) == REFUSED
    houses.clock.time -= jump
    begin(client)
    assert answer(client, used) == REFUSED
    houses.clock.time += PERIOD
    begin(client)
    assert answer(client, code(houses.clock)) == LET_IN, "the next one is good all the same"


def test_a_clock_that_jumps_ends_no_login_and_prolongs_none(houses: Houses) -> None:
    """Deadlines go by the clock that cannot be set: a login under way does not feel the jump."""
    login_services = houses.login_services("totp")
    add_ada(login_services)
    client = houses.dial(login_services)
    begin(client)
    houses.clock.time += 86_400
    assert answer(client, code(houses.clock)) == LET_IN


def test_digits_that_are_digits_to_python_alone(houses: Houses) -> None:
    login_services = houses.login_services("totp")
    add_ada(login_services)
    wide = code(houses.clock).translate({ord("0") + n: ord("０") + n for n in range(10)})
    assert int(wide) == int(code(houses.clock)), "Python reads it as the same number"
    client = houses.dial(login_services)
    begin(client)
    assert answer(client, wide) == REFUSED
    begin(client)
    assert answer(client, " ".join(code(houses.clock))) == LET_IN


@pytest.mark.parametrize("hosts", [1, 2])
def test_one_recovery_code_at_one_moment_on_two_connections(houses: Houses, hosts: int) -> None:
    entrances = [houses.login_services("recovery") for _ in range(hosts)]
    add_ada(entrances[0])
    codes = recovery_codes()
    entrances[0].store.set_recovery("ada", [recovery_hash("ada", one) for one in codes])
    clients = [houses.dial(entrances[number % hosts]) for number in range(4)]
    for client in clients:
        begin(client)
    writings = (codes[0], codes[0].lower(), codes[0].replace("-", ""), codes[0].replace("-", " "))
    pairs = zip(clients, writings, strict=True)
    came = at_once(*(lambda one=one, text=text: answer(one, text) for one, text in pairs))
    assert came == [REFUSED] * 3 + [LET_IN]
    record = entrances[0].store.get("ada")
    assert record is not None
    assert record.recovery_left == len(codes) - 1


@pytest.mark.parametrize("hosts", [1, 2])
def test_one_invitation_at_one_moment_on_two_connections(houses: Houses, hosts: int) -> None:
    entrances = [houses.login_services("invite") for _ in range(hosts)]
    made = invite_code()
    entrances[0].store.add_invite(invite_hash(made), Invite(frozenset({"staff"})))
    names = ("bea", "cai", "dan")
    clients = [houses.dial(entrances[number % hosts]) for number in range(len(names))]
    for client, name in zip(clients, names, strict=True):
        assert begin(client, "new") == QUESTION
        assert answer(client, made) == QUESTION
        assert answer(client, name) == QUESTION
        assert answer(client, PASSWORD) == QUESTION

    def finish(client: RawClient) -> int:
        came = answer(client, PASSWORD)
        return answer(client) if came == QUESTION else came  # told that it has been used

    came = at_once(*(lambda one=one: finish(one) for one in clients))
    assert came == [REFUSED, REFUSED, LET_IN]
    assert len(entrances[0].store.all()) == 1


# ------------------------------------------------------------------------------- the second factor


def test_the_password_alone_sets_up_another_second_factor(houses: Houses) -> None:
    """Whoever has stolen it goes to where factors are set up, and is asked for the one there is."""
    login_services = houses.login_services("password, enroll", "password, totp")
    add_ada(login_services)
    client = houses.dial(login_services)
    client.send(50, "ada", "ssh-connection", "password", False, PASSWORD)
    client.expect(REFUSED)
    for submethods, words in (("enroll", ""), ("", AGAIN)):
        client.send(50, "ada", "ssh-connection", "keyboard-interactive", "", submethods)
        fields = client.expect(QUESTION)
        texts = (fields.text(), fields.text(), fields.text(), str(fields.integer()), fields.text())
        assert texts == ("", words, "", "1", "One-time code: ")
        assert answer(client, "000000") == REFUSED
    assert login_services.store.totp_secret("ada") == SECRET


def test_the_code_that_set_up_the_factor_is_used_up(houses: Houses) -> None:
    login_services = houses.login_services("password, enroll", "totp")
    add_ada(login_services, totp=False)
    client = houses.dial(login_services)
    client.send(50, "ada", "ssh-connection", "password", False, PASSWORD)
    client.expect(REFUSED)
    client.send(50, "ada", "ssh-connection", "keyboard-interactive", "", "enroll")
    fields = client.expect(QUESTION)
    for _ in range(3):
        fields.text()
    fields.integer()
    shown = fields.text()

    secret = base64.b32decode("".join(shown.split("\n")[1].split()))
    typed = totp_code(secret, totp_counter(houses.clock.time))
    assert answer(client, typed) == QUESTION  # the recovery codes
    assert answer(client, "") == LET_IN
    other = houses.dial(login_services)
    begin(other)
    assert answer(other, typed) == REFUSED
    houses.clock.time += PERIOD
    begin(other)
    assert answer(other, totp_code(secret, totp_counter(houses.clock.time))) == LET_IN


def test_leaving_before_the_factor_is_proved_sets_up_nothing(houses: Houses) -> None:
    login_services = houses.login_services("password, enroll")
    add_ada(login_services, totp=False)
    client = houses.dial(login_services)
    client.send(50, "ada", "ssh-connection", "password", False, PASSWORD)
    client.expect(REFUSED)
    assert begin(client) == QUESTION
    client.close()
    record = login_services.store.get("ada")
    assert record is not None
    assert not record.totp
