"""Certificates and security keys that prove nothing: each story is told twice where plain paramiko
lets it happen."""

from __future__ import annotations

import base64
import time
from typing import Any

import paramiko
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    SSHCertificateBuilder,
    SSHCertificateType,
)

from tests.ssh.messages import Raw, packed
from tests.ssh.raw_client import RawClient, host_pair, plain_pair
from tests.verifiers import OpenGuests
from tuihost.core.keys.authorized_keys import KeyLine, Unfit, judge
from tuihost.core.keys.offers import KeyOffer
from tuihost.core.keys.options import KeyOptions
from tuihost.ssh.keys.public_keys import PublicKey

PLAIN, CERTIFIED = "ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com"
NOW = int(time.time())
ADA, CA, STRANGER = (Ed25519PrivateKey.generate() for _ in range(3))


def _blob(key: Ed25519PublicKey) -> bytes:
    return packed(PLAIN, key.public_bytes(Encoding.Raw, PublicFormat.Raw))


def _certificate(by: Ed25519PrivateKey, *, host: bool = False, over: bool = False) -> bytes:
    builder = (
        SSHCertificateBuilder()
        .public_key(ADA.public_key())
        .type(SSHCertificateType.HOST if host else SSHCertificateType.USER)
        .key_id(b"ada")
        .valid_principals([b"ada"])
        .valid_after(NOW - 7200)
        .valid_before(NOW - 3600 if over else NOW + 3600)
        .serial(7)
    )
    return base64.b64decode(builder.sign(by).public_bytes().split()[1])


class Lines(OpenGuests):
    """Ada, who comes in by `lines`, and by the certificates of `CA` where that is trusted."""

    def __init__(self, *lines: KeyLine, trusted: bool = False) -> None:
        self.lines = lines
        self.trusted = {_blob(CA.public_key())} if trusted else set()

    def advice(self, user: str) -> str:
        return ""

    def guest(self, user: str) -> bool:
        return False

    def key_acceptable(self, user: str, offer: KeyOffer) -> bool:
        place = {"peer_address": "127.0.0.1", "now": float(NOW), "user": user}
        found = judge(self.lines, offer, **place, trusted_cas=self.trusted)
        return not isinstance(found, Unfit)


class Naive(paramiko.ServerInterface):  # type: ignore[misc]
    """What one writes against paramiko at first: is it one of Ada's keys?"""

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        theirs = key.asbytes() == _blob(ADA.public_key())
        return paramiko.AUTH_SUCCESSFUL if theirs else paramiko.AUTH_FAILED


def _line(key: Ed25519PrivateKey, **options: Any) -> KeyLine:
    return KeyLine(PLAIN, _blob(key.public_key()), options=KeyOptions(**options))


def _sign_in(client: RawClient, algorithm: str, blob: bytes, by: Ed25519PrivateKey = ADA) -> int:
    """A publickey request with a signature that is right; the number of its answer."""
    head = ("ada", "ssh-connection", "publickey", True, algorithm, blob)
    data = packed(client.transport.session_id, Raw(b"\x32"), *head)
    client.send(50, *head, packed(PLAIN, by.sign(data)))
    return client.read()[0]


def _ready(client: RawClient) -> RawClient:
    client.shake_hands()
    client.ask_for_login()
    return client


@pytest.mark.parametrize(
    ("by", "about"),
    [(STRANGER, {}), (CA, {"over": True}), (CA, {"host": True})],
    ids=["a stranger's", "one that is over", "a host's"],
)
def test_any_certificate_of_a_key_is_as_good_as_the_key(
    by: Ed25519PrivateKey, about: dict[str, bool]
) -> None:
    blob = _certificate(by, **about)
    with plain_pair(Naive()) as (_, client):
        # paramiko shows its server the key within, and nothing of the certificate is looked at.
        assert _sign_in(_ready(client), CERTIFIED, blob) == 52
    with host_pair(chains=(("publickey",),), verifier=Lines(_line(ADA), trusted=True)) as (
        host,
        client,
    ):
        assert _sign_in(_ready(client), CERTIFIED, blob) == 51
        assert host.machine.settled == ()
        assert _sign_in(client, CERTIFIED, _certificate(CA)) == 52


