"""A public key that a client names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.core.keys.examples import BLOB, CA, KEY, KIND, OFFER, SK_OFFER, certified
from tuihost.core.keys.offers import (
    KINDS,
    SK_ECDSA,
    SK_ED25519,
    KeyOffer,
    NothingRevoked,
    fingerprint,
    is_security_key,
)


def test_a_fingerprint_is_written_as_openssh_writes_it() -> None:
    assert fingerprint(b"") == "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"


@pytest.mark.parametrize("kind", KINDS)
def test_security_keys_are_known_by_their_kind(kind: str) -> None:
    expected = kind in (SK_ED25519, SK_ECDSA)
    assert is_security_key(kind) is expected
    assert KeyOffer(kind, b"", "").security_key is expected


def test_a_key_is_the_same_with_a_certificate_and_without() -> None:
    with_certificate = certified()
    assert with_certificate.public == OFFER.public == BLOB
    assert with_certificate.blob != OFFER.blob, "a certificate never equals a key that is listed"
    assert with_certificate.line == OFFER.line == KEY
    assert OFFER.line.split()[0] == KIND


def test_what_a_security_key_said_is_no_part_of_the_key() -> None:
    touched = replace(SK_OFFER, proved=True, touched=True, verified=True)
    assert touched.public == SK_OFFER.public


def test_a_host_without_a_list_has_revoked_nothing() -> None:
    for offer in (OFFER, certified(), certified(ca=CA)):
        assert not NothingRevoked().covers(offer)
