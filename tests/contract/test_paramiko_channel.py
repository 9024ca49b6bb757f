"""What the connection layer relies on in paramiko: one fact a test."""

from __future__ import annotations

import inspect
import socket
from typing import Any

import paramiko
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from paramiko import common

from tuihost.ssh.connection import _messages as messages
from tuihost.ssh.connection.layer import ConnectionLayer

# What Python puts into every class, from 3.13 on the last two.
PYTHONS = {"__module__", "__doc__", "__annotations__", "__dict__", "__weakref__"}
PYTHONS |= {"__firstlineno__", "__static_attributes__"}


def own_names(kind: type) -> set[str]:
    """What a class defines, and what its methods set on themselves."""
    names = set(vars(kind)) - PYTHONS
    for member in vars(kind).values():
        if inspect.isfunction(member):
            source = inspect.getsource(member)
            names |= {
                word.split("self.")[1].split("=")[0].split(":")[0].strip()
                for word in source.splitlines()
                if word.strip().startswith("self.") and ("=" in word or ":" in word)
            }
    return {name for name in names if name.isidentifier()}


def test_the_layers_names_are_free_in_paramikos_transport() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        transport = paramiko.Transport(ours)
        taken = own_names(ConnectionLayer) & (set(dir(transport)) | set(vars(transport)))
    assert taken == set()


def test_a_channel_of_paramikos_that_is_collected_is_closed_there_and_then() -> None:
    """Why ours is none of its own: any thread may be the one that collects."""
    closed: list[bool] = []

    class Channel(paramiko.Channel):  # type: ignore[misc]
        def close(self) -> None:
            closed.append(True)

    Channel(1).__del__()
    assert closed


def test_paramikos_own_map_of_channels_does_not_keep_them() -> None:
    """Why the layer has one of its own, under the same name."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        transport = paramiko.Transport(ours)
        transport._channels.put(1, paramiko.Channel(1))
        assert transport._channels.get(1) is None


def test_a_message_gives_what_is_left_and_takes_any_buffer() -> None:
    message = paramiko.Message(b"\0\0\0\7rest")
    assert message.get_int() == 7
    assert message.get_remainder() == message.get_remainder() == b"rest"
    message = paramiko.Message()
    message.add_bytes(memoryview(b"xabcx")[1:4])
    assert message.asbytes() == b"abc"


def test_a_message_pads_what_is_missing_with_zeros() -> None:
    """Why fields are read by `Fields`."""
    assert paramiko.Message(b"\1").get_int() == 0x01000000


def test_an_rsa_key_signs_with_the_algorithm_it_is_given() -> None:
    key = paramiko.RSAKey(key=generate_private_key(65537, 2048))
    assert key.get_name() == "ssh-rsa"
    signature = paramiko.Message(key.sign_ssh_data(b"data", "rsa-sha2-512").asbytes())
    assert signature.get_text() == "rsa-sha2-512"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (messages.GLOBAL_REQUEST, common.MSG_GLOBAL_REQUEST),
        (messages.REQUEST_SUCCESS, common.MSG_REQUEST_SUCCESS),
        (messages.REQUEST_FAILURE, common.MSG_REQUEST_FAILURE),
        (messages.CHANNEL_OPEN, common.MSG_CHANNEL_OPEN),
        (messages.CHANNEL_OPEN_CONFIRMATION, common.MSG_CHANNEL_OPEN_SUCCESS),
        (messages.CHANNEL_OPEN_FAILURE, common.MSG_CHANNEL_OPEN_FAILURE),
        (messages.CHANNEL_WINDOW_ADJUST, common.MSG_CHANNEL_WINDOW_ADJUST),
        (messages.CHANNEL_DATA, common.MSG_CHANNEL_DATA),
        (messages.CHANNEL_EXTENDED_DATA, common.MSG_CHANNEL_EXTENDED_DATA),
        (messages.CHANNEL_EOF, common.MSG_CHANNEL_EOF),
        (messages.CHANNEL_CLOSE, common.MSG_CHANNEL_CLOSE),
        (messages.CHANNEL_REQUEST, common.MSG_CHANNEL_REQUEST),
        (messages.CHANNEL_SUCCESS, common.MSG_CHANNEL_SUCCESS),
        (messages.CHANNEL_FAILURE, common.MSG_CHANNEL_FAILURE),
    ],
)
def test_the_numbers_of_messages(ours: int, theirs: Any) -> None:
    assert ours == theirs
