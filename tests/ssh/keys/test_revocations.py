"""Revoked keys: lists by ssh-keygen, on which both must say the same, and lists that are none."""

from __future__ import annotations

import base64
import hashlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ssh.keys.key_tools import Keygen, SecurityKey, number
from tests.ssh.messages import Raw, packed
from tests.waiting import allowed
from tuihost.core.keys.authorized_keys import Unfit, judge
from tuihost.core.keys.certificates import Certificate
from tuihost.core.keys.offers import KeyOffer, fingerprint
from tuihost.ssh.keys.login_keys import LoginKey
from tuihost.ssh.keys.revocations import MAGIC, RevocationError, RevokedKeys, read_revocations

BLOB = SecurityKey().blob
OFFER = KeyOffer("ssh-ed25519", BLOB, fingerprint(BLOB))
HEADER = Raw(MAGIC + bytes(3) + b"\1" + bytes(24) + bytes(8))


@pytest.fixture(scope="module")
def keygen(tmp_path_factory: pytest.TempPathFactory) -> Keygen:
    made = Keygen.found(tmp_path_factory.mktemp("krl"))
    for name in ("ca", "other", "gone", "one", "two", "three", "four"):
        made.key(name)
    return made


class Compared:
    """A list of ours and `ssh-keygen -Q` on the same file."""

    def __init__(self, keygen: Keygen, *spec: str) -> None:
        self.keygen = keygen
        (keygen.folder / "spec").write_text("\n".join(spec) + "\n")
        keygen.run("-k", "-f", "krl", "-s", "ca.pub", "-z", "3", "spec")
        self.revoked = read_revocations((keygen.folder / "krl").read_bytes())

    def covers(self, name: str, blob: bytes, algorithm: str = "ssh-ed25519") -> bool:
        line = f"{algorithm} {base64.b64encode(blob).decode()} {name}\n"
        (self.keygen.folder / "asked.pub").write_text(line)
        said = self.keygen.run("-Q", "-f", "krl", "asked.pub", check=False)
        assert "REVOKED" in said or "ok" in said, said
        key = LoginKey.parse(algorithm, blob)
        assert key is not None
        assert self.revoked.covers(key.offer) is ("REVOKED" in said), name
        return self.revoked.covers(key.offer)

    def covers_certificate(self, name: str, ca: str, serial: int = 0) -> bool:
        blob = self.keygen.certify(name, ca, "-z", str(serial))
        return self.covers(f"{name} {ca} {serial}", blob, "ssh-ed25519-cert-v01@openssh.com")


def test_keys_and_their_digests(keygen: Keygen) -> None:
    compared = Compared(
        keygen,
        f"key: {keygen.line('one')}",
        f"sha1: {keygen.line('two')}",
        f"sha256: {keygen.line('three')}",
        f"key: {keygen.line('gone')}",
    )
    for name in ("one", "two", "three"):
        assert compared.covers(name, keygen.public(name))
        assert compared.covers_certificate(name, "ca")
    assert not compared.covers("four", keygen.public("four"))
    assert not compared.covers_certificate("four", "other")
    assert compared.covers_certificate("four", "gone")  # by an authority that is revoked


def test_certificates_by_their_numbers_and_names(keygen: Keygen) -> None:
    compared = Compared(
        keygen,
        *("serial: 1", "serial: 5", "serial: 10-20", "id: two@ca", f"serial: {2**63}"),
        *(f"serial: {n}" for n in range(1000, 1100, 3)),
    )
    assert not compared.covers("one", keygen.public("one"))
    assert not compared.covers_certificate("one", "ca", 0)
    assert compared.covers_certificate("two", "ca", 0)
    assert not compared.covers_certificate("two", "other", 0)
    for serial in (1, 5, 10, 11, 20, 1000, 1003, 1099, 2**63):
        assert compared.covers_certificate("one", "ca", serial), serial
    assert not compared.covers_certificate("one", "other", 5)
    for serial in (2, 9, 21, 999, 1001, 1100, 2**63 - 1, 2**64 - 1):
        assert not compared.covers_certificate("one", "ca", serial), serial


def test_an_empty_list(keygen: Keygen) -> None:
    assert not Compared(keygen).covers("one", keygen.public("one"))


def test_a_certificate_itself_can_be_revoked(keygen: Keygen) -> None:
    blob = keygen.certify("one", "ca", "-z", "300")
    keygen.run("-k", "-f", "krl", "one-cert.pub")
    revoked = read_revocations((keygen.folder / "krl").read_bytes())
    key = LoginKey.parse("ssh-ed25519-cert-v01@openssh.com", blob)
    assert key is not None
    assert revoked.covers(key.offer)
    place = {"peer_address": "127.0.0.1", "now": time.time(), "user": "ada"}
    trusted = {keygen.public("ca")}
    assert not isinstance(judge((), key.offer, **place, trusted_cas=trusted), Unfit)
    found = judge((), key.offer, **place, trusted_cas=trusted, revoked=revoked)
    assert found == Unfit("the key is revoked")


# ----------------------------------------------------------------------- lists made by hand


def _list(*sections: object) -> RevokedKeys:
    return read_revocations(packed(HEADER, *sections))


def _section(kind: int, *parts: object) -> Raw:
    return Raw(bytes([kind]) + packed(packed(*parts)))


def _of_authority(*parts: object, ca: bytes = b"ca") -> Raw:
    return _section(1, ca, b"", *parts)


def _certified(serial: int = 0, key_id: str = "", ca: bytes = b"ca") -> KeyOffer:
    certificate = Certificate(public=BLOB, ca=ca, serial=serial, key_id=key_id)
    return KeyOffer("ssh-ed25519", b"cert", OFFER.fingerprint, certificate)


