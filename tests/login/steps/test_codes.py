"""Codes: what RFC 4226 and 6238 say, what people type, and pictures that fit."""

from __future__ import annotations

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuihost.login.steps.codes import (
    base32,
    grouped,
    invite_code,
    invite_hash,
    new_totp_secret,
    recovery_codes,
    recovery_hash,
    totp_code,
    totp_counter,
    totp_match,
    totp_uri,
)

RFC_SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("counter", "code"),
    [(0, "755224"), (1, "287082"), (2, "359152"), (3, "969429"), (9, "520489")],
)
def test_the_codes_of_rfc_4226_appendix_d(counter: int, code: str) -> None:
    assert totp_code(RFC_SECRET, counter) == code


@pytest.mark.parametrize(
    ("time", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_codes_of_rfc_6238_appendix_b(time: int, code: str) -> None:
    # They have eight digits there; six are their last six.
    assert totp_code(RFC_SECRET, totp_counter(time)) == code


@given(st.binary(min_size=16, max_size=32), st.integers(0, 2**33))
def test_another_implementation_makes_the_same_codes(secret: bytes, now: int) -> None:
    other = pyotp.TOTP(base32(secret))
    assert totp_code(secret, totp_counter(now)) == other.at(now)


@pytest.mark.parametrize(
    ("offset", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_the_window_is_one_period_on_either_side(offset: int, good: bool) -> None:
    now = 1_800_000_015.0
    counter = totp_counter(now) + offset
    assert totp_match(RFC_SECRET, totp_code(RFC_SECRET, counter), now) == (
        counter if good else None
    )


@pytest.mark.parametrize("typed", ["755 224", " 755224 ", "7 5 5 2 2 4"])
def test_spaces_in_a_code_are_nothing(typed: str) -> None:
    assert totp_match(RFC_SECRET, typed, 0.0) == 0


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "75522",
        "7552244",
        "75522a",
        "-55224",
        "+55224",
        "7_5224",
        "７５５２２４",  # fullwidth digits, which str.isdigit and int take
        "٧٥٥٢٢٤",
        "75522\u00b2",
        "755224\n",
        "755224\0",
        "755\u00a0224",
        "755224" + " " * 100,
        "\udcff55224",
    ],
)
def test_what_is_no_code_is_none(typed: str) -> None:
    assert totp_match(RFC_SECRET, typed, 0.0) is None


def test_before_1970_there_is_one_period() -> None:
    assert totp_match(RFC_SECRET, totp_code(RFC_SECRET, 0), -1000.0) == 0


def test_recovery_codes_are_many_different_and_easy_to_type() -> None:
    codes = recovery_codes()
    assert len(set(codes)) == 10
    first = codes[0]
    assert len(first) == 11
    kept = recovery_hash("ada", first)
    for typed in (first.lower(), first.replace("-", ""), f" {first} ", first.replace("-", " ")):
        assert recovery_hash("ada", typed) == kept
    assert recovery_hash("ada", "OIL00-00000") == recovery_hash("ada", "01100 00000")
    assert recovery_hash("eve", first) != kept
    assert recovery_hash("ada", codes[1]) != kept
    assert first.replace("-", "").encode() not in kept


@pytest.mark.parametrize("typed", ["", " ", "-", "ÄÖ", "\0", "\udcff", "U" * 11, "x" * 5000])
def test_no_typed_nonsense_is_a_code(typed: str) -> None:
    codes = {recovery_hash("ada", one) for one in recovery_codes()}
    assert recovery_hash("ada", typed) not in codes
    assert invite_hash(typed) not in codes


def test_invitations_are_longer() -> None:
    code = invite_code()
    assert len(code) == 19
    assert code != invite_code()
    assert invite_hash(code) == invite_hash(code.lower().replace("-", " "))
    assert invite_hash(code) != recovery_hash("", code)


def test_a_secret_as_people_and_apps_read_it() -> None:
    secret = new_totp_secret()
    assert len(base32(secret)) == 32
    assert grouped(base32(secret)).count(" ") == 7
    uri = totp_uri(secret, "ada", "tuihost: demo")
    parsed = pyotp.parse_uri(uri)
    assert (parsed.name, parsed.issuer) == ("ada", "tuihost  demo")
    assert parsed.secret == base32(secret)
    assert totp_uri(secret, "a&b?c", "x/y").count("?") == 1
