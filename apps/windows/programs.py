"""The programs that the operator offers, and those that run for somebody now."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from typing import Any

from tuihost import AppLoadError, Session, X11Display

KILL_AFTER = 2.0  # seconds for a program to end by itself
SEARCHED = "/usr/local/bin:/usr/bin:/bin:/usr/games"


@dataclass(frozen=True, slots=True)
class Program:
    """A program by the name that people know, and the words that run it."""

    name: str
    words: tuple[str, ...]

    @property
    def missing(self) -> bool:
        """There is no such program on this machine."""
        return shutil.which(self.words[0], path=SEARCHED) is None


def programs_of(options: Mapping[str, Any]) -> tuple[Program, ...]:
    """`programs` of the app's options, a table from names to command lines. Raises
    `AppLoadError`."""
    table = options.get("programs", {})
    if not isinstance(table, Mapping):
        raise AppLoadError("'programs' should be a table: xclock = \"xclock -update 1\"")
    return tuple(_program(name, line) for name, line in table.items())


def _program(name: str, line: Any) -> Program:
    try:
        words = tuple(shlex.split(line)) if isinstance(line, str) else ()
    except ValueError as error:
        raise AppLoadError(f"the command line of {name!r} cannot be split: {error}") from None
    if not words:
        raise AppLoadError(f"the command line of {name!r} should be text")
    return Program(name, words)


class Running:
    """A program that runs."""

    def __init__(self, program: Program, process: subprocess.Popen[bytes]) -> None:
        self.program = program
        self._process = process
        self._stopping = threading.Lock()

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait(self) -> int:
        """Waits for its end; the exit status, negative for a signal."""
        return self._process.wait()

    def stop(self) -> None:
        """Asks it to end, and makes sure that it does. Any thread; does not wait."""
        if self._process.poll() is None and self._stopping.acquire(blocking=False):
            threading.Thread(target=self.end, name="windows-end", daemon=True).start()

    def end(self) -> None:
        """Ends it; waits for that."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(KILL_AFTER)
                return


class Programs:
    """Runs programs for one person, on their own screen."""

    def __init__(self, display: X11Display, session: Session) -> None:
        self._display = display
        self._session = session
        self.running: list[Running] = []

    def start(self, program: Program, ended: Callable[[Running], None] | None = None) -> Running:
        """Starts it; it ends with the session at the latest. `ended` is called on another thread.
        Raises `TookTooMuch` if there is no place for it, `OSError`, `Disconnected`."""
        held = ExitStack()
        held.enter_context(self._display.take_place())
        try:
            running = Running(program, self._process(program))
            held.callback(self._display.on_close(running.stop))
            self._wait_for(running, held, ended)
        except BaseException:  # the end of the thread too: the place is somebody else's again
            held.close()
            raise
        self._session.log.note("runs a program", program=program.name, pid=running.pid)
        return running

    def _wait_for(
        self,
        running: Running,
        held: AbstractContextManager[object],
        ended: Callable[[Running], None] | None,
    ) -> None:
        """Has a thread wait for its end, which gives back what is `held` for it. Raises OSError if
        there can be no such thread; the program has been ended then."""
        self.running.append(running)
        waiting = threading.Thread(
            target=self._await, args=(running, held, ended), name="windows-wait", daemon=True
        )
        try:
            waiting.start()
        except RuntimeError:
            self.running.remove(running)
            running.end()
            raise OSError("the host has no thread left for it") from None

    def _process(self, program: Program) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            program.words,
            env=self._environment(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _await(
        self,
        running: Running,
        held: AbstractContextManager[object],
        ended: Callable[[Running], None] | None,
    ) -> None:
        with held:
            running.wait()
        if ended is not None:
            ended(running)

    def _environment(self) -> dict[str, str]:
        """Nothing from the host's own environment, which may hold secrets."""
        sent = self._session.env
        said = {name: sent[name] for name in ("LANG", "TZ") if name in sent}
        return {"PATH": SEARCHED, "HOME": "/", **said, **self._display.environment()}
