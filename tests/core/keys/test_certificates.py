"""Certificates: whom they let in, and what they take away."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.keys.examples import BLOB, CA, CA_KEY, EVERYTHING, KEY, OFFER, certified, let_in
from tuihost.core.keys.authorized_keys import Unfit, judge, parse
from tuihost.wire import Restrictions


def test_a_certificate_of_a_trusted_authority() -> None:
    assert let_in("", certified(), trusted_cas={CA}) == Restrictions()
    assert let_in("", certified()) is None
    assert let_in("", certified(), trusted_cas={BLOB}) is None


def test_a_certificate_is_no_key_and_a_key_no_certificate() -> None:
    assert let_in(KEY, certified()) is None
    assert let_in(f"cert-authority {KEY}", OFFER) is None
    assert let_in(f"cert-authority {KEY}", certified(ca=CA)) is None
    assert let_in(CA_KEY, certified()) is None  # listed, but not as an authority
    assert let_in("", OFFER, trusted_cas={BLOB}) is None
    assert let_in(f"{KEY}\ncert-authority {CA_KEY}", certified()) == Restrictions()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"for_user": False}, "the certificate is a host's"),
        ({"principals": ("eve",)}, "the certificate is somebody else's"),
        ({"principals": ("Ada", "ada ", "a*")}, "the certificate is somebody else's"),
        ({"principals": ()}, "the certificate is somebody else's"),
        ({"valid_after": 1501}, "the certificate is not valid yet"),
        ({"valid_before": 1500}, "the certificate has expired"),
        ({"valid_after": 2, "valid_before": 1}, "the certificate has expired"),
        ({"unknown_critical": ("x\x1b",)}, "the certificate asks for x·"),
        (
            {"source_addresses": ("10.0.0.0/8",)},
            "the certificate may not be used from this address",
        ),
        ({"source_addresses": ()}, "the certificate may not be used from this address"),
    ],
)
def test_a_certificate_that_does_not_fit(changes: dict[str, Any], reason: str) -> None:
    offer = certified(**changes)
    for text, trusted in (("", (CA,)), (f"cert-authority {CA_KEY}", ())):
        lines = parse(text, "keys").lines
        place = {"peer_address": "192.0.2.7", "now": 1500.0, "user": "ada"}
        assert judge(lines, offer, **place, trusted_cas=trusted) == Unfit(reason)


def test_the_bounds_of_a_certificate() -> None:
    trusted = {"trusted_cas": {CA}}
    assert let_in("", certified(), now=1000, **trusted) is not None
    assert let_in("", certified(), now=1999.9, **trusted) is not None
    near = certified(source_addresses=("192.0.2.0/24",))
    assert let_in("", near, **trusted) is not None
    assert let_in("", near, peer_address="", **trusted) is None
    assert let_in("", certified(source_addresses=("::/0",)), **trusted) is None


def test_principals_of_a_line_take_the_place_of_the_name() -> None:
    line = f'cert-authority,principals="dev,ops" {CA_KEY}'
    assert let_in(line, certified(), user="build") is not None
    assert let_in(line, certified(principals=("ada",))) is None
    assert let_in(line, certified(principals=("dev,ops",))) is None


def test_line_and_certificate_take_away_together() -> None:
    line = f'cert-authority,no-pty,environment="A=1",permitopen="db:1" {CA_KEY}'
    found = let_in(line, certified(extensions=EVERYTHING - {"permit-X11-forwarding"}))
    assert found == Restrictions(
        environment=(("A", "1"),),
        pty=False,
        x11_forwarding=False,
        permit_open=("db:1",),
        limited=True,
    )
    bare = let_in("", certified(extensions=frozenset()), trusted_cas={CA})
    assert bare == Restrictions(
        pty=False, port_forwarding=False, x11_forwarding=False, agent_forwarding=False
    )


def test_commands_of_line_and_certificate() -> None:
    line = f'cert-authority,command="menu" {CA_KEY}'
    forced = certified(force_command="menu")
    found = let_in(line, forced)
    assert found is not None
    assert found.command == "menu"
    assert let_in(line, certified(force_command="other")) is None
    by_certificate = let_in("", forced, trusted_cas={CA})
    assert by_certificate is not None
    assert by_certificate.command == "menu"


def test_a_line_of_an_authority_has_its_own_conditions() -> None:
    line = f'cert-authority,from="10.0.0.1",expiry-time="19700101001000Z" {CA_KEY}'
    assert let_in(line, certified(), peer_address="10.0.0.1", now=1500) is None
    assert let_in(line, certified(valid_after=0), peer_address="10.0.0.1", now=599) is not None
    assert let_in(line, certified(valid_after=0), peer_address="10.0.0.2", now=599) is None


@given(
    st.integers(0, 3000),
    st.integers(0, 3000),
    st.integers(0, 3000),
    st.lists(st.sampled_from(["ada", "eve", ""]), max_size=2),
    st.booleans(),
    st.booleans(),
)
def test_a_certificate_lets_in_only_where_everything_fits(
    after: int, before: int, now: int, principals: list[str], for_user: bool, trusted: bool
) -> None:
    offer = certified(
        valid_after=after, valid_before=before, principals=tuple(principals), for_user=for_user
    )
    expected = after <= now < before and "ada" in principals and for_user and trusted
    found = let_in("", offer, now=now, trusted_cas={CA} if trusted else set())
    assert (found is not None) is expected
