"""Forwards through the real OpenSSH client, with curl at the other end."""

from __future__ import annotations

import contextlib
import errno
import http.server
import itertools
import re
import socket
import socketserver
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.e2e_demo import Served, clean_env
from tests.e2e.e2e_tmux import Open
from tests.listening import free_port, is_open
from tests.waiting import DEADLINE, until

NUMBERS = itertools.count(1)
PAGE = b"<h1>A page of mine</h1>" + b"." * 300_000

SETTINGS = """\
[server]
port = 0
state_dir = "state"
per_address = 200
[forwarding]
dial = ["127.0.0.1:{web}", "127.0.0.1:{jump}", "{folder}/*.sock"]
listen = ["localhost:*", "{folder}/*.sock"]
dial_timeout = 5
[app.tunnels]
listen = "127.0.0.1:0"
[roles.guest]
forwards = ["*"]
listens = ["*"]
"""


class Pages(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_: object) -> None:
        pass


class PathServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        sock, _ = super().get_request()
        return sock, ("unix", 0)


@contextlib.contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(DEADLINE)
        server.server_close()


@pytest.fixture(scope="module")
def web() -> Iterator[int]:
    """A web server on a port of this machine."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    with serving(server):
        yield server.server_address[1]


@pytest.fixture(scope="module")
def jump(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Another host, behind the first."""
    served = house(tmp_path_factory.mktemp("jump"), 1, 1)
    yield served
    served.close()


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, web: int, jump: Served) -> Iterator[Served]:
    served = house(tmp_path_factory.mktemp("host"), web, jump.port)
    yield served
    served.close()


def house(folder: Path, web: int, jump: int) -> Served:
    config = folder / "tuihost.toml"
    config.write_text(SETTINGS.format(folder=folder, web=web, jump=jump))
    words = ["serve", "--config", str(config)]
    return Served(folder, words, ready=lambda host: bool(host.events("host.start")))


