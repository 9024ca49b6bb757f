"""Getting in by doing things in another order, again, or half: one story each. Where plain paramiko
lets it happen to what one writes against it first, that is shown too."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import paramiko
import pytest

from tests.ssh.messages import Raw, packed
from tests.ssh.raw_client import KEYS, RawClient, host_pair, plain_pair
from tests.verifiers import OpenGuests
from tuihost.core.keys.offers import KeyOffer
from tuihost.core.login.authentication import MAX_PROBES
from tuihost.core.login.verdicts import Conversation, Prompt, Query

ADAS = paramiko.ECDSAKey.generate()
ADAS_SECOND = paramiko.ECDSAKey.generate()
EVES = paramiko.ECDSAKey.generate()
OWNER = {ADAS.asbytes(): "ada", ADAS_SECOND.asbytes(): "ada", EVES.asbytes(): "eve"}
LET_IN, REFUSED, QUESTION = 52, 51, 60


class FakeVerifier(OpenGuests):
    """Everybody has a password and a code; ada has two keys, eve has one. `heard` is what reached
    whoever knows them."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, ...]] = []

    def advice(self, user: str) -> str:
        return ""

    def guest(self, user: str) -> bool:
        return False

    def password(self, user: str, password: str) -> bool:
        self.heard.append(("password", user))
        return password == f"{user}'s"

    def key_acceptable(self, user: str, offer: KeyOffer) -> bool:
        return OWNER.get(offer.blob) == user

    def step(self, name: str, user: str) -> Conversation:
        return self._step(name, user)

    def _step(self, name: str, user: str) -> Conversation:
        (answer,) = yield Query(name, (Prompt("Code: "),))
        self.heard.append((name, user, answer))
        return answer == f"{user} {name}"

    def failed(self, user: str, factor: str, reason: str) -> None:
        self.heard.append(("failed", user, factor))


def ready(client: RawClient) -> RawClient:
    client.shake_hands()
    client.ask_for_login()
    return client


def ask(client: RawClient, method: str, *parts: object, user: str = "ada") -> int:
    client.send(50, user, "ssh-connection", method, *parts)
    return client.read()[0]


def begin(client: RawClient, user: str = "ada", submethods: str = "") -> int:
    return ask(client, "keyboard-interactive", "", submethods, user=user)


def answer(client: RawClient, *answers: str) -> int:
    client.send(61, len(answers), *answers)
    return client.read()[0]


def sign(client: RawClient, key: paramiko.PKey, user: str = "ada") -> int:
    client.sign_in(key, key.get_name(), user=user)
    return client.read()[0]


# ------------------------------------------------------------------------------- the same again


class TwoKeys(paramiko.ServerInterface):  # type: ignore[misc]
    """Wants two keys, and counts what it is asked about."""

    def __init__(self) -> None:
        self.seen = 0

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self.seen += 1
        enough = self.seen == 2
        return int(paramiko.AUTH_SUCCESSFUL if enough else paramiko.AUTH_PARTIALLY_SUCCESSFUL)


def _signed(client: RawClient, key: paramiko.PKey) -> tuple[object, ...]:
    """A publickey request with its signature, to be sent as often as one likes."""
    head = ("ada", "ssh-connection", "publickey", True, key.get_name(), key.asbytes())
    data = packed(client.transport.session_id, Raw(b"\x32"), *head)
    return (*head, key.sign_ssh_data(data).asbytes())


def test_one_key_serves_as_two() -> None:
    with plain_pair(TwoKeys()) as (_, client):
        request = _signed(ready(client), ADAS)
        client.send(50, *request)
        client.expect(REFUSED)
        client.send(50, *request)
        client.expect(LET_IN)
    with host_pair(chains=(("publickey", "publickey"),), verifier=FakeVerifier()) as (host, client):
        request = _signed(ready(client), ADAS)
        client.send(50, *request)
        fields = client.expect(REFUSED)
        assert (fields.text(), fields.boolean()) == ("publickey", True)
        for _ in range(2):
            client.send(50, *request)
            fields = client.expect(REFUSED)
            assert (fields.text(), fields.boolean()) == ("publickey", False)
        assert host.machine.settled == ("publickey",)
        assert sign(client, ADAS_SECOND) == LET_IN


