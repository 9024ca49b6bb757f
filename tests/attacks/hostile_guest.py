"""One guest who wants everything: what one person can take, all at once, from thirty connections.

    python -m tests.attacks.hostile_guest PORT SECONDS SOURCE [ACT ...]

A process of its own, so that its work is not measured with the host's. It never stops because the
host refuses something: it tries the next thing.
"""

from __future__ import annotations

import random
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import paramiko

CONNECTIONS = 30
PATIENCE = 20.0
BOMB = b"[" * 400 + b"0," * 50_000 + b"0"
SLOW_PREVIEW = b" " * 10_000
GREEDY_PATTERN = "shell grep '((a{1000}){1000}){1000}'"
SLOW_PATTERN = "shell grep '(a+)+b'"

Act = Callable[["Guest"], None]


class Guest:
    """One connection of theirs, and what is done with it until `end`."""

    def __init__(self, port: int, source: str, number: int, end: float) -> None:
        self.port = port
        self.source = source
        self.end = end
        # Some connections are one person's; others come under names of their own.
        self.name = "eve" if number % 2 else f"eve-{number}"
        self.chance = random.Random(number)

    @property
    def goes_on(self) -> bool:
        return time.monotonic() < self.end

    def rest(self, seconds: float) -> None:
        """Keeps what it holds for so long, so that the others of its acts get their turn. Nothing
        is waited for here."""
        time.sleep(seconds)  # a program of its own, which is to be there and do nothing

    @contextmanager
    def connected(self) -> Iterator[paramiko.Transport]:
        sock = socket.create_connection(
            ("127.0.0.1", self.port), PATIENCE, source_address=(self.source, 0)
        )
        transport = paramiko.Transport(sock)
        try:
            transport.start_client(timeout=PATIENCE)
            transport.auth_none(self.name)
            yield transport
        finally:
            transport.close()

    def channel(self, transport: paramiko.Transport) -> paramiko.Channel:
        channel = transport.open_session(timeout=PATIENCE)
        channel.settimeout(PATIENCE)
        return channel

    def run(self, transport: paramiko.Transport, command: str, data: bytes = b"") -> bytes:
        """Runs a command with this input; what it says in the end."""
        channel = self.channel(transport)
        with suppress(OSError):
            channel.exec_command(command)
            rest = memoryview(data)
            while rest and self.goes_on:
                rest = rest[channel.send(rest) :]
            channel.shutdown_write()
        said = b""
        with suppress(OSError):
            while self.goes_on and (more := channel.recv(65536)):
                said = more
        channel.close()
        return said


# ------------------------------------------------------------------------ what is done


def patterns(guest: Guest) -> None:
    """Compiling without end, and searching without end."""
    with guest.connected() as transport:
        while guest.goes_on:
            guest.run(transport, GREEDY_PATTERN, b"a" * 30 + b"\n")
            guest.run(transport, SLOW_PATTERN, b"a" * 2_000_000)


def bombs(guest: Guest) -> None:
    """JSON that is nested deeply, and JSON that is long."""
    long = b"[" + b",".join(b'{"a": %d}' % number for number in range(400_000)) + b"]"
    with guest.connected() as transport:
        while guest.goes_on:
            guest.run(transport, "shell json", BOMB)
            guest.run(transport, "shell json", long)


def sorts(guest: Guest) -> None:
    lines = b"\n".join(b"%d" % guest.chance.randrange(10**9) for _ in range(1_100_000))
    with guest.connected() as transport:
        while guest.goes_on:
            guest.run(transport, "shell sort", lines)


def previews(guest: Guest) -> None:
    """A file that is slow to colour, looked at."""
    with guest.connected() as transport:
        sftp = paramiko.SFTPClient.from_transport(transport)
        assert sftp is not None
        with suppress(OSError), sftp.open("x.adl", "w") as file:
            file.write(SLOW_PREVIEW)
        while guest.goes_on:
            channel = guest.channel(transport)
            channel.get_pty("xterm-256color", 200, 60)
            channel.exec_command("files")
            for key in ("\r", "x\r", "\x1b", "x\r"):
                with suppress(OSError):
                    channel.send(key.encode())
                    channel.recv(65536)
                guest.rest(0.2)
            channel.close()


def listings(guest: Guest) -> None:
    """Six sessions with 126 open folders each, each of them of many names."""
    with guest.connected() as transport:
        first = paramiko.SFTPClient.from_transport(transport)
        assert first is not None
        with suppress(OSError):
            first.mkdir("many")
            for number in range(3_140):
                first.open(f"many/{number:0200d}", "w").close()
        held = [first, *(paramiko.SFTPClient.from_transport(transport) for _ in range(5))]
        while guest.goes_on:
            for sftp in filter(None, held):
                with suppress(OSError, EOFError):
                    for _ in range(126):
                        _, handle = sftp._request(11, b"/files/mine/many")
                        sftp._request(12, handle.get_binary())
            guest.rest(1)


