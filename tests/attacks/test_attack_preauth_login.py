"""Getting in without proof: each story is told twice where plain paramiko lets it happen."""

from __future__ import annotations

import threading
from typing import Any

import paramiko
import pytest

from tests.ssh.messages import Raw, packed
from tests.ssh.raw_client import KEYS, RawClient, host_pair, plain_pair
from tests.verifiers import OpenGuests
from tests.waiting import DEADLINE
from tuihost.core.keys.offers import KeyOffer
from tuihost.core.login.verdicts import Conversation, Prompt, Query

ADAS = paramiko.ECDSAKey.generate()
EVES = paramiko.ECDSAKey.generate()
ADAS_PASSWORD = "sésame"


class Verifier(OpenGuests):
    """Ada's key, her password, a step that wants 123. No guests."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, ...]] = []

    def advice(self, user: str) -> str:
        return ""

    def guest(self, user: str) -> bool:
        return False

    def password(self, user: str, password: str) -> bool:
        return (user, password) == ("ada", ADAS_PASSWORD)

    def key_acceptable(self, user: str, offer: KeyOffer) -> bool:
        owner = {ADAS.asbytes(): "ada", EVES.asbytes(): "eve"}
        return owner.get(offer.blob) == user

    def step(self, name: str, user: str) -> Conversation:
        answers = yield Query("Code", (Prompt("Code: "),))
        self.steps.append(answers)
        return answers == ("123",)


class Naive(paramiko.ServerInterface):  # type: ignore[misc]
    """What one writes against paramiko at first: key and password, a code, no more."""

    def __init__(self) -> None:
        self.key_seen = False

    def get_allowed_auths(self, username: str) -> str:
        return "publickey,password,keyboard-interactive"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self.key_seen = key == ADAS
        return int(paramiko.AUTH_PARTIALLY_SUCCESSFUL if self.key_seen else paramiko.AUTH_FAILED)

    def check_auth_password(self, username: str, password: str) -> int:
        good = self.key_seen and password == ADAS_PASSWORD
        return int(paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED)

    def check_auth_interactive_response(self, responses: list[str]) -> int:
        return int(paramiko.AUTH_SUCCESSFUL if responses == ["123"] else paramiko.AUTH_FAILED)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return int(paramiko.OPEN_SUCCEEDED)


def _probe_and_password(client: RawClient) -> int:
    """Names ada's public key, which anybody may know, and gives her stolen password."""
    client.shake_hands()
    client.ask_for_login()
    name, blob = ADAS.get_name(), ADAS.asbytes()
    client.send(50, "ada", "ssh-connection", "publickey", False, name, blob)
    client.expect(60)
    client.send(50, "ada", "ssh-connection", "password", False, ADAS_PASSWORD)
    return client.read()[0]


def test_a_public_key_that_is_only_named_is_no_factor() -> None:
    with plain_pair(Naive()) as (_, client):
        assert _probe_and_password(client) == 52
    with host_pair(chains=(("publickey", "password"),), verifier=Verifier()) as (host, client):
        assert _probe_and_password(client) == 51
        assert host.machine.settled == ()


def _answer_at_once(client: RawClient) -> None:
    client.shake_hands()
    client.send(61, 1, "123")


def test_an_answer_that_nothing_asked_for_lets_nobody_in() -> None:
    with plain_pair(Naive()) as (transport, client):
        _answer_at_once(client)
        numbers = [client.read()[0], client.read()[0]]
        assert 52 in numbers
        assert transport.is_authenticated()
    verifier = Verifier()
    with host_pair(chains=(("code",),), verifier=verifier) as (host, client):
        _answer_at_once(client)
        assert client.gone()
        assert host.wait() == "answers came that no question asked for"
    assert verifier.steps == []


def test_after_another_request_the_question_is_closed() -> None:
    verifier = Verifier()
    with host_pair(chains=(("code",),), verifier=verifier) as (host, client):
        client.shake_hands()
        client.ask_for_login()
        client.send(50, "ada", "ssh-connection", "keyboard-interactive", "", "")
        client.expect(60)
        client.send(50, "ada", "ssh-connection", "none")
        client.expect(51)
        client.send(61, 1, "123")
        assert client.gone()
        host.wait()
    assert verifier.steps == []