def test_one_password_serves_as_two_factors() -> None:
    with host_pair(chains=(("password", "totp"),), verifier=FakeVerifier()) as (host, client):
        ready(client)
        for _ in range(3):
            assert ask(client, "password", False, "ada's") == REFUSED
        assert host.machine.settled == ("password",)


def test_a_later_factor_first() -> None:
    verifier = FakeVerifier()
    with host_pair(chains=(("publickey", "totp"),), verifier=verifier) as (host, client):
        ready(client)
        assert begin(client) == REFUSED
        assert begin(client, submethods="totp") == REFUSED
        assert ask(client, "password", False, "ada's") == REFUSED
        assert host.machine.settled == ()
        assert sign(client, ADAS) == REFUSED
        assert sign(client, ADAS) == REFUSED
        assert begin(client) == QUESTION
        assert answer(client, "ada totp") == LET_IN
    assert ("password", "ada") not in verifier.heard, "a password was tried that was not asked for"


def test_asking_for_none_after_a_factor() -> None:
    with host_pair(chains=(("password", "totp"), ("none",)), verifier=FakeVerifier()) as (
        host,
        client,
    ):
        ready(client)
        assert ask(client, "password", False, "ada's") == REFUSED
        assert ask(client, "none") == REFUSED
        assert host.machine.identity is None


def test_a_factor_of_the_connection_before() -> None:
    for _ in range(2):
        with host_pair(chains=(("password", "totp"),), verifier=FakeVerifier()) as (_, client):
            ready(client)
            assert begin(client) == REFUSED
            assert ask(client, "password", False, "ada's") == REFUSED


# ------------------------------------------------------------------------------- somebody else


def test_another_name_half_way() -> None:
    """Eve proves her own half and asks for ada's rest, also by way of a name that is nobody's."""
    with host_pair(chains=(("password", "totp"),), verifier=FakeVerifier()) as (host, client):
        ready(client)
        assert ask(client, "password", False, "eve's", user="eve") == REFUSED
        assert begin(client, "ada") == REFUSED
        assert ask(client, "password", False, "eve's", user="eve") == REFUSED
        assert begin(client, "eve+notes") == REFUSED
        assert ask(client, "none", user="") == REFUSED
        assert begin(client, "eve") == REFUSED
        assert host.machine.settled == ()


def test_a_question_for_one_is_answered_for_another() -> None:
    verifier = FakeVerifier()
    with host_pair(chains=(("totp",),), verifier=verifier) as (host, client):
        ready(client)
        assert begin(client, "eve") == QUESTION
        assert begin(client, "ada") == QUESTION
        assert answer(client, "eve totp") == REFUSED
        assert begin(client, "eve") == QUESTION
        assert ask(client, "none", user="ada") == REFUSED
        client.send(61, 1, "eve totp")
        assert client.gone()
        assert host.wait() == "answers came that no question asked for"
    assert [one for one in verifier.heard if one[0] == "totp"] == [("totp", "ada", "eve totp")]


def test_a_twin_of_a_name() -> None:
    """ada with a NUL, a direction mark, a slash, other letters that look the same."""
    verifier = FakeVerifier()
    with host_pair(chains=(("password",),), verifier=verifier) as (_, client):
        ready(client)
        for twin in ("ada\0root", "ada\u202e", "./ada", "ada/", "\u0430da"):
            assert ask(client, "password", False, "ada's", user=twin) == REFUSED
    assert {one[1] for one in verifier.heard} == {"", "\u0430da"}


def test_another_service_half_way() -> None:
    with host_pair(chains=(("password", "totp"),), verifier=FakeVerifier()) as (host, client):
        ready(client)
        assert ask(client, "password", False, "ada's") == REFUSED
        client.send(50, "ada", "ssh-userauth", "keyboard-interactive", "", "")
        client.expect(REFUSED)
        assert host.machine.settled == ()
        assert begin(client) == REFUSED


# ------------------------------------------------------------------------------- many guesses


class Loops(paramiko.ServerInterface):  # type: ignore[misc]
    """Asks again after a wrong code, as paramiko's own interface suggests."""

    def __init__(self) -> None:
        self.guesses = 0

    def get_allowed_auths(self, username: str) -> str:
        return "publickey,keyboard-interactive"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return int(paramiko.AUTH_FAILED if username == "nobody" else paramiko.AUTH_SUCCESSFUL)

    def check_auth_interactive(self, username: str, submethods: str) -> Any:
        return paramiko.InteractiveQuery("Code", "", "Code: ")

    def check_auth_interactive_response(self, responses: list[str]) -> Any:
        self.guesses += 1
        return paramiko.InteractiveQuery("Wrong", "", "Code: ")