def _wide(value: int) -> Raw:
    return Raw(value.to_bytes(8, "big"))


def test_an_authority_without_a_name_is_every_one() -> None:
    found = _list(_of_authority(_section(0x20, _wide(7)), ca=b""))
    assert found.covers(_certified(7, ca=b"any"))
    assert not found.covers(_certified(8, ca=b"any"))


def test_number_zero_is_the_number_of_none() -> None:
    found = _list(
        _of_authority(
            _section(0x20, _wide(0)),
            _section(0x21, _wide(0), _wide(3)),
            _section(0x22, _wide(0), number(0b1)),
        )
    )
    assert not found.covers(_certified(0))
    assert found.covers(_certified(3))


def test_extensions_are_passed_over_unless_they_must_not_be() -> None:
    fine = _section(255, "x", False, b"y")
    inner = _of_authority(_section(0x39, "x", False, b"y"), _section(0x23, "bad"))
    found = _list(fine, inner)
    assert found.covers(_certified(key_id="bad"))
    for critical in (_section(255, "x", True, b""), _of_authority(_section(0x39, "x", True, b""))):
        with pytest.raises(RevocationError, match="must be honoured"):
            _list(critical)


@pytest.mark.parametrize(
    "data",
    [
        MAGIC,
        packed(Raw(MAGIC), 2, Raw(bytes(32))),
        packed(HEADER, Raw(b"\x04"), b"key", b"signature"),
        packed(HEADER, _section(6, b"x")),
        packed(HEADER, Raw(b"\x02\xff\xff\xff\xff")),
        packed(HEADER, _section(2, Raw(b"\0\0\0\x09x"))),
        packed(HEADER, _section(3, b"x" * 19)),
        packed(HEADER, _section(5, b"x" * 20)),
        packed(HEADER, _of_authority(_section(0x24, b"x"))),
        packed(HEADER, _of_authority(_section(0x20, Raw(b"1234567")))),
        packed(HEADER, _of_authority(_section(0x21, _wide(5), _wide(4)))),
        packed(HEADER, _of_authority(_section(0x21, _wide(4), _wide(5), _wide(5)))),
        packed(HEADER, _of_authority(_section(0x22, _wide(4), b"\xff"))),
        packed(HEADER, _of_authority(_section(0x22, _wide(4), bytes(70_000)))),
        packed(HEADER, _of_authority(_section(0x22, _wide(4), b"\x01", b"more"))),
        b"\xff\xfe",
        b"nonsense",
        b"SHA256:short",
        b"SHA256:" + b"!" * 43,
        b"ssh-dss AAAA",
        b"no-such-option ssh-ed25519 AAAA",
    ],
)
def test_a_list_that_cannot_be_read_in_full_is_none(data: bytes) -> None:
    with pytest.raises(RevocationError, match=r".+") as caught:
        read_revocations(data)
    assert str(caught.value).isprintable()


def test_a_list_in_plain_text() -> None:
    device, other = SecurityKey(), SecurityKey()
    text = f"# lost\r\n\n{device.line}\n{fingerprint(other.blob)} the one in the river\n"
    found = read_revocations(text.encode())
    for blob, covered in ((device.blob, True), (other.blob, True), (BLOB, False)):
        assert found.covers(KeyOffer("x", blob, fingerprint(blob))) is covered
    assert not read_revocations(b"").covers(OFFER)
    by_authority = Certificate(public=BLOB, ca=device.blob)
    assert found.covers(KeyOffer("x", b"cert", "", by_authority))


def test_a_list_in_plain_text_has_the_forms_of_other_files_of_keys() -> None:
    device = SecurityKey()
    coded = base64.b64encode(device.blob).decode()
    block = f"---- BEGIN SSH2 PUBLIC KEY ----\n{coded}\n---- END SSH2 PUBLIC KEY ----\n"
    for text in (f"\ufeff{device.line}\n", block):
        assert read_revocations(text.encode()).covers(KeyOffer("x", device.blob, "x"))
    for data, said in (
        (device.line.encode("utf-16"), "and it is UTF-16 text; save it as UTF-8"),
        (b"-----BEGIN PUBLIC KEY-----\n", "and it is a public key in PEM; "),
        (b"\xff\xff", "and it is not UTF-8 text"),
    ):
        with pytest.raises(RevocationError, match=said):
            read_revocations(data)


def test_a_long_list_is_read_and_asked_quickly() -> None:
    digests = b"".join(packed(hashlib.sha256(b"%d" % n).digest()) for n in range(50_000))
    began = time.perf_counter()
    found = _list(_section(5, Raw(digests)), _section(2, BLOB))
    assert found.covers(OFFER)
    assert time.perf_counter() - began < allowed(2.0)


@given(st.binary(max_size=200), st.integers(0, 200), st.integers(0, 255))
def test_any_bytes_are_a_list_or_an_error(data: bytes, at: int, value: int) -> None:
    whole = packed(
        HEADER,
        _section(2, BLOB),
        _section(3, b"x" * 20),
        _of_authority(_section(0x21, _wide(4), _wide(5)), _section(0x22, _wide(9), number(5))),
    )
    changed = bytearray(whole)
    changed[at % len(whole)] = value
    for blob in (data, MAGIC + data, packed(HEADER, Raw(data)), bytes(changed), whole[:at]):
        try:
            found = read_revocations(blob)
        except RevocationError:
            continue
        found.covers(OFFER)
        found.covers(_certified(5))
