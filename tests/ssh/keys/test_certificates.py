"""Certificates as ssh-keygen makes them: read, verified, and refused wherever one bit is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ssh.keys.key_tools import PRESENT, Keygen, SecurityKey
from tests.ssh.messages import Raw, packed
from tuihost.core.keys.certificates import Certificate
from tuihost.core.keys.offers import SK_ECDSA, SK_ED25519, fingerprint
from tuihost.ssh.keys import _certificates as certificates
from tuihost.ssh.keys.login_keys import ALGORITHMS, LoginKey
from tuihost.ssh.keys.public_keys import PublicKey
from tuihost.ssh.packets.fields import Fields

KINDS = {
    "ed25519": ("ed25519", None),
    "ecdsa-256": ("ecdsa", 256),
    "ecdsa-384": ("ecdsa", 384),
    "ecdsa-521": ("ecdsa", 521),
    "rsa-2048": ("rsa", 2048),
}


@pytest.fixture(scope="module")
def keygen(tmp_path_factory: pytest.TempPathFactory) -> Keygen:
    """A folder with a key of each kind and an authority `ca`."""
    made = Keygen.found(tmp_path_factory.mktemp("keys"))
    for name, (kind, bits) in KINDS.items():
        made.key(name, kind, bits)
    made.key("ca")
    return made


def _read(blob: bytes) -> Certificate:
    found = certificates.parse(blob)
    assert found is not None
    return found.certificate


@pytest.mark.parametrize("name", KINDS)
def test_a_certificate_of_every_kind(keygen: Keygen, name: str) -> None:
    words = ("-z", "42", "-V", "20200101:20400101")
    blob = keygen.certify(name, "ca", *words, principals="ada,dev")
    certificate = _read(blob)
    assert certificate.public == keygen.public(name)
    assert certificate.ca == keygen.public("ca")
    assert (certificate.serial, certificate.key_id) == (42, f"{name}@ca")
    assert certificate.principals == ("ada", "dev")
    assert certificate.for_user
    assert certificate.valid_before - certificate.valid_after > 19 * 365 * 86400
    assert certificate.extensions >= {"permit-pty", "permit-user-rc", "permit-X11-forwarding"}
    assert certificate.unknown_critical == ()
    for algorithm, signing in certificates.ALGORITHMS.items():
        key = LoginKey.parse(algorithm, blob)
        fits = signing.startswith("rsa") if "rsa" in name else key is not None
        assert (key is not None) is fits
        if key is not None:
            assert key.algorithm == signing
            assert key.offer.fingerprint == fingerprint(keygen.public(name))
            assert key.offer.public == keygen.public(name)
            assert key.offer.blob == blob


@pytest.mark.parametrize("name", KINDS)
def test_an_authority_of_every_kind(keygen: Keygen, name: str) -> None:
    assert _read(keygen.certify("ca", name)).ca == keygen.public(name)


def test_signatures_of_authorities_with_sha1_and_small_rsa_are_refused(keygen: Keygen) -> None:
    assert certificates.parse(keygen.certify("ca", "rsa-2048", "-t", "rsa-sha2-256")) is not None
    assert certificates.parse(keygen.certify("ca", "rsa-2048", "-t", "ssh-rsa")) is None
    keygen.key("small", "rsa", 1024)
    assert certificates.parse(keygen.certify("ca", "small")) is None
    assert certificates.parse(keygen.certify("small", "ca")) is None


def test_everything_that_a_certificate_can_ask_for(keygen: Keygen) -> None:
    options = [
        *("-O", "clear", "-O", "permit-pty", "-O", "no-touch-required", "-O", "verify-required"),
        *("-O", "force-command=menu --fast", "-O", "source-address=10.0.0.0/8,::1/128"),
        *("-O", "extension:x@example.com=y", "-V", "always:forever"),
    ]
    certificate = _read(keygen.certify("ed25519", "ca", *options))
    assert certificate.extensions == {"permit-pty", "no-touch-required", "x@example.com"}
    assert certificate.force_command == "menu --fast"
    assert certificate.source_addresses == ("10.0.0.0/8", "::1/128")
    assert certificate.verify_required
    assert (certificate.valid_after, certificate.valid_before) == (0, 2**64 - 1)
    strange = _read(keygen.certify("ed25519", "ca", "-O", "critical:x@example.com=y"))
    assert strange.unknown_critical == ("x@example.com",)
    assert not _read(keygen.certify("ed25519", "ca", "-h")).for_user
    assert _read(keygen.certify("ed25519", "ca", principals="")).principals == ()


def test_every_byte_of_a_certificate_counts(keygen: Keygen) -> None:
    blob = keygen.certify("ed25519", "ca", "-O", "source-address=10.0.0.0/8")
    for at in range(len(blob)):
        changed = bytearray(blob)
        changed[at] ^= 0x01
        assert certificates.parse(bytes(changed)) is None, at
        assert certificates.parse(blob[:at]) is None, at
    assert certificates.parse(blob + b"\0") is None
    assert certificates.parse(blob + bytes(40_000)) is None


def test_a_certificate_is_no_key_and_no_authority(keygen: Keygen) -> None:
    blob = keygen.certify("ed25519", "ca")
    assert LoginKey.parse("ssh-ed25519", blob) is None
    assert LoginKey.parse("ssh-ed25519-cert-v01@openssh.com", keygen.public("ed25519")) is None
    assert LoginKey.parse("ecdsa-sha2-nistp256-cert-v01@openssh.com", blob) is None
    assert PublicKey.parse(blob) is None
    assert PublicKey.parse(keygen.public("ed25519")) is not None
    assert LoginKey.parse("ssh-rsa-cert-v01@openssh.com", keygen.certify("rsa-2048", "ca")) is None
    assert not any("cert" in name for name in ALGORITHMS)


def test_a_key_has_one_writing(keygen: Keygen) -> None:
    fields = Fields(keygen.public("rsa-2048"))
    kind, exponent, modulus = fields.string(), fields.string(), fields.string()
    assert PublicKey.parse(packed(kind, exponent, modulus)) is not None
    for parts in (
        (b"\0" + exponent, modulus),
        (exponent, b"\0" + modulus),
        (exponent, modulus[1:]),
    ):
        assert PublicKey.parse(packed(kind, *parts)) is None
    for parts in ((b"", modulus), (b"\0", modulus), (exponent, b"")):
        assert PublicKey.parse(packed(kind, *parts)) is None
    fields = Fields(keygen.public("ecdsa-256"))
    kind, curve, point = fields.string(), fields.string(), fields.string()
    assert PublicKey.parse(packed(kind, curve, point)) is not None
    compressed = bytes([2 + (point[-1] & 1)]) + point[1:33]
    assert PublicKey.parse(packed(kind, curve, compressed)) is None


# ----------------------------------------------- certificates that ssh-keygen would never make

CA_KEY = SecurityKey(SK_ED25519)


def _forged(
    device: SecurityKey,
    *,
    ca: SecurityKey = CA_KEY,
    flags: int = PRESENT,
    use: int = 1,
    principals: bytes = b"",
    critical: bytes = b"",
    extensions: bytes = b"",
    ca_blob: bytes | None = None,
) -> bytes:
    """A certificate of a security key by a security key, whatever is in it."""
    kind = f"{device.kind.removesuffix('@openssh.com')}-cert-v01@openssh.com"
    after_kind = device.blob[4 + len(device.kind) :]
    wide = Raw(bytes(8))
    body = packed(
        *(kind, b"nonce", Raw(after_kind), wide, use, "id", principals or packed("ada")),
        *(
            wide,
            Raw(b"\xff" * 8),
            critical,
            extensions,
            b"",
            ca.blob if ca_blob is None else ca_blob,
        ),
    )
    return packed(Raw(body), ca.sign(body, flags))


@pytest.mark.parametrize("kind", [SK_ED25519, SK_ECDSA])
def test_a_certificate_of_a_security_key_by_a_security_key(kind: str) -> None:
    device = SecurityKey(kind)
    blob = _forged(device)
    algorithm = f"{kind.removesuffix('@openssh.com')}-cert-v01@openssh.com"
    key = LoginKey.parse(algorithm, blob)
    assert key is not None
    assert key.offer.certificate is not None
    assert key.offer.security_key
    assert (key.offer.public, key.offer.certificate.ca) == (device.blob, CA_KEY.blob)
    found = key.verify(device.sign(b"data"), b"data")
    assert found == replace(key.offer, touched=True, proved=True)
    assert key.verify(CA_KEY.sign(b"data"), b"data") is None
    assert certificates.parse(_forged(device, flags=0)) is None  # nobody touched the authority


def test_the_most_that_a_certificate_can_hold() -> None:
    names = [f"person{n}" for n in range(256)]
    certificate = _read(_forged(SecurityKey(), principals=packed(*names)))
    assert certificate.principals == tuple(names)
    assert PublicKey.parse(CA_KEY.blob + bytes(4096)) is None


def _option(name: str, *value: str) -> bytes:
    return packed(name, packed(*value))


@pytest.mark.parametrize(
    "parts",
    [
        {"use": 0},
        {"use": 3},
        {"critical": _option("force-command", "a") + _option("force-command", "b")},
        {"critical": packed("force-command", "")},
        {"critical": _option("force-command", "")},
        {"critical": _option("force-command", "a", "b")},
        {"critical": _option("force-command", "a\0b")},
        {"critical": _option("source-address", "host")},
        {"critical": _option("source-address", "10.0.0.*")},
        {"critical": _option("source-address", "")},
        {"critical": _option("verify-required", "yes")},
        {"critical": packed("verify-required")},
        {"critical": packed(b"\xff", "")},
        {"critical": b"".join(packed(f"o{n}", "") for n in range(65))},
        {"extensions": packed("permit-pty", "") * 2},
        {"principals": packed("ada\0eve")},
        {"principals": packed(*map(str, range(257)))},
        {"principals": b"\0\0\0\x09ada"},
        {"ca_blob": b""},
        {"ca_blob": SecurityKey().blob},
        {"ca_blob": _forged(SecurityKey())},
    ],
)
def test_a_certificate_with_nonsense_is_none(parts: dict[str, object]) -> None:
    assert certificates.parse(_forged(SecurityKey(), **parts)) is None  # type: ignore[arg-type]


@given(st.binary(max_size=300), st.sampled_from([*certificates.KINDS_WITHIN, *ALGORITHMS]))
def test_any_bytes_are_a_key_or_none(data: bytes, kind: str) -> None:
    for blob in (data, packed(kind, Raw(data))):
        certificates.parse(blob)
        PublicKey.parse(blob)
        LoginKey.parse(kind, blob)