def test_offering_one_key_and_signing_with_another_is_the_others_login() -> None:
    with host_pair(chains=(("publickey",),), verifier=Verifier()) as (host, client):
        client.shake_hands()
        client.ask_for_login()
        head = ("ada", "ssh-connection", "publickey")
        client.send(50, *head, False, ADAS.get_name(), ADAS.asbytes())
        client.expect(60)
        # Eve's signature, under ada's name with eve's key, and with ada's key.
        client.sign_in(EVES, EVES.get_name(), user="ada")
        client.expect(51)
        data = packed(client.transport.session_id, Raw(b"\x32"), *head, True)
        data += packed(ADAS.get_name(), ADAS.asbytes())
        forged = EVES.sign_ssh_data(data).asbytes()
        client.send(50, *head, True, ADAS.get_name(), ADAS.asbytes(), forged)
        client.expect(51)
        client.sign_in(EVES, EVES.get_name(), user="eve")
        client.expect(52)
        client.open_session()
        assert [who.user for who in host.answerer.identities] == ["eve"]


def test_a_signature_of_another_connection_is_worth_nothing() -> None:
    with host_pair(chains=(("publickey",),), verifier=Verifier()) as (_, client):
        client.shake_hands()
        client.ask_for_login()
        true_id, client.transport.session_id = client.transport.session_id, b"x" * 32
        client.sign_in(ADAS, ADAS.get_name())
        client.expect(51)
        client.transport.session_id = true_id
        client.sign_in(ADAS, ADAS.get_name())
        client.expect(52)


def test_a_factor_of_one_user_is_no_factor_of_another() -> None:
    with host_pair(chains=(("publickey", "password"),), verifier=Verifier()) as (host, client):
        client.shake_hands()
        client.ask_for_login()
        client.sign_in(EVES, EVES.get_name(), user="eve")
        assert client.expect(51).text() == "password"
        client.send(50, "ada", "ssh-connection", "password", False, ADAS_PASSWORD)
        assert client.expect(51).text() == "publickey"
        assert host.machine.settled == ()


class _Says(paramiko.ServerInterface):  # type: ignore[misc]
    def check_auth_password(self, username: str, password: str) -> Any:
        return False

    def get_allowed_auths(self, username: str) -> str:
        return "password"


def test_false_is_no_success() -> None:
    with plain_pair(_Says()) as (_, client):
        client.shake_hands()
        client.ask_for_login()
        client.send(50, "ada", "ssh-connection", "password", False, "wrong")
        client.expect(52)

    class Careless(Verifier):
        def password(self, user: str, password: str) -> bool:
            return None  # type: ignore[return-value]

        def key_acceptable(self, user: str, offer: KeyOffer) -> bool:
            return 0  # type: ignore[return-value]

    with host_pair(chains=(("password",),), verifier=Careless()) as (_, client):
        client.shake_hands()
        client.ask_for_login()
        client.send(50, "ada", "ssh-connection", "password", False, "wrong")
        client.expect(51)


# ------------------------------------------------------------------------------- faults


class _Falls(paramiko.ServerInterface):  # type: ignore[misc]
    def check_auth_none(self, username: str) -> int:
        raise OSError("one argument")


def test_a_fault_in_a_verifier_is_no_zombie(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda args: None)
    with plain_pair(_Falls()) as (transport, client):
        client.shake_hands()
        client.ask_for_login()
        client.send(50, "ada", "ssh-connection", "none")
        transport.join(DEADLINE)
        assert not transport.is_alive()
        assert transport.is_active(), "paramiko cleans up by now: the note can go"
        transport.sock.close()

    class Faulty(OpenGuests):
        def advice(self, user: str) -> str:
            return ""

        def guest(self, user: str) -> bool:
            raise OSError("one argument")

    with host_pair(verifier=Faulty()) as (host, client):
        client.shake_hands()
        client.ask_for_login()
        client.send(50, "ada", "ssh-connection", "none")
        client.expect(51)
        assert isinstance(host.log.named("auth.failed")[0]["error"], OSError)


def test_the_host_key_is_the_one_that_is_shown() -> None:
    with host_pair() as (_, client):
        client.shake_hands()
        assert client.transport.host_key.asbytes() == KEYS.keys[0].asbytes()
