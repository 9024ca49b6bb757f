"""What an app holds: one person, at one terminal or with one command, for as long as it runs."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from tuihost.core.accepts import Accepts
from tuihost.core.budget.ledger import FREE, Share
from tuihost.core.environment import env_for
from tuihost.errors import Disconnected, MisuseError, TookTooMuch, TuihostError
from tuihost.phrases import size_of
from tuihost.session.held_memory import HeldMemory
from tuihost.session.host_view import Account, HostView, Preferences, ssh_target_of
from tuihost.session.progress import Progress, ProgressLine
from tuihost.session.turns import Waiting
from tuihost.wire import SessionEvent, Stream

if TYPE_CHECKING:
    from tuihost.logs import EventLog
    from tuihost.session.other_apps import OtherApps
    from tuihost.session.streams import Agent, X11Display
    from tuihost.terminal_facts import TerminalFacts
    from tuihost.theme.theme import Theme


T = TypeVar("T")

MAX_LINE = 1 << 20  # bytes of a line of input
LINE_TOO_LONG = f"a line of more than {size_of(MAX_LINE)} is too long"
UNCOUNTED, LINE_COST = 1 << 16, 5  # bytes of a line that cost nothing; what each costs beyond
OFFLOAD_MEMORY = 64 << 20
LOOK_EVERY = 0.2  # seconds between two looks whether the person is still there


@dataclass(frozen=True, slots=True)
class Launch:
    """A result of an Application, or of `App.talk`: run that app here, and then this one again."""

    app: str


Result = int | Launch | None
"""What an Application or a talk ends with: an exit status, None for 0, or a `Launch`."""


Closes = Callable[[], tuple[str, ...]]
"""Says which addresses close for others when somebody leaves."""


def nothing_closes() -> tuple[str, ...]:
    """Where nothing closes."""
    return ()


class Helpers(Protocol):
    """Helper processes, for one person and one app. The host implements it."""

    @abstractmethod
    def submit(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        *,
        seconds: float,
        memory: int,
    ) -> Future[Any]: ...


class Stage(Protocol):
    """Where a session plays: a screen, a talk in lines, or a command's two outputs.

    The host implements it; an app uses the methods of `Session` instead.
    """

    theme: Theme

    @property
    @abstractmethod
    def facts(self) -> TerminalFacts: ...

    @property
    @abstractmethod
    def ended(self) -> bool: ...

    @abstractmethod
    async def ask(self, question: str, *, hidden: bool, default: str) -> str: ...

    @abstractmethod
    async def say(self, what: Any) -> None: ...

    @abstractmethod
    def print(self, items: Sequence[Any], stream: Stream) -> None: ...

    @abstractmethod
    def write(self, data: bytes, stream: Stream) -> None: ...

    @abstractmethod
    def read(self, limit: int) -> bytes: ...

    @abstractmethod
    def readable(self, seconds: float) -> bool: ...

    @abstractmethod
    def progress_line(self) -> ProgressLine: ...

    @abstractmethod
    def invoke(self, action: Callable[[], None]) -> None: ...

    @abstractmethod
    def subscribe(self, listener: Callable[[SessionEvent], None]) -> Callable[[], None]: ...

    @abstractmethod
    def copy(self, text: str) -> bool: ...

    @abstractmethod
    def theme_changed(self, theme: Theme) -> None: ...

    @property
    @abstractmethod
    def light(self) -> bool | None:
        """Whether the terminal is light; None if it has not said so."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is around an app while it runs for somebody: the person, what they brought, the host.

    The host makes one for each program; every app that the person goes to gets its part of it.
    """

    account: Account
    host: HostView
    log: EventLog
    env: Mapping[str, str] = field(default_factory=dict)
    display: X11Display | None = None
    agent: Agent | None = None
    other_apps: OtherApps | None = None
    helpers: Helpers | None = None
    share: Share = FREE

    def seen_by(self, app: str, accepts: Accepts) -> Surroundings:
        """The same for one app: without what it does not accept, and with its name in the log."""
        return replace(
            self,
            log=self.log.bound(app=app),
            env=env_for(self.env, accepts),
            display=self.display if accepts.x11 else None,
            agent=self.agent if accepts.agent else None,
        )


class Session:
    """One run of one app for one person.

    Everything works wherever an app has a session, in a talk, in a command and on a screen, except
    that only a command has input to read. Thread: the app's own; other threads may call `invoke`
    only.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        app: str,
        stage: Stage,
        *,
        data: Path,
        memory: dict[str, Any] | None = None,
        from_menu: bool = False,
        closes: Closes = nothing_closes,
        presence: int | None = None,
    ) -> None:
        self.account = surroundings.account
        self.app = app
        self.env = surroundings.env
        self.host = surroundings.host
        self.log = surroundings.log
        self.data = data
        self.memory: dict[str, Any] = {} if memory is None else memory
        self.from_menu = from_menu
        self.closes = closes
        """Call it for the addresses of the person's remote forwards (`ssh -R`) that close when they
        leave this app, since nothing else runs on their connection. The host asks them first."""
        self.presence = presence
        """The `id` of this session among `host.people()`; None without a terminal."""
        self.display = surroundings.display
        """The person's own screen, if they came with `ssh -X` and the app accepts X11."""
        self.agent = surroundings.agent
        """The person's own keys, if they came with `ssh -A` and the app accepts an agent."""
        self.other_apps = surroundings.other_apps
        """The other apps' commands and files, as the same person may use them. None only if there
        is no host, as in some tests."""
        self.stage = stage
        self._helpers = surroundings.helpers
        self._share = surroundings.share
        self._holding: set[HeldMemory] = set()

    # ------------------------------------------------------------------ who and where

    @property
    def user(self) -> str:
        """The person's name."""
        return self.account.name

    @property
    def ssh_target(self) -> str:
        """What this person types after `ssh` to get here, as far as the host can know it:
        `-p 8022 ada@localhost`."""
        return ssh_target_of(self.host.ssh_target, self.user)

    @property
    def terminal(self) -> TerminalFacts:
        """The terminal as it is now: TERM, size, colours."""
        return self.stage.facts

    @property
    def theme(self) -> Theme:
        """The theme that this session is drawn in."""
        return self.stage.theme

    @property
    def ended(self) -> bool:
        """True once the person is gone."""
        return self.stage.ended

    @property
    def preferences(self) -> Preferences:
        """Small things remembered for this account."""
        return self.host.preferences(self.account)

    def may_run(self, command: str) -> bool:
        """Whether the person may run that command of the app. What a screen or a talk changes for
        people, it changes only for those who may by the command that does the same."""
        return self.host.may_run(self.account, self.app, command)

    # ------------------------------------------------------------------ asking and telling

    async def ask(self, question: str, *, default: str = "", hidden: bool = False) -> str:
        """Asks and waits for one line. `hidden` does not show what is typed.

        In a talk, the question is below what was said; on a screen, it is shown over the rest and
        has the keys until it is answered; a command asks on its terminal.

        Raises `Disconnected` if the person leaves instead of answering, `Interrupted` if they
        close a question on a screen, and `NoTerminal` in a command without a terminal: its
        standard input may be anything, so no answer is read from it. If a command lets that pass,
        it ends with the sentence and status 2.
        """
        return await self.stage.ask(question, hidden=hidden, default=default)

    async def say(self, what: Any = "") -> None:
        """Shows text, or anything that rich can draw, as `print` does. While the line to the person
        is full, other tasks go on; in a talk without a screen `print` keeps them waiting too."""
        await self.stage.say(what)

    def print(self, *items: Any) -> None:
        """Shows text, or anything that rich can draw. Text stays as it is: no markup, no control
        codes.

        A command prints to its standard output: with colours only if the other end is a terminal
        or asks for them (FORCE_COLOR), and as wide as the terminal, or as COLUMNS says. In a talk
        it is a line of the talk. On a screen it is a note below it, or, if it is longer, a box
        that the person closes.
        """
        self.stage.print(items, Stream.OUT)

    def error(self, *items: Any) -> None:
        """The same to standard error; in the colour of errors in a talk and on a screen."""
        self.stage.print(items, Stream.ERR)

    def progress(self, label: str, total: float | None = None) -> Progress:
        """Shows how far something has come: `with session.progress("Copying", total=3) as bar`,
        and in it `bar.advance()`. On a command's standard error, in a talk or on a screen."""
        return Progress(label, total, lambda: self.terminal, self.stage.progress_line())

    # ------------------------------------------------------------------ input and output

    def write(self, data: bytes) -> None:
        """Writes bytes to standard output, unchanged, and waits while the client does not read. In
        a talk and on a screen they are text, which is shown as `print` shows it."""
        self.stage.write(data, Stream.OUT)

    def write_error(self, data: bytes) -> None:
        """The same to standard error."""
        self.stage.write(data, Stream.ERR)

    def read(self, limit: int = 65536) -> bytes:
        """For commands: waits for bytes from standard input, and gives at least one, or b"" at the
        end. On a terminal they come line by line.

        In a talk and on a screen it raises `MisuseError`: `await session.ask` there.
        """
        return self.stage.read(limit)

    def readable(self, seconds: float = 0.0) -> bool:
        """For commands: whether `read` would return at once. Waits for that, but no longer than so
        many seconds. True for a command that another app runs, where nobody can tell.

        Raises `MisuseError` in a talk and on a screen, as `read` does.
        """
        return self.stage.readable(seconds)

    def lines(self) -> Iterator[str]:
        """For commands: standard input line by line, without line ends. Bytes that are not UTF-8
        are replaced, and a byte order mark in front is not text. Raises `TookTooMuch` at a line of
        more than a MiB, and `MisuseError` elsewhere, as `read` does."""
        for several in self.line_blocks():
            yield from several

    def line_blocks(self, read: Callable[[], bytes] | None = None) -> Iterator[list[str]]:
        """The same, as many lines at a time as have come, which is quicker. With `read`, the lines
        of what that gives until it gives nothing."""
        rest, begins = b"", True
        with self.hold() as held:
            while chunk := (read or self.read)():
                *full, rest = (rest + chunk).split(b"\n")
                if full and len(full[0]) > MAX_LINE:
                    raise TookTooMuch(LINE_TOO_LONG)
                held.set(LINE_COST * len(rest) if len(rest) > UNCOUNTED else 0)
                if full and begins:
                    full[0], begins = full[0].removeprefix(BOM_UTF8), False
                if full:
                    yield [line.rstrip(b"\r").decode("utf-8", "replace") for line in full]
                if len(rest) > MAX_LINE:
                    raise TookTooMuch(LINE_TOO_LONG)
        if begins:
            rest = rest.removeprefix(BOM_UTF8)
        if rest:
            yield [rest.decode("utf-8", "replace")]

    # ------------------------------------------------------------------ heavy work

    async def offload(
        self,
        function: Callable[..., T],
        *args: Any,
        seconds: float = 2.0,
        memory: int = OFFLOAD_MEMORY,
    ) -> T:
        """`function(*args)` in a helper process, so that nobody else waits for it: for patterns,
        sorting, parsing, whatever a person's data could make long or large. The session goes on
        meanwhile. If it no longer waits, the work is ended.

        `function` stands at the top of a module, which the helper imports; it can read the app's
        own folder, and write nothing. The arguments and the result are plain values: None, bool,
        numbers, str, bytes, lists and dicts of these. A tuple arrives as a list.

        Raises `TookTooLong` after so many `seconds` of CPU time, or four times as many by the
        clock; `TookTooMuch` if it needs more than `memory` bytes, if the result is larger than
        that, or if too many calls of the person wait already; what the function raises if that is
        one of Python's own exceptions, else `HelperFailed`; and `TypeError` for a function or a
        value that cannot go. One person has two helpers at a time; more calls wait.
        """
        return await asyncio.wrap_future(self._submit(function, args, seconds, memory))

    def offload_now(
        self,
        function: Callable[..., T],
        *args: Any,
        seconds: float = 2.0,
        memory: int = OFFLOAD_MEMORY,
    ) -> T:
        """The same for code that is not a coroutine, such as a plain command: waits for it.

        Raises `Disconnected` if the person leaves meanwhile, and `MisuseError` on the thread of an
        event loop, which would stand still.
        """
        if _in_a_loop():
            raise MisuseError("an event loop is running here: `await session.offload(…)` instead")
        future = self._submit(function, args, seconds, memory)
        try:
            with Waiting():
                while not wait((future,), LOOK_EVERY).done:
                    if self.ended:
                        raise Disconnected("the client is gone")
            return future.result()
        finally:
            future.cancel()

    def hold(self) -> HeldMemory:
        """Memory for what this person gives, as much as they may have on the host:
        `with session.hold() as held: … held.add(len(data))`. `add` raises `TookTooMuch` once they
        have all they may; if an app lets it pass, they read the sentence. What is still held when
        the app has ended is given back."""
        return HeldMemory(self._share, self._holding)

    def let_go(self) -> None:
        """Gives back all that the app still holds. The host calls it when the app has ended."""
        for held in tuple(self._holding):
            held.close()

    def _submit(
        self, function: Callable[..., T], args: tuple[Any, ...], seconds: float, memory: int
    ) -> Future[T]:
        if self._helpers is None:
            raise TuihostError("there are no helper processes without a host")
        return self._helpers.submit(function, args, seconds=seconds, memory=memory)

    # ------------------------------------------------------------------ the rest

    def invoke(self, action: Callable[[], None]) -> None:
        """Runs `action` on this session's thread, soon, or never if it has ended. Any thread."""
        self.stage.invoke(action)

    def subscribe(self, listener: Callable[[SessionEvent], None]) -> Callable[[], None]:
        """Calls `listener` on this session's thread for signals, breaks, resizes and the end of
        input. Returns a function that stops it."""
        return self.stage.subscribe(listener)

    def copy(self, text: str) -> bool:
        """Puts `text` on the clipboard of the person's own machine (OSC 52). The terminal does
        not say whether it did, so show the text too. False if it is too long, or without a
        screen."""
        return self.stage.copy(text)

    def set_theme(self, name: str, *, remember: bool = True) -> None:
        """Redraws this session in another theme; `remember` keeps it for the account. An empty name
        is the automatic one: the host's, light or dark as the terminal is."""
        if name:
            theme = next((theme for theme in self.host.themes() if theme.name == name), None)
        else:
            theme = self.host.automatic_theme(self.stage.light)
        if theme is None:
            raise LookupError(f"no theme is called {name!r}")
        self.stage.theme_changed(theme)
        if remember:
            self.preferences.set("theme", name)


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