def test_a_code_is_guessed_in_one_long_exchange() -> None:
    server = Loops()
    with plain_pair(server) as (_, client):
        assert begin(ready(client)) == QUESTION
        for _ in range(100):
            assert answer(client, "000000") == QUESTION
        assert server.guesses == 100

    class Asks(FakeVerifier):
        def _step(self, name: str, user: str) -> Conversation:
            while True:
                answers = yield Query("Wrong", (Prompt("Code: "),))
                self.heard.append(("guess", *answers))

    verifier = Asks()
    with host_pair(chains=(("totp",),), verifier=verifier) as (host, client):
        assert begin(ready(client)) == QUESTION
        for _ in range(100):
            client.send(61, 1, "000000")
        assert client.gone()
        assert host.wait() == "too many questions"
    assert len([one for one in verifier.heard if one[0] == "guess"]) < 30
    assert verifier.heard[-1] == ("failed", "ada", "totp")


def test_a_code_is_guessed_in_many_exchanges() -> None:
    with plain_pair(Loops()) as (_, client):
        ready(client)
        for _ in range(200):
            assert begin(client) == QUESTION
    with host_pair(chains=(("totp",),), verifier=FakeVerifier()) as (host, client):
        ready(client)
        for _ in range(60):
            client.send(50, "ada", "ssh-connection", "keyboard-interactive", "", "")
        assert client.gone()
        assert host.wait() in ("too many questions", "too many login requests")


def test_wrong_codes_are_counted_one_by_one() -> None:
    verifier = FakeVerifier()
    with host_pair(chains=(("totp",),), verifier=verifier) as (host, client):
        ready(client)
        for _ in range(5):
            assert begin(client) == QUESTION
            assert answer(client, "000000") == REFUSED
        assert begin(client) == QUESTION
        client.send(61, 1, "000000")
        assert client.gone()
        assert host.wait() == "too many failed attempts"
    assert verifier.heard.count(("failed", "ada", "totp")) == 6


def test_one_request_names_a_step_ten_thousand_times() -> None:
    """OpenSSH once asked again for every device that a client named (CVE-2015-5600)."""
    verifier = FakeVerifier()
    with host_pair(chains=(("totp",),), verifier=verifier) as (_, client):
        ready(client)
        assert begin(client, submethods=",".join(["totp"] * 5000)) == QUESTION
        assert answer(client, "000000") == REFUSED
        client.send(61, 1, "000000")
        assert client.gone()
    assert len([one for one in verifier.heard if one[0] == "totp"]) == 1


def test_a_list_of_strangers_keys_is_tried() -> None:
    """Who has these public keys an account here? Plain paramiko answers without end."""
    key = EVES.get_name(), EVES.asbytes()
    with plain_pair(Loops()) as (_, client):
        ready(client)
        for _ in range(300):
            ask(client, "publickey", False, *key)
    verifier = FakeVerifier()
    with host_pair(chains=(("publickey",),), verifier=verifier) as (host, client):
        ready(client)
        for _ in range(MAX_PROBES):
            assert ask(client, "publickey", False, *key) == REFUSED
        client.send(50, "ada", "ssh-connection", "publickey", False, *key)
        assert client.gone()
        assert host.wait() == "too many keys were offered"
    assert verifier.heard == [("failed", "ada", "publickey")]


def test_many_wrong_keys_before_the_right_one_are_no_attack() -> None:
    with host_pair(chains=(("publickey", "totp"),), verifier=FakeVerifier()) as (_, client):
        ready(client)
        ask(client, "none")
        for _ in range(MAX_PROBES - 1):
            assert ask(client, "publickey", False, EVES.get_name(), EVES.asbytes()) == REFUSED
        assert ask(client, "publickey", False, ADAS.get_name(), ADAS.asbytes()) == QUESTION
        assert sign(client, ADAS) == REFUSED
        assert begin(client) == QUESTION
        assert answer(client, "ada totp") == LET_IN


