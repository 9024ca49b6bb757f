"""Keeping others out by holding doors open, and guessing: neither works, and neither is loud."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from itertools import cycle
from pathlib import Path
from unittest import mock

import paramiko
import pytest

from tests.attacks.gate_host import STRANGERS, Listening, last_words, listening, log_in
from tests.process_state import threads
from tests.verifiers import OpenGuests
from tests.waiting import DEADLINE, allowed, until
from tuihost.accounts import AccountRecord
from tuihost.core.limits import TransportLimits
from tuihost.core.login.chains import Chains
from tuihost.host.gate import gate
from tuihost.host.gate._refusal_log import REPORT_BURST
from tuihost.host.login.passwords import Passwords
from tuihost.host.login.services import open_accounts
from tuihost.host.server._connection import Connection
from tuihost.settings.loading import load
from tuihost.testing.hosted import hang_up

HELLO = b"SSH-2.0-OpenSSH_9.2p1\r\n"
WAYS = (("none",), ("password",))
# A KEXINIT of which only the beginning ever comes.
STALLS = (b"", b"SSH-2.0-", HELLO, HELLO + (500).to_bytes(4, "big") + b"\x04\x14" + bytes(20))


class Guesses(OpenGuests):
    """Guests come in, and root does with a password, which is never right; `reached` counts the
    tries that came this far."""

    def __init__(self) -> None:
        self.reached = 0

    def chains(self, user: str, target: str | None) -> Chains:
        return WAYS

    def close(self) -> None:
        """The connection is over."""

    def advice(self, user: str) -> str:
        return ""

    def guest(self, user: str) -> bool:
        return user != "root"

    def password(self, user: str, password: str) -> bool:
        self.reached += 1
        return False


@pytest.fixture
def many_files() -> Iterator[None]:
    """A thousand clients in one process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4096:
        missing = "fewer than 4096 descriptors may be open here"
        pytest.fail(f"{missing}, and in CI they must") if os.environ.get("CI") else pytest.skip(
            missing
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def stall(host: Listening, stack: ExitStack, count: int, sources: list[str]) -> None:
    """So many connections that stop talking, each at another point."""
    for _, source, said in zip(range(count), cycle(sources), cycle(STALLS), strict=False):
        sock = stack.enter_context(host.call(source))
        try:
            sock.sendall(said)
        except OSError:
            continue  # it was turned away already


@pytest.mark.usefixtures("many_files")
def test_a_thousand_that_stall_keep_nobody_out() -> None:
    with listening(STRANGERS) as host, ExitStack() as stack:
        before = threads()
        stall(host, stack, 1000, ["127.0.0.1"])
        assert host.enter("127.0.0.2") < allowed(1.0)
        assert host.server.gate.unfinished == 5
        assert len(threads() - before) <= 6
        lines = [name for name, _ in host.log.events if name == "conn.refused"]
        assert len(lines) == 1, "995 refusals are 995 lines"


@pytest.mark.usefixtures("many_files")
def test_not_even_from_an_exempt_network() -> None:
    with listening() as host, ExitStack() as stack:
        stall(host, stack, 1000, ["127.0.0.1"])
        assert host.enter("127.0.0.2") < allowed(1.0)
        assert 5 <= host.server.gate.unfinished <= 100


@pytest.mark.usefixtures("many_files")
def test_a_thousand_from_everywhere_hold_at_most_a_hundred() -> None:
    limits = TransportLimits(login_grace=2.0)
    with listening(STRANGERS, limits=limits) as host, ExitStack() as stack:
        stall(host, stack, 1000, [f"127.0.{number}.1" for number in range(1, 200)])
        until(lambda: host.server.gate.unfinished >= 10, "ten unfinished logins")
        assert host.server.gate.unfinished <= 100
        assert len(host.log.named("conn.refused")) <= REPORT_BURST + 10
        host.wait_unfinished(0)  # at the end of their grace
        assert host.enter("127.0.0.2") < allowed(1.0), "the flood is over and the host is not"


@pytest.mark.parametrize("said", STALLS)
def test_those_who_say_nothing_give_way_and_those_who_have_spoken_stay(
    monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(gate, "PATIENCE", 0.0)
    with listening({**STRANGERS, "server.max_unauthenticated": 4}) as host, ExitStack() as stack:
        spoke, *silent = (stack.enter_context(host.call(f"127.0.0.{n}")) for n in range(1, 5))
        transport = paramiko.Transport(spoke)
        stack.callback(hang_up, transport)
        transport.start_client(timeout=DEADLINE)
        until(lambda: len(host.server.gate._silent) == 3, "one to have spoken")
        for sock in silent:
            sock.sendall(said)
            heard = b""
            while said.startswith(HELLO) and b"curve25519" not in heard:  # it has been identified
                heard += sock.recv(4096)
        assert host.enter("127.0.0.9") < allowed(1.0)
        last_words(silent[0])
        host.wait_unfinished(3)
        assert len(host.server.gate._silent) == 2, "the one that has spoken is still there"


def test_the_rest_of_a_hundred_is_turned_away_at_once() -> None:
    with listening(STRANGERS) as host, ExitStack() as stack:
        waits = []
        for number in range(100):
            start = time.monotonic()
            sock = stack.enter_context(host.call())
            if number >= 5:
                assert last_words(sock) == b"Too many logins at once from your address\r\n"
                waits.append(time.monotonic() - start)
        assert statistics.median(waits) < allowed(0.01)
        assert host.server.gate.unfinished == 5


def test_dribbling_does_not_stretch_the_grace() -> None:
    with listening(STRANGERS, limits=TransportLimits(login_grace=0.5)) as host:
        start, pause = time.monotonic(), threading.Event()
        with host.call() as sock:
            for byte in b"SSH-2.0-" + b"x" * 200:
                try:
                    sock.sendall(bytes([byte]))
                except OSError:
                    break
                pause.wait(0.02)
            assert time.monotonic() - start < allowed(2.0)
            last_words(sock)
        host.wait_unfinished(0)


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"SSH-1.5-x\r\n",
    ],
)
def test_whoever_speaks_something_else_is_gone_at_once(said: bytes) -> None:
    with listening(STRANGERS) as host:
        for _ in range(20):
            with host.call() as sock:
                sock.sendall(said)
                last_words(sock)
        host.wait_unfinished(0)
        with host.call() as sock:
            assert last_words(sock) == b"Not allowed at this time\r\n"
        assert host.log.wait_for("source.waits")["reason"] == "noauth"
        assert host.enter("127.0.0.2") < allowed(1.0)


