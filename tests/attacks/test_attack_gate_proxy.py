"""The true source behind a proxy: it is what counts, and only a trusted proxy can name it."""

from __future__ import annotations

import csv
import os
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.attacks.gate_host import STRANGERS, Listening, last_words, listening, log_in
from tests.process_state import seconds_worked, threads
from tests.waiting import DEADLINE, allowed, until
from tuihost.host.gate import proxied as introductions
from tuihost.host.gate._proxy_protocol import SIGNATURE

BEHIND = {**STRANGERS, "sources.proxies": ["127.0.0.1"]}


def header(source: str) -> bytes:
    addresses = socket.inet_aton(source) + bytes(4) + struct.pack("!HH", 50_000, 22)
    return SIGNATURE + b"\x21\x11\x00\x0c" + addresses


def peers(host: Listening) -> list[str]:
    return [fields["peer"].address for fields in host.log.named("conn.open")]


def test_the_header_of_a_stranger_names_nobody() -> None:
    with listening(BEHIND) as host, host.call("127.0.0.5") as sock:
        sock.sendall(header("192.0.2.1"))
        last_words(sock)
        assert peers(host) == ["127.0.0.5"]


def test_without_trusted_proxies_nobody_is_believed() -> None:
    with listening(STRANGERS) as host, host.call() as sock:
        sock.sendall(header("192.0.2.1"))
        last_words(sock)
        assert peers(host) == ["127.0.0.1"]


def test_a_trusted_proxy_must_name_somebody() -> None:
    with listening(BEHIND) as host, host.call() as sock:
        sock.sendall(b"SSH-2.0-OpenSSH_9.2p1\r\n")
        assert last_words(sock) == b""
        assert host.log.wait_for("conn.refused")["reason"] == "the proxy sent no PROXY header"
        assert peers(host) == []


def test_who_comes_through_a_proxy_waits_alone() -> None:
    with listening(BEHIND) as host:

        def call(source: str) -> socket.socket:
            sock = host.call()
            sock.sendall(header(source))
            return sock

        for _ in range(20):
            with call("192.0.2.1") as sock:
                sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
                last_words(sock)
        assert host.log.wait_for("source.waits")["source"] == "192.0.2.1"
        with call("192.0.2.1") as sock:
            assert last_words(sock) == b"Not allowed at this time\r\n"
        assert log_in(lambda: call("192.0.2.2")) < allowed(1.0)
        assert host.log.wait_for("auth.ok")["user"] == "ada"


@pytest.mark.parametrize("exempt", [["::1/128"], ["127.0.0.0/8"]])
@pytest.mark.parametrize("nameless", [b"PROXY UNKNOWN\r\n", SIGNATURE + b"\x21\0\0\0"])
def test_whom_a_proxy_cannot_name_waits(nameless: bytes, exempt: list[str]) -> None:
    with listening({**BEHIND, "sources.exempt": exempt}) as host:
        for _ in range(20):
            with host.call() as sock:
                sock.sendall(nameless + b"GET / HTTP/1.1\r\n\r\n")
                last_words(sock)
        assert host.log.wait_for("source.waits")["source"] == "127.0.0.1"


def test_silent_proxies_keep_nobody_out_and_cost_no_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(introductions, "HEADER_TIMEOUT", 0.5)
    with listening(BEHIND) as host, ExitStack() as stack:
        before = threads()
        silent = [stack.enter_context(host.call()) for _ in range(200)]
        for sock in silent[::2]:
            sock.sendall(b"PROXY TCP4 192.")
        assert host.enter("127.0.0.2") < allowed(1.0)
        until(lambda: not threads() - before, "every thread to end")
        start, used = time.monotonic(), seconds_worked(host.accepting)
        for sock in silent:
            assert last_words(sock) == b""
        assert time.monotonic() - start < allowed(2.0)
        assert seconds_worked(host.accepting) - used < 0.3, "the accept loop spins"
        assert host.server.gate.connections == 0


def test_a_check_of_health_is_answered_and_never_waits() -> None:
    local = SIGNATURE + b"\x20\x00\x00\x00"
    with listening(BEHIND) as host:
        for _ in range(100):
            with host.call() as sock:
                sock.sendall(local)
                sock.settimeout(DEADLINE)
                assert sock.recv(8) == b"SSH-2.0-"
        host.wait_unfinished(0)
        assert host.log.named("source.waits") == []


# ------------------------------------------------------------------------------ a real HAProxy

CONFIG = """
global
    stats socket {stats} mode 600
defaults
    mode tcp
    timeout connect 5s
    timeout client 1m
    timeout server 1m
frontend ssh
    bind fd@{fd}
    default_backend host
backend host
    option tcp-check
    tcp-check expect rstring ^SSH-2\\.0-
    server host 127.0.0.1:{port} {send} check check-send-proxy inter 200
"""


@contextmanager
def haproxy(path: str, folder: Path, host: Listening, send: str) -> Iterator[tuple[str, int]]:
    """HAProxy in front of a host; where it listens."""
    with socket.create_server(("127.0.0.1", 0)) as front:
        config = folder / "haproxy.cfg"
        names = {"stats": folder / "stats", "fd": front.fileno(), "port": host.port, "send": send}
        config.write_text(CONFIG.format(**names))
        process = subprocess.Popen(
            [path, "-db", "-q", "-f", str(config)], pass_fds=(front.fileno(),), cwd=folder
        )
        try:
            yield front.getsockname()
        finally:
            process.terminate()
            process.wait(DEADLINE)


def state(folder: Path) -> dict[str, str]:
    """What HAProxy thinks of its one server."""
    with suppress(OSError), closing(socket.socket(socket.AF_UNIX)) as sock:
        sock.settimeout(DEADLINE)
        sock.connect(os.fspath(folder / "stats"))
        sock.sendall(b"show stat\n")
        text = b"".join(iter(lambda: sock.recv(65536), b"")).decode()
        for row in csv.DictReader(text.removeprefix("# ").splitlines()):
            if row["svname"] == "host":
                return row
    return {}


@pytest.mark.parametrize("send", ["send-proxy", "send-proxy-v2", "send-proxy-v2-ssl-cn"])
def test_behind_haproxy_the_true_source_counts(
    send: str, tmp_path: Path, program: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin")
    path = program("haproxy")
    with listening(BEHIND) as host, haproxy(path, tmp_path, host, send) as address:

        def call(source: str) -> socket.socket:
            return socket.create_connection(address, DEADLINE, source_address=(source, 0))

        until(
            lambda: state(tmp_path).get("check_status") == "L7OK",
            "haproxy to find the host well",
            shown=lambda: str(state(tmp_path)),
        )
        assert log_in(lambda: call("127.0.0.3")) < allowed(1.0)
        assert "127.0.0.3" in peers(host)
        for _ in range(20):
            with call("127.0.0.4") as sock:
                sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
                last_words(sock)
        assert host.log.wait_for("source.waits")["source"] == "127.0.0.4"
        with call("127.0.0.4") as sock:
            assert last_words(sock) == b"Not allowed at this time\r\n"
        assert log_in(lambda: call("127.0.0.3")) < allowed(1.0)
        assert state(tmp_path)["status"] == "UP"
