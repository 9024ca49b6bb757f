"""The first message of an X11 connection, the cookies in it, and who may ask for a display."""

from __future__ import annotations

import struct
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuihost.core.session_channel import SessionMachine
from tuihost.core.x11_setup import COOKIE, MAX_SETUP, cookie_of, read_setup, xauthority
from tuihost.wire import AgentRequest, Grant, Refuse, ShellRequest, X11Request

NAME = COOKIE.encode()
OURS, THEIRS = bytes(range(16)), bytes(range(16, 32))


def setup(cookie: bytes, order: Literal["little", "big"] = "little", name: bytes = NAME) -> bytes:
    code, mark = ("<", b"l") if order == "little" else (">", b"B")
    head = mark + b"\0" + struct.pack(f"{code}HHHHxx", 11, 0, len(name), len(cookie))
    return head + name + b"\0" * (-len(name) % 4) + cookie + b"\0" * (-len(cookie) % 4)


@pytest.mark.parametrize("order", ["little", "big"])
def test_a_cookie_is_checked_and_replaced(order: Literal["little", "big"]) -> None:
    data = setup(OURS, order)
    found = read_setup(data + b"more")
    assert found is not None
    assert found.length == len(data)
    assert found.shows(OURS)
    assert not found.shows(THEIRS)
    assert not found.shows(OURS[:-1])
    assert found.with_cookie(THEIRS) == setup(THEIRS, order)
    assert found.with_cookie(b"odd") == setup(b"odd", order)


def test_it_may_come_in_pieces() -> None:
    data = setup(OURS)
    assert all(read_setup(data[:length]) is None for length in range(len(data)))


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n", b"\0" * 12, setup(bytes(2000))[:12]])
def test_what_is_no_x_client_is_told_apart(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"not an X client|too long"):
        read_setup(data)


def test_a_first_message_has_a_bound() -> None:
    room = MAX_SETUP - len(setup(b""))
    assert read_setup(setup(bytes(room))) is not None
    with pytest.raises(ValueError, match="too long"):
        read_setup(setup(bytes(room + 1)))


@given(st.binary(max_size=80))
def test_no_bytes_break_the_reading(data: bytes) -> None:
    try:
        found = read_setup(data)
    except ValueError:
        return
    assert found is None or (found.length <= len(data) and not found.shows(OURS))


def test_other_kinds_of_proof_do_not_count() -> None:
    found = read_setup(setup(OURS, name=b"XDM-AUTHORIZATION-1"))
    assert found is not None
    assert not found.shows(OURS)


def test_a_refusal_is_one_that_x_clients_read() -> None:
    found = read_setup(setup(OURS, "big"))
    assert found is not None
    said = found.refusal("no")
    assert said == b"\0\x02\0\x0b\0\0\0\x01no\0\0"


def test_the_file_of_cookies() -> None:
    assert xauthority(OURS) == (
        b"\xff\xff" + b"\0\0" + b"\0\0" + b"\0\x12" + NAME + b"\0\x10" + OURS
    )


def test_cookies_are_hexadecimal() -> None:
    assert cookie_of(COOKIE, THEIRS.hex()) == THEIRS
    for protocol, text in (
        ("XDM-AUTHORIZATION-1", THEIRS.hex()), (COOKIE, ""), (COOKIE, "xy"), (COOKIE, "123"),
        (COOKIE, "ab cd"), (COOKIE, "ab" * 65), (COOKIE, "٣٣"),
    ):  # fmt: skip
        assert cookie_of(protocol, text) is None


def test_a_session_has_one_display_before_its_program() -> None:
    asked = X11Request(False, COOKIE, THEIRS.hex(), 1)
    machine = SessionMachine(())
    assert machine.decide(asked) == Grant()
    assert machine.x11 == asked
    assert isinstance(machine.decide(asked), Refuse)
    assert machine.decide(AgentRequest()) == Grant()
    assert machine.agent
    assert machine.decide(ShellRequest()) == Grant()
    late = SessionMachine(())
    late.decide(ShellRequest())
    assert isinstance(late.decide(asked), Refuse)
    assert isinstance(late.decide(AgentRequest()), Refuse)
    assert not late.agent


@pytest.mark.parametrize(
    "asked",
    [X11Request(False, "XDM-AUTHORIZATION-1", "00", 0), X11Request(False, COOKIE, "00", 2**31)],
)
def test_what_nobody_knows_is_refused(asked: X11Request) -> None:
    machine = SessionMachine(())
    assert isinstance(machine.decide(asked), Refuse)
    assert machine.x11 is None