def descriptors(guest: Guest) -> None:
    """Four sessions with 127 open files each."""
    with guest.connected() as transport:
        held, files = [], []
        for _ in range(4):
            sftp = paramiko.SFTPClient.from_transport(transport)
            assert sftp is not None
            held.append(sftp)
        with suppress(OSError):
            held[0].open("open", "w").close()
        while guest.goes_on:
            for sftp in held:
                with suppress(OSError):
                    for _ in range(127):
                        files.append(sftp.open("open", "r"))
            guest.rest(1)


def copies(guest: Guest) -> None:
    """Runs of rsync that do nothing."""
    with guest.connected() as transport:
        while guest.goes_on:
            for _ in range(8):
                with suppress(paramiko.SSHException):
                    guest.channel(transport).exec_command("rsync --server -logDtpre.iLsfxC . ~/")
            guest.rest(2)


def nested(guest: Guest) -> None:
    """A script that runs itself twice."""
    me = b"shell script < me; shell script < me\n"
    with guest.connected() as transport:
        guest.run(transport, "files put me --force", me)
        while guest.goes_on:
            guest.run(transport, "shell script", me)


def fills(guest: Guest) -> None:
    """Fills the quota, renames onto itself, and fills it again."""
    with guest.connected() as transport:
        sftp = paramiko.SFTPClient.from_transport(transport)
        assert sftp is not None
        while guest.goes_on:
            with suppress(OSError):
                with sftp.open("a", "w") as file:
                    file.set_pipelined(True)
                    for _ in range(150):
                        file.write(bytes(32_768))
                sftp.rename("a", "a")
            guest.rest(0.1)


def nests(guest: Guest) -> None:
    """Folders in folders in folders, by renaming."""
    with guest.connected() as transport:
        sftp = paramiko.SFTPClient.from_transport(transport)
        assert sftp is not None
        while guest.goes_on:
            for number in range(50):
                with suppress(OSError):
                    sftp.mkdir(f"f{number}")
                    sftp.rename(f"f{number}", f"f{number + 1}/g")
            guest.rest(0.5)


def pieces(guest: Guest) -> None:
    """Data a byte at a time, as fast as it goes."""
    with guest.connected() as transport:
        channel = guest.channel(transport)
        channel.exec_command("shell count")
        number = struct.pack(">I", channel.remote_chanid)
        window = channel.out_window_size
        while guest.goes_on and transport.is_active():
            for _ in range(500):
                if window > 0:
                    message = paramiko.Message(bytes([94]) + number + b"\0\0\0\1x")
                    transport._send_user_message(message)
                    window -= 1
            window = max(window, channel.out_window_size - 500)


def screens(guest: Guest) -> None:
    """As many screens as there can be, in a window as large as can be, each with keys."""
    with guest.connected() as transport:
        held: list[paramiko.Channel] = []
        while guest.goes_on:
            with suppress(paramiko.SSHException, OSError):
                channel = guest.channel(transport)
                channel.get_pty("xterm-256color", 500, 100)
                channel.invoke_shell()
                held.append(channel)
            for channel in held:
                with suppress(OSError):
                    if channel.send_ready():
                        channel.send(b"\x1b[B\x1b[A" * 20)
                    while channel.recv_ready():
                        channel.recv(65536)
            guest.rest(0.3)


def programs(guest: Guest) -> None:
    """One command after the other."""
    with guest.connected() as transport:
        while guest.goes_on:
            guest.run(transport, "status now")


def windows(guest: Guest) -> None:
    """Channels whose windows are filled, and that nobody reads."""
    with guest.connected() as transport:
        held = []
        while guest.goes_on:
            with suppress(paramiko.SSHException, OSError):
                channel = guest.channel(transport)
                channel.exec_command("shell -c 'cat | page'")
                channel.settimeout(0.2)
                with suppress(OSError):
                    channel.sendall(bytes(2_000_000))
                held.append(channel)
            guest.rest(0.1)


def logins(guest: Guest) -> None:
    """In and out."""
    while guest.goes_on:
        with guest.connected() as transport:
            guest.run(transport, "status now")
        guest.rest(0.2)


ACTS: tuple[Act, ...] = (
    patterns, bombs, sorts, previews, listings, descriptors, copies, nested, fills, nests, pieces,
    screens, programs, windows, logins,
)  # fmt: skip


def keep_doing(act: Act, guest: Guest, faults: Counter[str]) -> None:
    while guest.goes_on:
        try:
            act(guest)
        except (OSError, EOFError, paramiko.SSHException) as error:
            faults[f"{act.__name__}: {type(error).__name__}: {error}"[:150]] += 1
            guest.rest(0.5)


def main(port: int, seconds: float, source: str, *names: str) -> None:
    acts = [act for act in ACTS if act.__name__ in names] or ACTS
    end, faults = time.monotonic() + seconds, Counter[str]()
    threads = []
    for number in range(CONNECTIONS):
        guest = Guest(port, source, number, end)
        act = acts[number % len(acts)]
        thread = threading.Thread(target=keep_doing, args=(act, guest, faults), daemon=True)
        thread.start()
        threads.append(thread)
        time.sleep(0.1)  # so that not all of them are dropped at the gate
    for thread in threads:
        thread.join(max(0.0, end + PATIENCE - time.monotonic()))
    for what, count in faults.most_common(40):
        sys.stdout.write(f"{count} x {what}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), *sys.argv[3:])
