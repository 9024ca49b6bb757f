"""What the transport relies on in paramiko, one fact a test: a new version speaks up here first."""

from __future__ import annotations

import inspect
import socket
import threading
from collections.abc import Iterator

import paramiko
import pytest
from paramiko.auth_handler import AuthHandler
from paramiko.kex_curve25519 import KexCurve25519
from paramiko.kex_mlkem import KexMLKEM768X25519
from paramiko.transport import Transport

from tuihost.ssh._server_interface import RefusingServer
from tuihost.ssh.packets.stream import PacketStream
from tuihost.ssh.transport import HostTransport


@pytest.fixture
def transport() -> Iterator[Transport]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Transport(ours, packetizer_class=PacketStream)


def test_the_version_is_the_one_that_was_read() -> None:
    assert paramiko.__version__.startswith("5.1.")


def test_no_is_yes_to_paramiko() -> None:
    """Why every result is an enum and never a bool."""
    assert paramiko.AUTH_SUCCESSFUL == False  # noqa: E712
    assert paramiko.OPEN_SUCCEEDED == False  # noqa: E712


def test_a_message_pads_with_zeros_past_its_end() -> None:
    """Why `Fields` reads instead."""
    message = paramiko.Message(b"\x01")
    assert message.get_int() == 0x01000000
    assert message.get_string() == b""


def test_the_packetizer_may_be_another(transport: Transport) -> None:
    assert isinstance(transport.packetizer, PacketStream)


def test_the_ciphers_are_set_by_these_names() -> None:
    for name in ("set_outbound_cipher", "set_inbound_cipher"):
        theirs = inspect.signature(getattr(paramiko.Packetizer, name))
        ours = inspect.signature(getattr(PacketStream, name))
        assert list(ours.parameters) == list(theirs.parameters)


def test_a_transport_is_a_daemon_thread_that_has_not_started(transport: Transport) -> None:
    assert isinstance(transport, threading.Thread)
    assert transport.daemon
    assert not transport.is_alive()


@pytest.mark.parametrize(
    "name",
    [
        "_activate_inbound",
        "_activate_outbound",
        "_add_K",
        "_compute_key",
        "_expect_packet",
        "_log",
        "_negotiate_keys",
        "_parse_kex_init",
        "_parse_newkeys",
        "_send_kex_init",
        "_send_message",
        "_send_user_message",
        "_set_K_H",
        "close",
        "get_server_key",
        "run",
        "stop_thread",
    ],
)
def test_a_method_that_is_used_or_replaced_is_there(name: str) -> None:
    theirs = inspect.signature(getattr(Transport, name))
    if name != "close":  # which is paramiko's with more parameters
        ours = inspect.signature(getattr(HostTransport, name))
        assert len(ours.parameters) == len(theirs.parameters)


@pytest.mark.parametrize(
    "name",
    [
        "H",
        "K",
        "_expected_packet",
        "_handler_table",
        "_kex_info",
        "_cipher_info",
        "active",
        "agreed_on_strict_kex",
        "auth_handler",
        "authenticated",
        "clear_to_send",
        "clear_to_send_lock",
        "host_key_type",
        "initial_kex_done",
        "kex_engine",
        "local_cipher",
        "local_compression",
        "local_kex_init",
        "local_mac",
        "local_version",
        "remote_kex_init",
        "remote_version",
        "server_key_dict",
        "server_mode",
        "server_object",
        "server_sig_algs",
        "session_id",
        "sock",
    ],
)
def test_an_attribute_that_is_used_is_there(name: str, transport: Transport) -> None:
    assert hasattr(transport, name)


@pytest.mark.parametrize(
    "name", ["preferred_kex", "preferred_ciphers", "preferred_macs", "preferred_pubkeys"]
)
def test_the_lists_of_algorithms_are_read_through_these(name: str) -> None:
    assert isinstance(vars(Transport)[name], property)


def test_the_agreement_sets_what_activating_the_keys_reads() -> None:
    source = inspect.getsource(Transport._activate_outbound)
    for name in ("_remote_ext_info", "local_cipher", "local_mac", "_expect_packet(MSG_NEWKEYS)"):
        assert name in source


def test_negotiating_reads_the_offer_and_starts_the_exchange() -> None:
    source = inspect.getsource(Transport._negotiate_keys)
    parse, start = source.index("_parse_kex_init"), source.index("kex_engine.start_kex")
    assert parse < start
    assert "self._send_kex_init()" in source


def test_newkeys_lets_senders_go_at_its_end() -> None:
    source = inspect.getsource(Transport._parse_newkeys)
    assert source.index("_activate_inbound") < source.index("clear_to_send.set")


@pytest.mark.parametrize("engine", [KexCurve25519, KexMLKEM768X25519])
def test_a_key_exchange_of_a_server_waits_for_message_30(engine: type) -> None:
    class Fake:
        server_mode = True
        expected: tuple[int, ...] = ()

        def _expect_packet(self, *numbers: int) -> None:
            self.expected = numbers

    fake = Fake()
    engine(fake).start_kex()
    assert fake.expected == (30,)
    assert engine.hash_algo().digest_size == 32  # type: ignore[attr-defined]


def test_the_auth_handler_keeps_no_strong_hold_of_its_transport(transport: Transport) -> None:
    handler = AuthHandler(transport)
    assert handler.transport is not transport
    assert handler.get_username.__self__ is handler
    assert hasattr(handler, "auth_username")
    assert hasattr(handler, "authenticated")


def test_every_callback_of_the_server_interface_is_answered() -> None:
    asked = {name for name in vars(paramiko.ServerInterface) if not name.startswith("__")}
    assert len(asked) == 20, "a new one?"
    assert asked <= vars(RefusingServer).keys()


def test_paramikos_list_of_threads_is_filled_by_its_own_run_alone() -> None:
    assert "_active_threads.append" in inspect.getsource(Transport.run)
    assert "_active_threads" not in inspect.getsource(Transport.__init__)


def test_the_packetizer_is_told_of_the_first_keys_under_this_name() -> None:
    assert "packetizer._initial_kex_done = True" in inspect.getsource(Transport._parse_newkeys)