# ------------------------------------------------------------------------------- odd passwords


@pytest.mark.parametrize(
    "parts",
    [
        (True, "ada's", "new"),  # a change without the old one got in elsewhere (CVE-2012-5975)
        (True, "", "new"),
        (False, "x" * 1025),  # what is hashed for long (CVE-2016-6515)
        (False, "x" * 30_000),
        (False, b"\xff\xfe"),
        (False, ""),
    ],
)
def test_a_password_that_reaches_nobody(parts: tuple[object, ...]) -> None:
    verifier = FakeVerifier()
    with host_pair(chains=(("password",),), verifier=verifier) as (_, client):
        assert ask(ready(client), "password", *parts) == REFUSED
        assert ask(client, "password", False, "ada's") == LET_IN
    assert verifier.heard == [("failed", "ada", "password"), ("password", "ada")]


# ------------------------------------------------------------------------------- the server's words


@pytest.mark.parametrize("number", [51, 52, 53, 60])
def test_a_client_says_what_only_a_server_says_while_a_question_is_open(number: int) -> None:
    """USERAUTH_SUCCESS from a client was believed elsewhere (CVE-2018-10933, CVE-2018-1000805)."""
    verifier = FakeVerifier()
    with host_pair(chains=(("totp",),), verifier=verifier) as (host, client):
        assert begin(ready(client)) == QUESTION
        client.send(number, "x", "x", "x", 0)
        assert client.gone()
        host.wait()
        assert host.machine.identity is None
        assert host.answerer.identities == []
    assert verifier.heard == []


def test_a_step_is_told_when_its_client_is_gone() -> None:
    """Nothing that a step holds open stays open (CVE-2026-83540: state that outlived its login)."""
    closed: list[str] = []

    class Holds(FakeVerifier):
        def _step(self, name: str, user: str) -> Conversation:
            try:
                yield Query(name, (Prompt("Code: "),))
            finally:
                closed.append(name)
            return False

    with host_pair(chains=(("totp",),), verifier=Holds()) as (host, client):
        assert begin(ready(client)) == QUESTION
        client.sock.shutdown(socket.SHUT_RDWR)
        host.wait()
    assert closed == ["totp"]


# ------------------------------------------------------------------------------- what is said


@pytest.mark.parametrize("user", ["ada", "nobody", "\x1b[2J", "x" * 5000])
def test_nobody_learns_who_is_there(user: str) -> None:
    """Methods, questions and refusals are the same for all."""
    chains = (("publickey", "totp"), ("password", "totp"), ("totp",))
    said: list[tuple[int, bytes]] = []
    acts: tuple[Callable[[RawClient], None], ...] = (
        lambda c: c.send(50, user, "ssh-connection", "none"),
        lambda c: c.send(50, user, "ssh-connection", "password", False, "wrong"),
        lambda c: c.send(50, user, "ssh-connection", "keyboard-interactive", "", ""),
        lambda c: c.send(61, 1, "000000"),
        lambda c: c.sign_in(KEYS.keys[0], KEYS.keys[0].get_name(), user=user),
    )
    with host_pair(chains=chains, verifier=FakeVerifier()) as (_, client):
        ready(client)
        for act in acts:
            act(client)
            number, fields = client.read()
            said.append((number, bytes(fields.rest)))
    methods = packed("publickey,password,keyboard-interactive", False)
    question = packed("totp", "", "", 1, "Code: ", False)
    assert said == [(51, methods), (51, methods), (60, question), (51, methods), (51, methods)]


def test_what_a_step_says_cannot_steer_a_terminal() -> None:
    class Echoes(FakeVerifier):
        def _step(self, name: str, user: str) -> Conversation:
            yield Query("\x1b]0;owned\x07", (Prompt("Größe\x1b[2J\n? "),), "█\n\x9b2J")
            return False

    with host_pair(chains=(("totp",),), verifier=Echoes()) as (_, client):
        ready(client).send(50, "ada", "ssh-connection", "keyboard-interactive", "", "")
        fields = client.expect(QUESTION)
        title, instruction, _, _ = (
            fields.text(),
            fields.text(),
            fields.text(),
            fields.integer(),
        )
        assert title.isascii()
        assert title.isprintable()
        assert instruction == "?\n?2J"
        assert fields.text() == "Größe·[2J\n? "
