"""The login protocol over the wire: what each method needs, and what is refused without a fuss."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paramiko
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.ssh.messages import Raw, packed
from tests.ssh.raw_client import KEYS, Host, RawClient, host_pair
from tests.verifiers import OpenGuests
from tests.waiting import DEADLINE
from tuihost.accounts import StoreError
from tuihost.core.keys.offers import KeyOffer, fingerprint
from tuihost.core.login.authentication import MAX_PROBES
from tuihost.core.login.verdicts import Conversation, Prompt, Query
from tuihost.ssh.keys.login_keys import ALGORITHMS, LoginKey

OWN = [name for name in ALGORITHMS if not name.startswith("sk-")]  # what paramiko can sign with

REFUSED, LET_IN, QUESTION, KEY_WOULD_DO = 51, 52, 60, 60


class Ada(OpenGuests):
    """One user, with a password, any of `keys`, and a step that wants 123."""

    def __init__(self, *keys: paramiko.PKey) -> None:
        self.bug: BaseException = ValueError("a bug in a step")
        self.keys = [key.asbytes() for key in keys]
        self.answers: list[tuple[str, ...]] = []

    def advice(self, user: str) -> str:
        return ""

    def guest(self, user: str) -> bool:
        return False

    def password(self, user: str, password: str) -> bool:
        return (user, password) == ("ada", "sésame")

    def key_acceptable(self, user: str, offer: KeyOffer) -> bool:
        return user == "ada" and offer.blob in self.keys

    def step(self, name: str, user: str) -> Conversation:
        if name == "broken":
            raise self.bug
        answers = yield Query("Code", (Prompt("Code: "), Prompt("Again: ", echo=True)), "Twice.")
        self.answers.append(answers)
        if answers == ("raise", "it"):
            raise self.bug
        return answers == ("123", "123")


def _request(client: RawClient, method: str, *parts: object, user: object = "ada") -> None:
    client.send(50, user, "ssh-connection", method, *parts)


def _ready(client: RawClient) -> RawClient:
    client.shake_hands()
    client.ask_for_login()
    return client


def _refused(client: RawClient) -> tuple[str, bool]:
    fields = client.expect(REFUSED)
    return fields.text(), fields.boolean()


def test_none_tells_the_methods() -> None:
    chains = (("publickey", "code"), ("password",))
    with host_pair(chains=chains, verifier=Ada()) as (host, client):
        _request(_ready(client), "none")
        assert _refused(client) == ("publickey,password", False)
        assert host.log.named("auth.failed")[0]["user"] == "ada"


def test_a_password() -> None:
    with host_pair(chains=(("password",),), verifier=Ada()) as (host, client):
        _request(_ready(client), "password", False, "wrong")
        assert _refused(client) == ("password", False)
        _request(client, "password", False, "sésame")
        client.expect(LET_IN)
        client.open_session()
        assert host.answerer.identities[0].factors == ("password",)
    assert "sésame" not in repr(host.log.events)
    assert "wrong" not in repr(host.log.events)


@pytest.mark.parametrize(
    "parts",
    [
        (True, "sésame", "new"),  # a change of the password, RFC 4252 §8
        (False, b"\xff\xfe"),
        (False, "x" * 1025),
        (False, ""),
    ],
)
def test_a_password_that_cannot_be_one_is_refused(parts: tuple[object, ...]) -> None:
    with host_pair(chains=(("password",),), verifier=Ada()) as (_, client):
        _request(_ready(client), "password", *parts)
        assert _refused(client) == ("password", False)


def _rsa(bits: int) -> paramiko.RSAKey:
    return paramiko.RSAKey(key=rsa.generate_private_key(65537, bits))


@pytest.fixture(scope="module")
def keys() -> dict[str, paramiko.PKey]:
    """A key for each algorithm."""
    made = {f"ecdsa-sha2-nistp{n}": paramiko.ECDSAKey.generate(bits=n) for n in (256, 384, 521)}
    made["rsa-sha2-256"] = made["rsa-sha2-512"] = _rsa(2048)
    made["ssh-ed25519"] = KEYS.keys[0]
    return made


@pytest.mark.parametrize("algorithm", OWN)
def test_a_key_of_every_kind(algorithm: str, keys: dict[str, paramiko.PKey]) -> None:
    key = keys[algorithm]
    with host_pair(chains=(("publickey",),), verifier=Ada(key)) as (host, client):
        _request(_ready(client), "publickey", False, algorithm, key.asbytes())
        fields = client.expect(KEY_WOULD_DO)
        assert (fields.text(), fields.string()) == (algorithm, key.asbytes())
        client.sign_in(key, algorithm)
        client.expect(LET_IN)
        client.open_session()
        assert host.answerer.identities[0].fingerprint == fingerprint(key.asbytes())


@pytest.mark.parametrize("algorithm", OWN)
def test_a_signature_for_another_user_is_none(
    algorithm: str, keys: dict[str, paramiko.PKey]
) -> None:
    key = keys[algorithm]
    with host_pair(chains=(("publickey",),), verifier=Ada(key)) as (host, client):
        _ready(client).sign_in(key, algorithm, signed_as="eve")
        assert _refused(client) == ("publickey", False)
        assert host.machine.settled == ()
        assert host.log.named("auth.failed")[0]["reason"] == "the signature is wrong"


@pytest.mark.parametrize(
    "algorithm",
    [
        "ssh-rsa",
        "ssh-dss",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
        "ssh-ed25519-cert-v01@openssh.com",
        "x\r\nforged",
        b"\xff\xfe",
        "",
    ],
)
@pytest.mark.parametrize("signed", [False, True])
def test_an_unknown_kind_of_key_is_a_plain_no(algorithm: object, signed: bool) -> None:
    with host_pair(chains=(("publickey",),), verifier=Ada()) as (_, client):
        signature = (packed(algorithm, b"sig"),) if signed else ()
        _request(_ready(client), "publickey", signed, algorithm, packed(algorithm), *signature)
        assert _refused(client) == ("publickey", False)


def test_many_keys_in_an_agent_are_no_failure_and_too_many_are() -> None:
    key = paramiko.ECDSAKey.generate()
    with host_pair(chains=(("publickey",),), verifier=Ada()) as (host, client):
        _ready(client)
        for _ in range(MAX_PROBES):
            _request(client, "publickey", False, key.get_name(), key.asbytes())
            assert _refused(client) == ("publickey", False)
        _request(client, "publickey", False, key.get_name(), key.asbytes())
        assert client.gone()
        assert host.wait() == "too many keys were offered"


def test_a_step_asks_and_is_answered() -> None:
    verifier = Ada()
    with host_pair(chains=(("password", "code"),), verifier=verifier) as (host, client):
        _request(_ready(client), "password", False, "sésame")
        assert _refused(client) == ("keyboard-interactive", True)
        _request(client, "keyboard-interactive", "", "")
        fields = client.expect(QUESTION)
        assert (fields.text(), fields.text(), fields.text()) == ("Code", "Twice.", "")
        assert fields.integer() == 2
        assert (fields.text(), fields.boolean()) == ("Code: ", False)
        assert (fields.text(), fields.boolean()) == ("Again: ", True)
        client.send(61, 2, "123", "123")
        client.expect(LET_IN)
        client.open_session()
        assert host.answerer.identities[0].factors == ("password", "code")
        assert [line["user"] for line in host.log.named("auth.partial")] == ["ada"]
    assert "123" not in [value for _, line in host.log.events for value in line.values()]


@pytest.mark.parametrize(
    "answers",
    [(0,), (1, "123"), (3, "123", "123", "123"), (2, b"\xff", "123"), (2, "x" * 1025, "123")],
)
def test_answers_that_do_not_fit_reach_no_step(answers: tuple[object, ...]) -> None:
    verifier = Ada()
    with host_pair(chains=(("code",),), verifier=verifier) as (_, client):
        _request(_ready(client), "keyboard-interactive", "", "")
        client.expect(QUESTION)
        client.send(61, *answers)
        assert _refused(client) == ("keyboard-interactive", False)
    assert verifier.answers == []


@pytest.mark.parametrize("bug", [ValueError("a bug in a step"), SystemExit(1)])
@pytest.mark.parametrize("chain", ["code", "broken"])
def test_a_bug_in_a_step_costs_one_try(chain: str, bug: BaseException) -> None:
    verifier = Ada()
    verifier.bug = bug
    with host_pair(chains=((chain,), ("password",)), verifier=verifier) as (host, client):
        _request(_ready(client), "keyboard-interactive", "", "")
        if chain == "code":
            client.expect(QUESTION)
            client.send(61, 2, "raise", "it")
        assert _refused(client) == ("keyboard-interactive,password", False)
        assert host.log.named("auth.failed")[0]["error"] is bug
        _request(client, "password", False, "sésame")
        client.expect(LET_IN)


class NoStore(Ada):
    """The accounts do not work, wherever they are asked."""

    broken = True

    def password(self, user: str, password: str) -> bool:
        self._look()
        return super().password(user, password)

    def step(self, name: str, user: str) -> Conversation:
        self._look()
        yield Query()
        return False

    def failed(self, user: str, factor: str, reason: str) -> None:
        self._look()

    def _look(self) -> None:
        if self.broken:
            raise StoreError("the account store is\nlocked")


def test_a_store_that_does_not_work_is_one_line_and_one_try() -> None:
    verifier = NoStore()
    chains = (("password",), ("code",))
    with host_pair(chains=chains, verifier=verifier) as (host, client):
        _ready(client)
        requests: list[tuple[object, ...]] = [
            ("password", False, "sésame"),
            ("keyboard-interactive", "", ""),
        ]
        for number, (method, *parts) in enumerate(requests, 1):
            _request(client, method, *parts)
            assert _refused(client) == ("password,keyboard-interactive", False)
            told = host.log.named("store.error")
            assert len(told) == number
            assert "locked" in told[-1]["reason"]
            assert "\n" not in told[-1]["reason"]
            assert host.machine._tries == number
        assert not [line for _, line in host.log.events if "error" in line]
        verifier.broken = False
        _request(client, "password", False, "sésame")
        client.expect(LET_IN)


def test_after_six_wrong_passwords_it_is_over() -> None:
    with host_pair(chains=(("password",),), verifier=Ada()) as (host, client):
        _ready(client)
        for _ in range(5):
            _request(client, "password", False, "wrong")
            _refused(client)
        _request(client, "password", False, "wrong")
        fields = client.expect(1)
        assert fields.integer() == 14
        assert host.wait() == "too many failed attempts"


@pytest.mark.parametrize("user", [b"\xff\xfe", "", "a" * 20_000, "a\nb", "\x1b[2J", b"a\0b"])
def test_a_name_that_is_none_is_a_plain_no(user: object) -> None:
    chains = (("none",), ("password",))
    with host_pair(chains=chains) as (host, client):
        _request(_ready(client), "none", user=user)
        assert _refused(client) == ("password", False)
        logged = host.log.named("auth.failed")[0]["user"]
        assert len(logged) <= 64
        assert logged.isprintable() or not logged


@pytest.mark.parametrize("method", ["hostbased", "gssapi-with-mic", "", b"\xff", "none\0"])
def test_an_unknown_method_is_a_plain_no_even_to_guests(method: object) -> None:
    with host_pair() as (host, client):
        client.shake_hands()
        client.ask_for_login()
        client.send(50, "ada", "ssh-connection", method)
        assert _refused(client) == ("", False)
        assert host.machine.identity is None


def test_another_service_is_a_plain_no() -> None:
    with host_pair() as (_, client):
        _ready(client).send(50, "ada", "ssh-shell", "none")
        assert _refused(client) == ("", False)


def test_requests_after_the_login_are_ignored() -> None:
    with host_pair() as (host, client):
        client.log_in()
        _request(client, "password", False, "x", user="root")
        client.send(61, 1, "x")
        client.open_session()
        assert [identity.user for identity in host.answerer.identities] == ["ada"]


def test_the_name_may_ask_for_an_app() -> None:
    with host_pair() as (host, client):
        client.log_in("ada+notes")
        client.open_session()
        identity = host.answerer.identities[0]
        assert (identity.user, identity.target) == ("ada", "notes")


def test_a_key_and_a_step_with_openssh(program: Callable[[str], str], tmp_path: Path) -> None:
    ssh, keygen = program("ssh"), program("ssh-keygen")
    subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "k"], check=True)
    key = paramiko.Ed25519Key.from_private_key_file(str(tmp_path / "k"))
    asker = tmp_path / "ask"
    asker.write_text("#!/bin/sh\necho 123\n")
    asker.chmod(0o700)
    with _listening(Ada(key), (("publickey", "code"),)) as port:
        done = subprocess.run(
            [
                *(ssh, "-F", "none", "-v", "-N", "-i", str(tmp_path / "k"), "-p", str(port)),
                *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"),
                *("-o", "IdentitiesOnly=yes", "-o", "ExitOnForwardFailure=yes"),
                # A forward that the host refuses: the client leaves by itself, logged in.
                *("-R", "0:127.0.0.1:9", "ada@127.0.0.1"),
            ],
            env={**os.environ, "SSH_ASKPASS": str(asker), "SSH_ASKPASS_REQUIRE": "force"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=DEADLINE,
            check=False,
        )
    said = done.stderr.decode()
    assert 'Authenticated using "publickey" with partial success' in said, said
    assert "Authenticated to 127.0.0.1" in said, said


def test_two_steps_in_one_exchange_with_openssh(
    program: Callable[[str], str], tmp_path: Path
) -> None:
    """Also what it makes of a title, an instruction, and a prompt of many lines with a picture."""

    class Two(Ada):
        def step(self, name: str, user: str) -> Conversation:
            picture = "\n  █▀▄\n  ▄▀█\n"
            (answer,) = yield Query(f"The {name}", (Prompt(f"{picture}{name}? "),), "Mind the gap.")
            self.answers.append((name, answer))
            yield Query("Told", (), "Nothing to answer.")
            return answer == f"for {name}"

    verifier, asker = Two(), tmp_path / "ask"
    asker.write_text(
        '#!/bin/sh\ncase "$1" in *first*) echo for first;; *) echo for second;; esac\n'
    )
    asker.chmod(0o700)
    with _listening(verifier, (("first", "second"),)) as port:
        done = subprocess.run(
            [
                *(program("ssh"), "-F", "none", "-v", "-N", "-p", str(port)),
                *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"),
                *("-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:9", "ada@127.0.0.1"),
            ],
            env={**os.environ, "SSH_ASKPASS": str(asker), "SSH_ASKPASS_REQUIRE": "force"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=DEADLINE,
            check=False,
        )
    said = done.stderr.decode()
    assert verifier.answers == [("first", "for first"), ("second", "for second")], said
    assert "Authenticated to 127.0.0.1" in said, said
    assert "partial success" not in said


def test_every_decision_is_one_line_with_factor_reason_key_and_source() -> None:
    key = KEYS.keys[0]
    with host_pair(chains=(("publickey", "code"),), verifier=Ada(key)) as (host, client):
        _ready(client)
        _request(client, "password", False, "sésame")
        _refused(client)
        client.sign_in(key, "ssh-ed25519", signed_as="eve")
        _refused(client)
        client.sign_in(key, "ssh-ed25519")
        _refused(client)
        for code in ("1", "123"):
            _request(client, "keyboard-interactive", "", "")
            client.expect(QUESTION)
            client.send(61, 2, code, code)
            client.read()
        client.open_session()
        lines = [(name, line) for name, line in host.log.events if name.startswith("auth.")]
    print_of_key = fingerprint(key.asbytes())
    told = [(name, line.get("factor"), line.get("reason"), line["key"]) for name, line in lines]
    assert told == [
        ("auth.failed", "password", "no password is due", None),
        ("auth.failed", "publickey", "the signature is wrong", print_of_key),
        ("auth.partial", "publickey", None, print_of_key),
        ("auth.failed", "code", "not accepted", None),
        ("auth.ok", None, None, print_of_key),
    ]
    assert {str(line["peer"]) for _, line in lines} == {"127.0.0.1:50122"}
    assert lines[-1][1]["factors"] == "publickey+code"


@contextmanager
def _listening(verifier: Any, chains: tuple[tuple[str, ...], ...]) -> Iterator[int]:
    hosts: list[Host] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(DEADLINE)

        def accept() -> None:
            hosts.append(Host(listener.accept()[0], verifier=verifier, chains=chains))

        thread = threading.Thread(target=accept)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(DEADLINE)
    for host in hosts:
        host.close()


# ------------------------------------------------------------------------------ reading keys


def test_keys_of_absurd_sizes_are_none() -> None:
    def rsa_blob(exponent: bytes, modulus: bytes) -> bytes:
        return packed("ssh-rsa", exponent, modulus)

    good = b"\0" + b"\xff" * 256
    for blob in (
        rsa_blob(b"\x01\x00\x01", b"\0" + b"\xff" * 128),  # 1024 bits
        rsa_blob(b"\x01\x00\x01", b"\0" + b"\xff" * 2048),  # 16384
        rsa_blob(b"\x01" * 9, good),
        rsa_blob(b"\x02", good),
        rsa_blob(b"", good),
        rsa_blob(b"\xff", good),  # negative
        packed("ssh-rsa", b"\x01\x00\x01"),
        packed("ssh-rsa", b"\x01\x00\x01", good, "more"),
        packed("ssh-ed25519", b"x" * 32),
    ):
        assert LoginKey.parse("rsa-sha2-512", blob) is None
    for blob in (
        packed("ssh-ed25519", b"x" * 31),
        packed("ssh-ed25519", b"x" * 33),
        packed("ssh-ed25519"),
        b"",
        packed(Raw(b"\xff\xff\xff\xff")),
    ):
        assert LoginKey.parse("ssh-ed25519", blob) is None
    for blob in (
        packed("ecdsa-sha2-nistp256", "nistp384", b"\x04" + b"x" * 64),
        packed("ecdsa-sha2-nistp256", "nistp256", b"\x04" + b"x" * 64),  # not on the curve
        packed("ecdsa-sha2-nistp256", "nistp256", b"\0"),
        packed("ecdsa-sha2-nistp256", "nistp256", b""),
    ):
        assert LoginKey.parse("ecdsa-sha2-nistp256", blob) is None


def test_a_signature_must_be_of_the_algorithm_and_whole(keys: dict[str, paramiko.PKey]) -> None:
    for algorithm, key in keys.items():
        parsed = LoginKey.parse(algorithm, key.asbytes())
        assert parsed is not None
        signature = key.sign_ssh_data(b"data", algorithm).asbytes()
        assert parsed.verify(signature, b"data")
        assert not parsed.verify(signature, b"other")
        assert not parsed.verify(signature[:-1], b"data")
        assert not parsed.verify(packed("ssh-rsa", b"x"), b"data")
        assert not parsed.verify(packed(algorithm, b""), b"data")
        assert not parsed.verify(packed(algorithm, b"x" * 3000), b"data")
        assert not parsed.verify(b"", b"data")