def guess(host: Listening, source: str, tries: int) -> None:
    transport = paramiko.Transport(host.call(source))
    try:
        transport.start_client(timeout=DEADLINE)
        for number in range(tries):
            with pytest.raises(paramiko.SSHException):
                transport.auth_password("root", f"guess {number}")
    finally:
        hang_up(transport)


def test_whoever_guesses_waits_before_any_key_exchange() -> None:
    with listening(STRANGERS, verifier=Guesses()) as host:
        guess(host, "127.0.0.1", 4)
        with host.call() as sock:
            assert last_words(sock) == b"Not allowed at this time\r\n"
        assert host.log.wait_for("source.waits")["source"] == "127.0.0.1"
        assert host.enter("127.0.0.2") < allowed(1.0)


def test_guesses_do_not_grow_with_the_connections_that_were_opened_before() -> None:
    verifier = Guesses()
    with listening(STRANGERS, verifier=verifier) as host, ExitStack() as stack:
        ready = [paramiko.Transport(host.call("127.0.0.1")) for _ in range(5)]
        for transport in ready:
            stack.callback(hang_up, transport)
            transport.start_client(timeout=DEADLINE)
        for number, transport in enumerate(ready):
            for _ in range(6):
                with suppress(paramiko.SSHException, EOFError, OSError):
                    transport.auth_password("root", f"guess {number}")
        assert verifier.reached <= 6 + 1, "one connection's tries, and one that was on its way"
        assert host.enter("127.0.0.2") < allowed(1.0)


