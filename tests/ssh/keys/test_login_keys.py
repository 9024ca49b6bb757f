"""OpenSSH's own client and agent: certificates of every kind, and twenty keys of which one fits."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.ssh.keys.key_tools import Keygen
from tests.ssh.raw_client import Host
from tests.verifiers import OpenGuests
from tests.waiting import DEADLINE
from tuihost.core.keys.authorized_keys import Unfit, judge, parse
from tuihost.core.keys.offers import KeyOffer, Revocations
from tuihost.ssh.keys.revocations import read_revocations
from tuihost.wire import Identity, Restrictions

NOW = time.time()


@dataclass
class Keys(OpenGuests):
    """The user ada, who comes in by lines of an authorized_keys file and by certificates."""

    text: str = ""
    trusted: set[bytes] = field(default_factory=set)
    revoked: Revocations | None = None
    restrictions: Restrictions | None = None
    refused: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    proved: list[KeyOffer] = field(default_factory=list)

    def advice(self, user: str) -> str:
        return ""

    def guest(self, user: str) -> bool:
        return False

    def key_acceptable(self, user: str, offer: KeyOffer) -> bool:
        found = judge(
            parse(self.text, "keys").lines,
            offer,
            peer_address="127.0.0.1",
            now=NOW,
            user=user,
            trusted_cas=self.trusted,
            revoked=self.revoked,
        )
        if isinstance(found, Unfit):
            self.refused.append(found.reason)
            return False
        self.restrictions = found
        return user == "ada"

    def key_proved(self, user: str, offer: KeyOffer) -> None:
        self.proved.append(offer)

    def failed(self, user: str, factor: str, reason: str) -> None:
        self.failures.append(reason)


@contextmanager
def _listening(verifier: Keys) -> Iterator[tuple[int, list[Identity]]]:
    """A host for one client; who came in by it."""
    hosts: list[Host] = []
    identities: list[Identity] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(DEADLINE)

        def accept() -> None:
            hosts.append(Host(listener.accept()[0], verifier=verifier, chains=(("publickey",),)))

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield listener.getsockname()[1], identities
        finally:
            thread.join(DEADLINE)
            for host in hosts:
                host.close()
                identities += host.answerer.identities


@pytest.fixture
def keygen(tmp_path: Path, program: Callable[[str], str]) -> Keygen:
    return Keygen(program("ssh-keygen"), tmp_path)


@pytest.fixture
def log_in(program: Callable[[str], str]) -> Callable[..., tuple[bool, str]]:
    """Runs `ssh` against a verifier; whether it came in, and all that it said."""
    ssh = program("ssh")

    def run(verifier: Keys, *words: object, agent: str = "") -> tuple[bool, str]:
        with _listening(verifier) as (port, identities):
            done = subprocess.run(
                [
                    *(ssh, "-F", "none", "-vv", "-N", "-p", str(port), *map(str, words)),
                    *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"),
                    *("-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes"),
                    # A forward that the host refuses: the client leaves by itself, logged in.
                    *("-R", "0:127.0.0.1:9", "ada@127.0.0.1"),
                ],
                env={**os.environ, "SSH_AUTH_SOCK": agent},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=DEADLINE,
                check=False,
            )
        said = done.stderr.decode()
        inside = "Authenticated to 127.0.0.1" in said
        assert inside is bool(identities), said
        return inside, said

    return run


LogIn = Callable[..., tuple[bool, str]]


@pytest.mark.parametrize(
    ("kind", "bits"), [("ed25519", None), ("ecdsa", 256), ("ecdsa", 521), ("rsa", 3072)]
)
def test_a_certificate_of_each_kind(
    keygen: Keygen, log_in: LogIn, kind: str, bits: int | None
) -> None:
    key = keygen.key("key", kind, bits)
    keygen.key("ca", "rsa", 2048)
    keygen.certify("key", "ca", "-O", "no-pty", "-V", "-1d:+1d", "-z", "9")
    verifier = Keys(trusted={keygen.public("ca")})
    inside, said = log_in(verifier, "-i", key, "-o", "IdentitiesOnly=yes")
    assert inside, said
    assert verifier.restrictions == Restrictions(pty=False)
    (offer,) = verifier.proved
    assert offer.certificate is not None
    assert (offer.certificate.serial, offer.public) == (9, keygen.public("key"))
    assert offer.proved
    assert verifier.failures == []


@pytest.mark.parametrize(
    ("words", "principals", "reason"),
    [
        (("-V", "-2d:-1d"), "ada", "the certificate has expired"),
        (("-V", "+1d:+2d"), "ada", "the certificate is not valid yet"),
        ((), "eve", "the certificate is somebody else's"),
        (("-O", "source-address=10.0.0.0/8"), "ada", "may not be used from this address"),
        (("-O", "critical:no@example.com=x"), "ada", "the certificate asks for no@example.com"),
        (("-O", "verify-required"), "ada", "only a security key can verify who uses it"),
    ],
)
def test_a_certificate_that_does_not_fit(
    keygen: Keygen, log_in: LogIn, words: tuple[str, ...], principals: str, reason: str
) -> None:
    key = keygen.key("key")
    keygen.key("ca")
    keygen.certify("key", "ca", *words, principals=principals)
    verifier = Keys(trusted={keygen.public("ca")})
    inside, said = log_in(verifier, "-i", key, "-o", "IdentitiesOnly=yes")
    assert not inside, said
    assert any(reason in one for one in verifier.refused)
    assert verifier.proved == []


def test_a_certificate_does_not_stand_for_the_key_in_it(keygen: Keygen, log_in: LogIn) -> None:
    key = keygen.key("key")
    keygen.key("ca")
    keygen.certify("key", "ca")
    lines = f"{keygen.line('key')}\n{keygen.line('ca')}\n"
    verifier = Keys(text=lines)
    # The client would come in by the key alone, were it let.
    only = "PubkeyAcceptedAlgorithms=ssh-ed25519-cert-v01@openssh.com"
    inside, said = log_in(verifier, "-i", key, "-o", "IdentitiesOnly=yes", "-o", only)
    assert not inside, said
    assert verifier.refused == ["the authority is not trusted"]
    assert log_in(verifier, "-i", key, "-o", "IdentitiesOnly=yes")[0]


def test_a_revoked_certificate(keygen: Keygen, log_in: LogIn) -> None:
    key = keygen.key("key")
    keygen.key("ca")
    keygen.certify("key", "ca", "-z", "4")
    (keygen.folder / "spec").write_text("serial: 4\n")
    keygen.run("-k", "-f", "krl", "-s", "ca.pub", "spec")
    revoked = read_revocations((keygen.folder / "krl").read_bytes())
    verifier = Keys(trusted={keygen.public("ca")}, revoked=revoked)
    inside, said = log_in(verifier, "-i", key, "-o", "IdentitiesOnly=yes")
    assert not inside, said
    assert "the key is revoked" in verifier.refused


def test_an_authority_of_a_line(keygen: Keygen, log_in: LogIn) -> None:
    key = keygen.key("key")
    keygen.key("ca")
    keygen.certify("key", "ca", "-O", "force-command=menu", principals="dev")
    line = f'cert-authority,principals="dev",from="127.0.0.*",restrict,pty {keygen.line("ca")}'
    verifier = Keys(text=line)
    inside, said = log_in(verifier, "-i", key, "-o", "IdentitiesOnly=yes")
    assert inside, said
    assert verifier.restrictions == Restrictions(
        command="menu",
        port_forwarding=False,
        x11_forwarding=False,
        agent_forwarding=False,
        limited=True,
    )


@contextmanager
def _agent(program: Callable[[str], str], folder: Path, *keys: Path) -> Iterator[str]:
    path = str(folder / "agent")
    agent = subprocess.Popen([program("ssh-agent"), "-D", "-a", path], stdout=subprocess.PIPE)
    try:
        assert agent.stdout is not None
        agent.stdout.readline()  # it listens
        subprocess.run(
            [program("ssh-add"), "-q", *map(str, keys)],
            env={**os.environ, "SSH_AUTH_SOCK": path},
            stdin=subprocess.DEVNULL,
            timeout=DEADLINE,
            check=True,
        )
        yield path
    finally:
        agent.terminate()
        agent.wait(DEADLINE)
        if agent.stdout is not None:
            agent.stdout.close()


@pytest.mark.parametrize("which", [0, 7, 19])
def test_twenty_keys_in_an_agent(
    keygen: Keygen, log_in: LogIn, program: Callable[[str], str], tmp_path: Path, which: int
) -> None:
    keys = [keygen.key(f"key{n}") for n in range(20)]
    verifier = Keys(text=keygen.line(f"key{which}"))
    with _agent(program, tmp_path, *keys) as agent:
        inside, said = log_in(verifier, agent=agent)
    assert inside, said
    assert [offer.blob for offer in verifier.proved] == [keygen.public(f"key{which}")]
    assert verifier.failures == []  # keys that are only named are not failures
    assert len(verifier.refused) == which


def test_clients_are_told_what_they_may_sign_with(keygen: Keygen, log_in: LogIn) -> None:
    key = keygen.key("key")
    _, said = log_in(Keys(text=keygen.line("key")), "-i", key)
    (told,) = [line for line in said.splitlines() if "server-sig-algs=<" in line]
    assert told.partition("<")[2].rstrip(">\r").split(",") == [
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
        "rsa-sha2-512",
        "rsa-sha2-256",
    ]
