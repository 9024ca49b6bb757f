"""What an app holds: one person, at one terminal or with one command, for as long as it runs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tuihost.core.accepts import Accepts, env_for
from tuihost.session.host_view import Account, HostView, Preferences
from tuihost.session.progress import Progress, ProgressLine
from tuihost.wire import SessionEvent, Stream

if TYPE_CHECKING:
    from tuihost.logs import EventLog
    from tuihost.session.other_apps import OtherApps
    from tuihost.session.streams import Agent, X11Display
    from tuihost.terminal_facts import TerminalFacts
    from tuihost.theme.theme import Theme


MAX_LINE = 1 << 20  # bytes of a line of input


@dataclass(frozen=True, slots=True)
class Launch:
    """A result of an Application, or of `App.talk`: run that app here, then me again."""

    app: str


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
    def progress_line(self) -> ProgressLine: ...

    @abstractmethod
    def invoke(self, action: Callable[[], None]) -> None: ...

    @abstractmethod
    def subscribe(self, listener: Callable[[SessionEvent], None]) -> Callable[[], None]: ...

    @abstractmethod
    def copy(self, text: str) -> bool: ...

    @abstractmethod
    def theme_changed(self, theme: Theme) -> None: ...


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

    Thread: the app's own. From any other thread only `invoke` may be called.
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
    ) -> None:
        self.account = surroundings.account
        self.app = app
        self.env = surroundings.env
        self.host = surroundings.host
        self.log = surroundings.log
        self.data = data
        self.memory: dict[str, Any] = {} if memory is None else memory
        self.from_menu = from_menu
        self.display = surroundings.display
        """The person's own screen, where they came with `ssh -X` and the app accepts X11."""
        self.agent = surroundings.agent
        """The person's own keys, where they came with `ssh -A` and the app accepts an agent."""
        self.other_apps = surroundings.other_apps
        """The commands of the other apps, and the files, as the same person. None only where there
        is no host around, as in some tests."""
        self.stage = stage

    # ------------------------------------------------------------------ who and where

    @property
    def user(self) -> str:
        """The person's name."""
        return self.account.name

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

    # ------------------------------------------------------------------ asking and telling

    async def ask(self, question: str, *, default: str = "", hidden: bool = False) -> str:
        """Asks and waits for one line. `hidden` does not show what is typed.

        In a talk the question stands below what was said; on a screen it stands above what is
        drawn and has the keys until it is answered; a command asks on its terminal.

        Raises `Disconnected` when the person goes instead of answering, `Interrupted` when they
        close a question on a screen, and `NoTerminal` in a command that has no terminal: its
        standard input may be anything, so no answer is read from it. A command that leaves that
        to pass ends with status 2 and the sentence.
        """
        return await self.stage.ask(question, hidden=hidden, default=default)

    async def say(self, what: Any = "") -> None:
        """Shows text or anything that rich can draw, as `print` does; others go on while the line
        to the person is full."""
        await self.stage.say(what)

    def print(self, *items: Any) -> None:
        """Shows text, or anything that rich can draw. Text stays as it is: no markup, no control
        codes.

        A command prints to its standard output: colours only where the other end is a terminal,
        or asks for them (FORCE_COLOR); as wide as that, or as COLUMNS says. In a talk it is a line
        of the talk. On a screen it is a note in a corner, and a box to be closed where that is
        too small.
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
        """Bytes to standard output, untouched. Waits while the client does not read. In a talk and
        on a screen they are text, shown as `print` shows it."""
        self.stage.write(data, Stream.OUT)

    def write_error(self, data: bytes) -> None:
        """The same to standard error."""
        self.stage.write(data, Stream.ERR)

    def read(self, limit: int = 65536) -> bytes:
        """Bytes from standard input, at least one; b"" at its end. Waits. On a terminal they come
        line by line, in a talk too.

        A screen has no standard input: there it raises `MisuseError`.
        """
        return self.stage.read(limit)

    def lines(self) -> Iterator[str]:
        """Standard input line by line, without line ends, undecodable bytes replaced. A line of
        more than a MiB comes in pieces."""
        for several in self.line_blocks():
            yield from several

    def line_blocks(self) -> Iterator[list[str]]:
        """The same, in as many at once as have come: for those who want to be quick."""
        rest = b""
        while chunk := self.read():
            *full, rest = (rest + chunk).split(b"\n")
            if len(rest) > MAX_LINE:
                full.append(rest)
                rest = b""
            if full:
                yield [line.rstrip(b"\r").decode("utf-8", "replace") for line in full]
        if rest:
            yield [rest.decode("utf-8", "replace")]

    # ------------------------------------------------------------------ the rest

    def invoke(self, action: Callable[[], None]) -> None:
        """Runs `action` on this session's thread, soon. Any thread; nothing after the end."""
        self.stage.invoke(action)

    def subscribe(self, listener: Callable[[SessionEvent], None]) -> Callable[[], None]:
        """Calls `listener` on this session's thread for signals, breaks, resizes and end of
        input; returns what stops that."""
        return self.stage.subscribe(listener)

    def copy(self, text: str) -> bool:
        """Puts `text` on the clipboard of the person's own machine (OSC 52). Whether the terminal
        obeys, nobody says: show the text too. False if it is too long or there is no screen."""
        return self.stage.copy(text)

    def set_theme(self, name: str, *, remember: bool = True) -> None:
        """Redraws this session in another theme; `remember` keeps it for the account."""
        theme = next((theme for theme in self.host.themes() if theme.name == name), None)
        if theme is None:
            raise LookupError(f"no theme is called {name!r}")
        self.stage.theme_changed(theme)
        if remember:
            self.preferences.set("theme", name)