def test_whoever_brings_the_host_to_a_fault_waits_longest() -> None:
    with listening(STRANGERS) as host:
        with mock.patch.object(Connection, "logged_in", side_effect=ZeroDivisionError("ours")):
            transport = paramiko.Transport(host.call("127.0.0.1"))
            transport.start_client(timeout=DEADLINE)
            with suppress(paramiko.SSHException):  # it may be over before the client knows
                transport.auth_none("eve")
            waits = host.log.wait_for("source.waits")
            hang_up(transport)
        assert (waits["source"], waits["reason"], waits["seconds"]) == ("127.0.0.1", "crash", 90)
        with host.call() as sock:
            assert last_words(sock) == b"Not allowed at this time\r\n"
        assert host.enter("127.0.0.2") < allowed(1.0)


def test_one_who_is_inside_is_not_thrown_out_for_a_neighbour() -> None:
    with listening(STRANGERS, verifier=Guesses()) as host:
        inside = paramiko.Transport(host.call("127.0.0.1"))
        inside.start_client(timeout=DEADLINE)
        inside.auth_none("ada")
        try:
            guess(host, "127.0.0.1", 6)
            channel = inside.open_session(timeout=DEADLINE)
            channel.close()
        finally:
            hang_up(inside)


def test_coming_and_going_leaves_nothing_behind() -> None:
    settings = {**STRANGERS, "sources.penalties": False}
    with listening(settings) as host:
        before = threads()
        for number in range(500):
            with host.call(f"127.0.0.{1 + number % 50}"):
                pass
        host.wait_unfinished(0)
        assert host.server.gate.connections == 0
        assert not host.server.gate._open_of
        assert not host.server.gate._unfinished_of
        until(lambda: not threads() - before, "every thread to end")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_hundred_thousand_that_come_and_go_cost_no_memory() -> None:
    with listening({**STRANGERS, "sources.penalties": False}) as host:
        host.log.emit = lambda record: None  # type: ignore[method-assign]

        def come_and_go(count: int) -> None:
            for number in range(count):
                with host.call(f"127.0.{1 + number % 200}.1"):
                    pass
            host.wait_unfinished(0)

        come_and_go(2_000)
        before = resident()
        come_and_go(100_000)
        assert resident() - before < 5 << 20


def under_attack(host: Listening, *words: str, seconds: float) -> tuple[list[float], list[float]]:
    """While ssh-audit does its worst from one address: how long round trips of somebody inside
    take, and logins from elsewhere."""
    inside = paramiko.Transport(host.call("127.0.0.2"))
    inside.start_client(timeout=DEADLINE)
    inside.auth_none("ada")
    command = [sys.executable, "-m", "ssh_audit", *words, "-p", str(host.port), "127.0.0.1"]
    # A session of its own: it has processes that would outlive it.
    audit = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    trips, logins = [], []
    try:
        until(lambda: host.log.named("conn.open")[1:], "the attack to begin")
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for _ in range(20):
                start = time.monotonic()
                inside.global_request("keepalive@openssh.com", wait=True)
                trips.append(time.monotonic() - start)
            logins.append(host.enter("127.0.0.2"))
        assert audit.poll() is None, "it ended by itself"
    finally:
        os.killpg(audit.pid, signal.SIGKILL)
        audit.wait()
        hang_up(inside)
    return trips, logins


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("--conn-rate-test", "8"),
        ("--dheat", "4:curve25519-sha256"),
        ("--dheat", "16:curve25519-sha256@libssh.org"),
    ],
    ids=["rate", "dheat-4", "dheat-16"],
)
def test_ssh_audit_at_its_worst_is_not_felt(words: tuple[str, str]) -> None:
    before = threads()
    with listening(STRANGERS) as host:
        trips, logins = under_attack(host, *words, seconds=20.0)
        busy = len(threads() - before)
    p95 = statistics.quantiles(trips, n=20)[-1]
    figures = f"p95 {p95 * 1000:.1f} ms, slowest login {max(logins):.3f} s, {busy} threads"
    print(f"{words}: {figures}")  # noqa: T201
    assert p95 < 0.05
    assert max(logins) < 1.0
    assert busy < 150