def test_a_forged_signature_of_the_authority() -> None:
    blob = _certificate(CA)
    forged = blob[:-1] + bytes([blob[-1] ^ 1])
    with plain_pair(Naive()) as (_, client):
        assert _sign_in(_ready(client), CERTIFIED, forged) == 52
    with host_pair(chains=(("publickey",),), verifier=Lines(trusted=True)) as (_, client):
        assert _sign_in(_ready(client), CERTIFIED, forged) == 51
        assert _sign_in(client, CERTIFIED, blob) == 52


def test_the_key_of_an_authority_is_nobodys_key() -> None:
    lines = Lines(_line(CA, cert_authority=True), trusted=True)
    blob = _blob(CA.public_key())
    with host_pair(chains=(("publickey",),), verifier=lines) as (host, client):
        assert _sign_in(_ready(client), PLAIN, blob, by=CA) == 51
        assert _sign_in(client, CERTIFIED, blob, by=CA) == 51
        assert host.machine.settled == ()


def test_the_key_of_an_authority_that_is_a_persons_makes_no_certificates() -> None:
    with host_pair(chains=(("publickey",),), verifier=Lines(_line(CA))) as (_, client):
        assert _sign_in(_ready(client), CERTIFIED, _certificate(CA)) == 51
        assert _sign_in(client, PLAIN, _blob(CA.public_key()), by=CA) == 52


def test_one_key_with_two_certificates_is_no_second_factor() -> None:
    chains = (("publickey", "publickey"),)
    with host_pair(chains=chains, verifier=Lines(_line(ADA), trusted=True)) as (host, client):
        _ready(client)
        assert _sign_in(client, CERTIFIED, _certificate(CA)) == 51
        assert host.machine.settled == ("publickey",)
        assert _sign_in(client, CERTIFIED, _certificate(CA)) == 51
        assert _sign_in(client, PLAIN, _blob(ADA.public_key())) == 51
        assert host.machine.settled == ("publickey",)
        assert host.machine.identity is None


def test_a_security_key_of_an_agent_comes_first() -> None:
    """Named to plain paramiko, it ends the connection, whatever else the agent holds."""
    raw = ADA.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    kind = "sk-ssh-ed25519@openssh.com"
    blob = packed(kind, raw, "ssh:")
    assert PublicKey.parse(blob) is not None
    with plain_pair(Naive()) as (_, client):
        _ready(client).send(50, "ada", "ssh-connection", "publickey", False, kind, blob)
        assert client.gone()
    with host_pair(chains=(("publickey",),), verifier=Lines(_line(ADA))) as (_, client):
        _ready(client).send(50, "ada", "ssh-connection", "publickey", False, kind, blob)
        client.expect(51)
        assert _sign_in(client, PLAIN, _blob(ADA.public_key())) == 52


def test_a_signature_without_a_touch_is_passed_off_as_a_plain_one() -> None:
    """The same curve, the same key, and no device: only what a device says counts for one."""
    raw = ADA.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    kind = "sk-ssh-ed25519@openssh.com"
    blob = packed(kind, raw, "ssh:")
    with host_pair(chains=(("publickey",),), verifier=Lines(KeyLine(kind, blob))) as (host, client):
        _ready(client)
        head = ("ada", "ssh-connection", "publickey", True, kind, blob)
        data = packed(client.transport.session_id, Raw(b"\x32"), *head)
        for signature in (packed(kind, ADA.sign(data)), packed(PLAIN, ADA.sign(data))):
            for tail in (b"", b"\x01\0\0\0\x01"):
                client.send(50, *head, packed(Raw(signature), Raw(tail)))
                assert client.read()[0] == 51
        assert host.machine.settled == ()
