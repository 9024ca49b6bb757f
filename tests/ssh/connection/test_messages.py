"""Whatever a client sends is read, or ends its connection."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.ssh.messages import Raw, packed
from tuihost.errors import PeerError
from tuihost.ssh.connection import _messages as messages
from tuihost.ssh.packets.fields import Fields


@given(st.binary(max_size=200))
def test_modes_take_any_bytes(data: bytes) -> None:
    modes = messages.read_modes(data)
    assert all(1 <= opcode <= 159 and 0 <= value < 2**32 for opcode, value in modes.items())


@given(
    st.sampled_from(["pty-req", "env", "exec", "x11-req", "window-change", "signal", "break"]),
    st.binary(max_size=60),
)
def test_requests_take_any_bytes_or_end_the_connection(name: str, rest: bytes) -> None:
    try:
        asked = messages.read_channel_request(Fields(packed(name, True, Raw(rest))))
    except PeerError:
        return
    assert asked.name == name


@given(st.binary(max_size=80))
def test_openings_and_global_requests_take_any_bytes_or_end_the_connection(data: bytes) -> None:
    for read in (messages.read_open, messages.read_global_request, messages.read_host_keys):
        try:
            read(Fields(data))
        except PeerError:
            continue