def resident(pid: int | str = "self") -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


FLOOD = """
import collections, resource, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
held = collections.deque()
while True:
    sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    held.append(sock)
    try:
        sock.sendall(b"SSH-2.0-")
    except OSError:
        pass
    if len(held) == 1000:
        held.popleft().close()
"""


@pytest.mark.slow
@pytest.mark.usefixtures("many_files")
def test_who_is_inside_does_not_feel_a_thousand_that_stall() -> None:
    with listening(STRANGERS) as host:
        inside = paramiko.Transport(host.call("127.0.0.2"))
        inside.start_client(timeout=DEADLINE)
        inside.auth_none("ada")
        flood = subprocess.Popen(
            [sys.executable, "-c", FLOOD, str(host.port)], stderr=subprocess.PIPE
        )
        waits = []
        try:
            until(lambda: host.log.named("conn.refused"), "the first refusal")
            for _ in range(1000):
                start = time.monotonic()
                inside.global_request("keepalive@openssh.com", wait=True)
                waits.append(time.monotonic() - start)
        finally:
            still = flood.poll() is None
            flood.kill()
            _, said = flood.communicate(timeout=DEADLINE)
            hang_up(inside)
    assert still, said.decode()
    p95 = statistics.quantiles(waits, n=20)[-1]
    print(f"p95 {p95 * 1000:.1f} ms, longest {max(waits) * 1000:.1f} ms")  # noqa: T201
    assert p95 < 0.02


# --------------------------------------------------------------- the host without descriptors

