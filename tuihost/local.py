"""Runs an app in the terminal of this machine, without SSH.

It is the same program and the same screen, on a channel that is the process's own input and output.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext

from tuihost.commands.running import resolve
from tuihost.core.routing import NoSuchApp, OpenApp, Route, RunCommand
from tuihost.errors import TuihostError
from tuihost.host.host import Host
from tuihost.host.plugins.app_catalog import Catalog
from tuihost.host.programs.program import Program
from tuihost.host.programs.visit import Visit
from tuihost.logs import event_log
from tuihost.plugin import App
from tuihost.session.host_view import Account
from tuihost.settings.models import Settings
from tuihost.terminal_facts import facts_of
from tuihost.wire import (
    Exit,
    ExitStatus,
    Peer,
    PtyRequest,
    Stream,
    WindowChange,
    WindowSize,
)

_HELD = 65536
"""Bytes of input that wait for the app, at most; the rest waits in the kernel."""


class LocalChannel:
    """Implements `wire.ByteChannel` on standard input, output and error.

    A thread reads the input, since nothing else can wait for it and for a wake at the same time.
    """

    number = 0
    congested = False

    def __init__(self) -> None:
        self.closed = False
        self.end: Exit = ExitStatus(255)
        self._input = bytearray()
        self._at_end = False
        self._wake: Callable[[], None] | None = None
        self._changed = threading.Condition()
        threading.Thread(target=self._listen, name="stdin", daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                data = os.read(0, 4096)
            except OSError:
                data = b""
            with self._changed:
                self._changed.wait_for(lambda: len(self._input) < _HELD or self.closed)
                self._input += data
                self._at_end = not data
            self.nudge()
            if not data:
                return

    def set_wake(self, wake: Callable[[], None] | None) -> None:
        self._wake = wake
        if wake is not None and (self._input or self._at_end):
            wake()

    def nudge(self) -> None:
        with self._changed:
            self._changed.notify_all()
        wake = self._wake
        if wake is not None:
            wake()

    def read(self, limit: int = 65536) -> bytes | None:
        with self._changed:
            if not self._input:
                return b"" if self._at_end or self.closed else None
            data = bytes(self._input[:limit])
            del self._input[:limit]
            self._changed.notify_all()
            return data

    def write(self, data: bytes | memoryview, stream: Stream = Stream.OUT) -> int:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(1 if stream is Stream.OUT else 2, rest) :]
        except OSError:
            self.close()  # the reader of our output is gone
        return len(data)

    def wait(self, ready: Callable[[], bool], timeout: float | None = None) -> bool:
        with self._changed:
            return self._changed.wait_for(ready, timeout)

    def send_eof(self) -> None:
        """Nothing: the reader of our output sees its end when this process ends."""

    def finish(self, end: Exit) -> None:
        self.end = end
        self.close()

    def close(self) -> None:
        self.closed = True
        self.nudge()


def run_app(
    name: str, words: Sequence[str], settings: Settings, *, user: str, roles: Iterable[str] = ()
) -> int:
    """Opens the app for an account that is called `user` and has these roles, or runs the command
    that `words` name, and returns its exit status.

    Thread: the main one. Raises `TuihostError` if the host cannot start.
    """
    catalog = Catalog.load(settings, log=event_log())
    host = Host(settings, catalog, event_log())
    try:
        host.start()
    except OSError as error:
        is_file = isinstance(error, FileExistsError)
        reason = "it is not a folder" if is_file else error.strerror
        raise TuihostError(
            f"the folder {settings.server.state_dir}, where the host keeps its data, cannot be "
            f"used: {reason}. Mend that, or choose another with `server.state_dir`."
        ) from error
    try:
        account = Account(user, guest=False, roles=frozenset(roles))
        return _run(host, account, name, words)
    finally:
        host.stop()


def _run(host: Host, account: Account, name: str, words: Sequence[str]) -> int:
    route: Route
    if name not in host.access.names_for(account):
        route = NoSuchApp(name)
    elif words or not (_interactive() or _talks_alone(host.catalog.apps[name].app)):
        route = RunCommand(name, tuple(words))
    else:
        route = OpenApp(name)
    pty = _pty() if isinstance(route, OpenApp) or sys.stdout.isatty() else None
    env = dict(os.environ)
    line = None
    if isinstance(route, RunCommand):
        line = resolve(host.catalog.apps[name].app, words)
    visit = Visit(account, Peer("local", 0), route, facts_of(pty, env), env, line=line)
    channel = LocalChannel()
    program = Program(host, channel, lambda log: visit, host.log.bound(user=account.name))
    screen = isinstance(route, OpenApp)
    keys = nullcontext() if pty is None else _keys(tty.setraw if screen else tty.setcbreak)
    with keys, _resizes(program):
        program.start("app-local")
        program.thread.join()
    return channel.end.code if isinstance(channel.end, ExitStatus) else 1


def _talks_alone(app: App) -> bool:
    """Whether an app without words and without a terminal is opened line by line, as over SSH."""
    return app.has_talk and not app.command_methods()


def _interactive() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _pty() -> PtyRequest | None:
    """This process's terminal, as a client would describe it."""
    if not _interactive():
        return None
    return PtyRequest(os.environ.get("TERM", "dumb"), _size())


def _size() -> WindowSize:
    columns, rows = shutil.get_terminal_size()
    return WindowSize.clamped(columns, rows)


@contextmanager
def _keys(mode: Callable[[int], object]) -> Iterator[None]:
    """The terminal hands every key on, as ssh does at the other end of a line. To a screen that is
    all that it does; for a command it still ends lines properly, and `^C` ends the process."""
    before = termios.tcgetattr(0)
    try:
        mode(0)
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


@contextmanager
def _resizes(program: Program) -> Iterator[None]:
    def resized(number: int, frame: object) -> None:
        size = _size()
        program.event(WindowChange(size.columns, size.rows))

    before = signal.signal(signal.SIGWINCH, resized)
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)