class Client:
    """OpenSSH and curl, as somebody who has just come and whose name nobody else has."""

    def __init__(self, folder: Path, host: Served) -> None:
        self.folder = folder
        self.host = host
        self.user = f"user{next(NUMBERS)}"
        self._running: list[subprocess.Popen[bytes]] = []
        options = "StrictHostKeyChecking=no UserKnownHostsFile=/dev/null LogLevel=ERROR"
        config = "\n".join(option.replace("=", " ") for option in options.split())
        (folder / "config").write_text(config + "\nExitOnForwardFailure yes\n")

    def words(self, *words: str, port: int | None = None) -> list[str]:
        at = ["-p", str(port or self.host.port), "-l", self.user]
        return ["ssh", "-F", str(self.folder / "config"), *at, *words]

    def ssh(self, *words: str, input: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return self.run(self.words(*words), input)

    def background(self, *words: str) -> subprocess.Popen[bytes]:
        """An ssh that stays until the test is over."""
        process = subprocess.Popen(
            self.words(*words), stdin=subprocess.DEVNULL, env=clean_env(self.folder)
        )
        self._running.append(process)
        return process

    def curl(self, *words: str) -> bytes:
        done = self.run(["curl", "-sS", "--max-time", "10", "--noproxy", "*", *words], b"")
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def pages(self, url: str) -> list[bytes]:
        """Twenty at once."""
        self.curl("-Z", f"{url}[1-20]", "-o", f"{self.folder}/page#1")
        return [(self.folder / f"page{number}").read_bytes() for number in range(1, 21)]

    def run(self, words: list[str], input: bytes) -> subprocess.CompletedProcess[bytes]:
        env = clean_env(self.folder)
        return subprocess.run(words, input=input, env=env, capture_output=True, timeout=DEADLINE)

    def close(self) -> None:
        for process in self._running:
            process.terminate()
            process.wait(DEADLINE)


@pytest.fixture
def client(
    tmp_path: Path, host: Served, program: Callable[[str], str], request: pytest.FixtureRequest
) -> Iterator[Client]:
    program("ssh")
    program("curl")
    client = Client(tmp_path, host)
    yield client
    client.close()


def no_ipv6_address() -> bool:
    """Whether IPv6 is turned off here, and not missing."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as sock:
        try:
            sock.bind(("::1", 0))
        except OSError as error:
            return error.errno == errno.EADDRNOTAVAIL
    return False


def until_open(port: int) -> None:
    until(lambda: is_open(port), f"port {port} to open")


def test_a_browser_reaches_a_real_target(client: Client, web: int) -> None:
    port = free_port()
    client.background("-N", "-L", f"{port}:127.0.0.1:{web}", "127.0.0.1")
    until_open(port)
    url = f"http://127.0.0.1:{port}/"
    assert client.curl(url) == PAGE
    assert client.pages(url) == [PAGE] * 20


def test_a_browser_goes_through_the_host(client: Client, web: int) -> None:
    port = free_port()
    client.background("-N", "-D", f"{port}", "127.0.0.1")
    until_open(port)
    proxy = ("--proxy", f"socks5h://127.0.0.1:{port}")
    assert client.curl(*proxy, f"http://127.0.0.1:{web}/") == PAGE
    words = ["curl", "-sS", *proxy, "--max-time", "10", "http://169.254.169.254/"]
    assert client.run(words, b"").returncode != 0
    client.host.wait_event("channel.refused", user=client.user)
    assert "169.254.169.254:80" in client.host.log


def test_one_stream_alone(client: Client, web: int) -> None:
    request = b"GET / HTTP/1.0\r\nConnection: close\r\n\r\n"
    done = client.ssh("-W", f"127.0.0.1:{web}", "127.0.0.1", input=request)
    assert done.stdout.endswith(PAGE), done.stderr


def test_another_host_behind_this_one(client: Client, jump: Served) -> None:
    # What -J does, with the settings of this test for the jump too.
    jumps = f"ssh -F {client.folder}/config -W %h:%p -p {client.host.port} {client.user}@127.0.0.1"
    words = client.words("-o", f"ProxyCommand={jumps}", "127.0.0.1", "status now", port=jump.port)
    done = client.run(words, b"")
    assert b"Connections" in done.stdout, done.stderr


def test_what_comes_to_the_host_reaches_the_person(client: Client, web: int) -> None:
    port = free_port()
    client.background("-N", "-R", f"{port}:127.0.0.1:{web}", "127.0.0.1")
    until_open(port)
    url = f"http://127.0.0.1:{port}/"
    assert client.curl(url) == PAGE
    assert client.pages(url) == [PAGE] * 20


def test_forwards_come_and_go_on_one_connection(client: Client, web: int) -> None:
    control = ("-S", str(client.folder / "control"))
    client.background("-M", "-N", *control, "127.0.0.1")
    until(lambda: (client.folder / "control").exists(), "the control socket")
    given = client.ssh(*control, "-O", "forward", "-R", f"0:127.0.0.1:{web}", "127.0.0.1")
    port = int(given.stdout)
    assert client.curl(f"http://127.0.0.1:{port}/") == PAGE
    again = client.ssh(*control, "-O", "forward", "-R", f"{port}:127.0.0.1:{web}", "127.0.0.1")
    assert again.returncode != 0, "the same port once more"
    # OpenSSH cancels a port that was left open by the port that it asked for, which is 0.
    fixed = free_port()
    client.ssh(*control, "-O", "forward", "-R", f"{fixed}:127.0.0.1:{web}", "127.0.0.1")
    assert client.curl(f"http://127.0.0.1:{fixed}/") == PAGE
    done = client.ssh(*control, "-O", "cancel", "-R", f"{fixed}:127.0.0.1:{web}", "127.0.0.1")
    assert done.returncode == 0, done.stderr
    client.host.wait_event("forward.unlisten", user=client.user)
    until(lambda: not is_open(fixed), "the port to be closed")


def test_unix_sockets_lead_both_ways(client: Client, host: Served) -> None:
    there, here = host.folder / "there.sock", client.folder / "here.sock"
    with serving(PathServer(str(there), Pages)):
        client.background("-N", "-L", f"{here}:{there}", "127.0.0.1")
        until(here.exists, "the local socket")
        assert client.curl("--unix-socket", str(here), "http://x/") == PAGE
    mine, theirs = client.folder / "mine.sock", host.folder / "theirs.sock"
    with serving(PathServer(str(mine), Pages)):
        process = client.background("-N", "-R", f"{theirs}:{mine}", "127.0.0.1")
        until(theirs.exists, "the socket of the host")
        assert theirs.stat().st_mode & 0o777 == 0o600
        assert client.curl("--unix-socket", str(theirs), "http://x/") == PAGE
        process.terminate()
        until(lambda: not theirs.exists(), "the socket of the host to be gone")


def test_a_port_that_is_taken_is_refused(client: Client, web: int) -> None:
    done = client.ssh("-v", "-N", "-R", f"{web}:127.0.0.1:1", "127.0.0.1")
    assert done.returncode != 0
    assert b"it is in use" in done.stderr
    assert f"remote port forwarding failed for listen port {web}" in done.stderr.decode()


def test_a_target_that_refuses_says_so(client: Client) -> None:
    done = client.ssh("-o", "LogLevel=INFO", "-W", "127.0.0.1:1", "127.0.0.1")
    assert b"forwarding is not allowed to 127.0.0.1:1" in done.stderr
    assert done.returncode != 0


def test_a_browser_sees_the_status_of_the_host(client: Client) -> None:
    port = free_port()
    client.background("-N", "-L", f"{port}:status:80", "127.0.0.1")
    until_open(port)
    assert b"How the host is" in client.curl(f"http://127.0.0.1:{port}/")
    assert b'"uptime_seconds"' in client.curl(f"http://127.0.0.1:{port}/status.json")


def test_a_name_leads_to_somebodys_machine_and_they_watch(
    client: Client, web: int, open_terminal: Open
) -> None:
    listed = client.ssh("127.0.0.1", "tunnels list")
    assert listed.stdout.startswith(b"No tunnel of yours is open"), listed.stderr
    terminal = open_terminal(100, 24)
    forward = f"-R demo:80:127.0.0.1:{web}"
    at = f"-p {client.host.port} {client.user}@127.0.0.1"
    terminal.shell(f"ssh -t {forward} {at} tunnels")
    terminal.wait_for("1 open", "http://demo.localhost:")
    found = re.search(r"http://demo\.localhost:(\d+)/", terminal.text)
    assert found
    resolve = ("--resolve", f"demo.localhost:{found[1]}:127.0.0.1")
    assert client.curl(*resolve, f"http://demo.localhost:{found[1]}/page") == PAGE
    terminal.press("Enter").wait_for("GET /page", "200")
    words = ["-Z", *resolve, f"http://demo.localhost:{found[1]}/[1-20]", "-o", "/dev/null"]
    client.curl(*words)
    terminal.wait_for("21 requests")
    terminal.press("Escape").wait_for("1 open").press("C-c").wait_for("Close it and leave?")
    terminal.press("Left", "Enter").wait_shell(0)
    done = client.run(["curl", "-sS", *resolve, "-o", "/dev/null", "-w", "%{http_code}",
                        f"http://demo.localhost:{found[1]}/"], b"")  # fmt: skip
    assert done.stdout == b"404", done.stderr


def test_a_name_that_is_taken_is_told(client: Client, web: int) -> None:
    """Those who have it already take it along to a new connection."""
    forward = ("-R", f"only:80:127.0.0.1:{web}", "127.0.0.1")
    client.background("-N", *forward)

    def listed() -> bool:
        return client.ssh("127.0.0.1", "tunnels list").stdout.startswith(b"Address")

    until(listed, "a tunnel")
    client.user += "-somebody-else"
    done = client.ssh("-v", "-N", *forward)  # with ExitOnForwardFailure, as everything here
    assert b"Remote: No tunnel: the name only is taken." in done.stderr
    assert done.returncode == 255
    going_on = client.ssh("-o", "ExitOnForwardFailure=no", *forward, "status now")
    assert going_on.returncode == 0


def test_plink_forwards_too(client: Client, program: Callable[[str], str], web: int) -> None:
    """PuTTY's own, to an app and to a real target."""
    if no_ipv6_address():
        pytest.skip("plink opens no port where the kernel has IPv6 and no address for it")
    key = client.host.folder / "state" / "host_ed25519"
    said = subprocess.run(
        [program("ssh-keygen"), "-l", "-f", str(key)],
        check=True, capture_output=True, timeout=DEADLINE,
    )  # fmt: skip
    status, page = free_port(), free_port()
    words = ["-batch", "-ssh", "-N", "-P", str(client.host.port), "-l", client.user, "-hostkey"]
    forwards = ["-L", f"{status}:status:80", "-L", f"{page}:127.0.0.1:{web}"]
    plink = subprocess.Popen(
        [program("plink"), *words, said.stdout.split()[1].decode(), *forwards, "127.0.0.1"],
        stdin=subprocess.DEVNULL, env=clean_env(client.folder),
    )  # fmt: skip
    try:
        until_open(status)
        assert b"How the host is" in client.curl(f"http://127.0.0.1:{status}/")
        assert client.curl(f"http://127.0.0.1:{page}/") == PAGE
    finally:
        plink.terminate()
        plink.wait(DEADLINE)