SERVE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
from tuihost.cli.main import main
main()
"""


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_host_without_descriptors_waits_and_recovers(tmp_path: Path) -> None:
    config = tmp_path / "host.toml"
    config.write_text(
        '[server]\nstate_dir = "state"\nper_address = 1000\nmax_unauthenticated = 1000\n'
        '[sources]\nstartups = "1000:30:2000"\n[apps]\nenabled = ["menu"]\n'
    )
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, "serve", "--config", str(config), "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        address = next(
            word for line in process.stderr for word in line.split() if "address=" in word
        )
        port = int(address.rpartition(":")[2])

        def call() -> socket.socket:
            return socket.create_connection(("127.0.0.1", port), DEADLINE)

        with ExitStack() as stack:
            for _ in range(100):
                stack.enter_context(call())
            for line in process.stderr:
                if "host.error" in line:
                    break
            start = cpu_seconds(process.pid)
            threading.Event().wait(1.0)  # a second of the host's life, to see what it does in it
            assert cpu_seconds(process.pid) - start < 0.3, "it spins"
        until(lambda: log_in(call) < DEADLINE, "a login")
    finally:
        process.terminate()
        _, rest = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0
    assert "Traceback" not in rest
    assert rest.count("host.error") < 20, "the log fills while it waits"


# ------------------------------------------------------------------------------- real guessing

RIGHT = "correct horse battery"


def guess_with_hydra(
    host: Listening,
    hydra: str,
    folder: Path,
    reached: Callable[[], int],
    person: Callable[[], float],
) -> None:
    """Ten thousand guesses by hydra, while a person comes in from elsewhere again and again."""
    words = folder / "words"
    words.write_text("".join(f"guess{number}\n" for number in range(10_000)))
    command = [hydra, "-l", "root", "-P", str(words), "-t", "16", "-I", "-s", str(host.port)]
    process = subprocess.Popen(
        [*command, "127.0.0.1", "ssh"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        until(lambda: reached() > 0, "hydra to begin")
        slowest = max(person() for _ in range(20))
        out, _ = process.communicate(timeout=300.0)
    finally:
        process.kill()
        process.wait()
    print(f"{reached()} guesses, slowest login {slowest:.3f} s\n{out}")  # noqa: T201
    assert slowest < 1.0
    assert 0 < reached() <= 15, "half of the bound that is promised"
    assert len(host.log.named("conn.refused")) < 100


@pytest.mark.slow
def test_hydra_gets_at_most_thirty_guesses_of_ten_thousand(
    tmp_path: Path, program: Callable[[str], str]
) -> None:
    verifier = Guesses()
    with listening(STRANGERS, verifier=verifier) as host:
        guess_with_hydra(
            host,
            program("hydra"),
            tmp_path,
            lambda: verifier.reached,
            lambda: host.enter("127.0.0.2"),
        )


@contextmanager
def guarded() -> Iterator[tuple[Listening, list[str | None]]]:
    """A host with accounts, of which `root` and `ada` have passwords; and each hash that a
    password was compared with, None where there was none to compare with."""
    hashes: list[str | None] = []
    with listening({**STRANGERS, "login.guests": False}) as host:
        login_services = host.server.login_services
        hashed, verify = login_services.passwords.hash(RIGHT), login_services.passwords.verify
        for name in ("root", "ada"):
            assert login_services.store.create(AccountRecord(name, password_hash=hashed))

        def counted(stored: str | None, password: str) -> bool:
            hashes.append(stored)
            return verify(stored, password)

        with mock.patch.object(login_services.passwords, "verify", counted):
            yield host, hashes


def by_password(host: Listening) -> float:
    start = time.monotonic()
    transport = paramiko.Transport(host.call("127.0.0.2"))
    try:
        transport.start_client(timeout=DEADLINE)
        assert transport.auth_password("ada", RIGHT) == []
        return time.monotonic() - start
    finally:
        hang_up(transport)


@pytest.mark.slow
def test_hydra_gets_as_few_at_a_door_with_accounts(
    tmp_path: Path, program: Callable[[str], str]
) -> None:
    with guarded() as (host, hashes):
        entered: list[float] = []

        def person() -> float:
            entered.append(by_password(host))
            return entered[-1]

        def guesses() -> int:
            return len(hashes) - len(entered)

        guess_with_hydra(host, program("hydra"), tmp_path, guesses, person)


@pytest.mark.slow
def test_twenty_passwords_at_once_stay_within_their_memory(tmp_path: Path) -> None:
    """Each hash takes 19 MiB while it is made; they are made two at a time."""
    config = tmp_path / "host.toml"
    config.write_text('[server]\nstate_dir = "state"\n[apps]\nenabled = ["menu"]\n')
    (tmp_path / "state").mkdir()
    with closing(open_accounts(load(config))) as store, closing(Passwords()) as passwords:
        assert store.create(AccountRecord("ada", password_hash=passwords.hash(RIGHT)))
    serve = [sys.executable, "-m", "tuihost", "serve", "--config", str(config), "--port", "0"]
    process = subprocess.Popen(serve, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        found = (re.search(r"address=\S+:(\d+)", line) for line in process.stderr)
        port = next(match[1] for match in found if match)
        come_in = [sys.executable, "-c", TWENTY, port, RIGHT]
        done = subprocess.run(
            come_in, capture_output=True, text=True, timeout=DEADLINE, check=False
        )
        assert done.stdout.split() == ["20"], done.stderr
        status = Path(f"/proc/{process.pid}/status").read_text()
    finally:
        process.terminate()
        process.communicate(timeout=DEADLINE)
    most = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert most
    print(f"at most {int(most[1]) / 1024:.0f} MiB resident")  # noqa: T201
    assert int(most[1]) < 200 << 10


TWENTY = """
import socket, sys, threading, paramiko
port, password, inside = int(sys.argv[1]), sys.argv[2], []
ready = threading.Barrier(20, timeout=60)

def come_in(number):
    address = ("127.0.0.1", port)
    sock = socket.create_connection(address, 60, source_address=(f"127.0.1.{number + 1}", 0))
    transport = paramiko.Transport(sock)
    transport.start_client(timeout=60)
    ready.wait()
    inside.append(transport.auth_password("ada", password))
    ready.wait()
    transport.close()

threads = [threading.Thread(target=come_in, args=(number,)) for number in range(20)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(60)
print(len(inside))
"""
