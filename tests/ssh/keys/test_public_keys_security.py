"""Keys of FIDO devices: their signatures, as OpenSSH verifies them too, and over the wire."""

from __future__ import annotations

import base64
import hashlib
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ssh.keys.key_tools import PRESENT, VERIFIED, Keygen, SecurityKey
from tests.ssh.messages import Raw, packed
from tests.ssh.raw_client import RawClient, host_pair
from tests.verifiers import OpenGuests
from tuihost.core.keys.authorized_keys import Unfit, judge, parse
from tuihost.core.keys.offers import SK_ECDSA, SK_ED25519, KeyOffer
from tuihost.ssh.keys.login_keys import LoginKey
from tuihost.ssh.keys.public_keys import PublicKey

REFUSED, LET_IN, KEY_WOULD_DO = 51, 52, 60
KINDS = (SK_ED25519, SK_ECDSA)


class Lines(OpenGuests):
    """The user ada, with lines of an authorized_keys file."""

    def __init__(self, text: str) -> None:
        found = parse(text, "keys")
        assert found.problems == ()
        self.lines = found.lines

    def advice(self, user: str) -> str:
        return ""

    def guest(self, user: str) -> bool:
        return False

    def key_acceptable(self, user: str, offer: KeyOffer) -> bool:
        found = judge(self.lines, offer, peer_address="127.0.0.1", now=0.0, user=user)
        return user == "ada" and not isinstance(found, Unfit)


@pytest.mark.parametrize("kind", KINDS)
def test_openssh_verifies_what_the_device_in_software_signs(
    kind: str, program: Callable[[str], str], tmp_path: Path
) -> None:
    keygen, device = Keygen(program("ssh-keygen"), tmp_path), SecurityKey(kind)
    (tmp_path / "signers").write_text(f"ada {device.line}\n")
    for name, flags, fits in (("good", PRESENT | VERIFIED, True), ("bad", PRESENT, False)):
        digest = hashlib.sha512(b"a text").digest()
        signed = packed(Raw(b"SSHSIG"), "file", "", "sha512", digest)
        signature = device.sign(signed, flags)
        if not fits:
            signature = signature[:-1] + b"\xff"
        blob = packed(Raw(b"SSHSIG"), 1, device.blob, "file", "", "sha512", signature)
        lines = textwrap.wrap(base64.b64encode(blob).decode(), 70)
        armoured = ["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----", ""]
        (tmp_path / name).write_text("\n".join(armoured))
        words = ("-Y", "verify", "-f", "signers", "-I", "ada", "-n", "file", "-s", name)
        said = keygen.run(*words, input=b"a text", check=False)
        assert ("Good" in said) is fits, said
        key = LoginKey.parse(kind, device.blob)
        assert key is not None
        found = key.verify(signature, signed)
        assert (found is not None) is fits
        if found is not None:
            assert (found.touched, found.verified, found.proved) == (True, True, True)


@pytest.mark.parametrize("kind", KINDS)
def test_every_byte_of_a_signature_counts(kind: str) -> None:
    device = SecurityKey(kind)
    key = LoginKey.parse(kind, device.blob)
    assert key is not None
    assert (key.offer.touched, key.offer.proved) == (False, False)
    signature = device.sign(b"data")
    found = key.verify(signature, b"data")
    assert found is not None
    assert (found.touched, found.verified) == (True, False)
    assert key.verify(signature, b"date") is None
    for at in range(len(signature)):
        changed = bytearray(signature)
        changed[at] ^= 0x01
        assert key.verify(bytes(changed), b"data") is None, at
        assert key.verify(signature[:at], b"data") is None, at
    assert key.verify(signature + b"\0", b"data") is None
    assert key.verify(device.sign(b"data", application="web:"), b"data") is None
    untouched = key.verify(device.sign(b"data", 0), b"data")
    assert untouched is not None
    assert not untouched.touched


def test_a_security_key_is_of_its_own_kind() -> None:
    one, other = SecurityKey(SK_ED25519), SecurityKey(SK_ECDSA)
    assert LoginKey.parse(SK_ECDSA, one.blob) is None
    assert LoginKey.parse(SK_ED25519, other.blob) is None
    assert LoginKey.parse("ssh-ed25519", one.blob) is None
    assert PublicKey.parse(one.blob + b"\0") is None
    assert PublicKey.parse(one.blob[:-8]) is None
    long = SecurityKey(SK_ED25519, application="x" * 257)
    assert PublicKey.parse(long.blob) is None
    webauthn = packed("webauthn-sk-ecdsa-sha2-nistp256@openssh.com", b"")
    key = LoginKey.parse(SK_ECDSA, other.blob)
    assert key is not None
    assert key.verify(webauthn, b"data") is None


def _sign_in(
    client: RawClient, device: SecurityKey, flags: int, signer: SecurityKey | None = None
) -> int:
    head = ("ada", "ssh-connection", "publickey", True, device.kind, device.blob)
    data = packed(client.transport.session_id, Raw(b"\x32"), *head)
    client.send(50, *head, (signer or device).sign(data, flags))
    return client.read()[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("options", "flags", "answer"),
    [
        ("", PRESENT, LET_IN),
        ("", 0, REFUSED),
        ("", VERIFIED, REFUSED),
        ("no-touch-required ", 0, LET_IN),
        ("verify-required ", PRESENT, REFUSED),
        ("verify-required ", PRESENT | VERIFIED, LET_IN),
    ],
)
def test_a_login(kind: str, options: str, flags: int, answer: int) -> None:
    device = SecurityKey(kind)
    verifier = Lines(f"{options}{device.line}")
    with host_pair(chains=(("publickey",),), verifier=verifier) as (host, client):
        client.shake_hands()
        client.ask_for_login()
        client.send(50, "ada", "ssh-connection", "publickey", False, kind, device.blob)
        fields = client.expect(KEY_WOULD_DO)
        assert (fields.text(), fields.string()) == (kind, device.blob)
        assert _sign_in(client, device, flags) == answer
        if answer == REFUSED:
            assert host.machine.settled == ()


def test_the_signature_of_another_device_is_none() -> None:
    device, other = SecurityKey(), SecurityKey()
    with host_pair(chains=(("publickey",),), verifier=Lines(device.line)) as (_, client):
        client.shake_hands()
        client.ask_for_login()
        assert _sign_in(client, device, PRESENT, signer=other) == REFUSED
        assert _sign_in(client, device, PRESENT) == LET_IN
