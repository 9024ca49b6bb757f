"""A person at a terminal without a network: runs an Application, presses keys, reads the screen.

    with play(screen.application()) as person:
        person.press("down", "enter")
        assert "Saved" in person.text

Time stands still: `person.wait(3.0)` moves the loop's clock, nothing sleeps. What is read is the
last Screen that prompt_toolkit rendered, cell by cell, with the style string of each.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from prompt_toolkit.application import create_app_session
from prompt_toolkit.application.application import Application
from prompt_toolkit.data_structures import Point, Size
from prompt_toolkit.key_binding.key_bindings import _parse_key
from prompt_toolkit.key_binding.key_processor import KeyPress, _Flush
from prompt_toolkit.keys import Keys
from prompt_toolkit.mouse_events import MouseButton, MouseEvent, MouseEventType
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output

from tuihost.logs import event_log
from tuihost.session.host_view import Account, AppCard, Gauges, HostKeyCard, Presence
from tuihost.session.session import Closes, Session, Surroundings, nothing_closes
from tuihost.terminal_facts import Colors, TerminalFacts
from tuihost.theme.theme import Theme, load_theme
from tuihost.tui.terminal._held_key import HOLD_BACK
from tuihost.tui.terminal.input import TerminalInput
from tuihost.tui.widgets.keymap import takes_text
from tuihost.wire import Peer, SessionEvent, Stream, WindowSize

THEMES = Path(__file__).resolve().parents[2] / "themes"
TURNS = 400
"""Turns of the loop after which an Application must have come to rest."""
EVENING = 1_795_467_840.0  # 2026-11-23 21:04 UTC


class StubPreferences:
    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def get(self, name: str, default: str = "") -> str:
        return self.values.get(name, default)

    def set(self, name: str, value: str) -> None:
        self.values[name] = value


@dataclass
class StubHost:
    """A host with one person, as far as a screen looks at it."""

    name: str = "demo"
    version: str = "0"
    address: tuple[str, int] | None = ("127.0.0.1", 8022)
    escape_label: str = "^]"
    ssh_target: str = "-p 8022 localhost"
    default_app: str = "menu"
    clock: float = EVENING
    here: tuple[Presence, ...] = ()
    cards: tuple[AppCard, ...] = ()
    all_themes: tuple[Theme, ...] = ()
    remembered: StubPreferences = field(default_factory=StubPreferences)

    def now(self) -> float:
        return self.clock

    def apps(self, account: Account) -> tuple[AppCard, ...]:
        return self.cards

    def may_run(self, account: Account, app: str, command: str) -> bool:
        return True

    def people(self) -> tuple[Presence, ...]:
        return self.here

    def keys(self) -> tuple[HostKeyCard, ...]:
        return ()

    def gauges(self) -> Gauges:
        return Gauges(0, 1, 1, 1, 1, 0, 0, 0, (0, 0, 0))

    def themes(self) -> tuple[Theme, ...]:
        return self.all_themes

    def automatic_theme(self, light: bool | None) -> Theme:
        return next(theme for theme in self.all_themes if theme.dark is not light)

    def preferences(self, account: Account) -> StubPreferences:
        return self.remembered


class StubStage:
    """A stage that holds facts and nothing else."""

    def __init__(self, facts: TerminalFacts, theme: Theme) -> None:
        self.facts = facts
        self.theme = theme
        self.ended = False
        self.light: bool | None = None
        self.copied: list[str] = []

    async def ask(self, question: str, *, hidden: bool, default: str) -> str:
        raise NotImplementedError

    async def say(self, what: Any) -> None:
        raise NotImplementedError

    def print(self, items: Sequence[Any], stream: Stream) -> None:
        raise NotImplementedError

    def write(self, data: bytes, stream: Stream) -> None:
        raise NotImplementedError

    def read(self, limit: int) -> bytes:
        raise NotImplementedError

    def readable(self, seconds: float) -> bool:
        raise NotImplementedError

    def invoke(self, action: Callable[[], None]) -> None:
        action()

    def subscribe(self, listener: Callable[[SessionEvent], None]) -> Callable[[], None]:
        return lambda: None

    def copy(self, text: str) -> bool:
        self.copied.append(text)
        return True

    def theme_changed(self, theme: Theme) -> None:
        self.theme = theme


def people(count: int) -> tuple[Presence, ...]:
    """So many people, all in the menu."""
    peer = Peer("127.0.0.1", 50000)
    return tuple(
        Presence(number, f"person{number}", False, "menu", EVENING, EVENING, peer)
        for number in range(count)
    )


def make_session(
    columns: int = 80,
    rows: int = 24,
    *,
    theme: str | Theme = "harbor-night",
    unicode: bool = True,
    from_menu: bool = False,
    env: Mapping[str, str] | None = None,
    app: str = "test",
    closes: Closes = nothing_closes,
    presence: int | None = None,
) -> Session:
    """A session of ada's in a window of that size."""
    facts = TerminalFacts(size=WindowSize(columns, rows), colors=Colors.TRUE, unicode=unicode)
    loaded = load_theme(THEMES / f"{theme}.toml") if isinstance(theme, str) else theme
    host = StubHost(here=people(3), all_themes=(loaded,))
    around = Surroundings(
        Account("ada", guest=False), host, event_log(), {"TZ": "UTC"} if env is None else env
    )
    stage = StubStage(facts, loaded)
    return Session(
        around,
        app,
        stage,
        data=Path("/nowhere"),
        from_menu=from_menu,
        closes=closes,
        presence=presence,
    )


class SilentTerminal:
    """A terminal that sends nothing of its own: keys come from `Keyboard.press`."""

    closed = False

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop

    def read(self, limit: int, /) -> bytes | None:
        return None

    def set_reader(self, callback: Callable[[], None] | None, /) -> None:
        """There is nothing to read."""


class Keyboard(TerminalInput):
    """The input of every session, with keys from `Person.press`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, before: str) -> None:
        super().__init__(SilentTerminal(loop), takes_text=takes_text)
        if before:
            self._last_key = KeyPress(_parse_key(before))

    def press(self, keys: Sequence[KeyPress]) -> None:
        for key in keys:
            self._keys.append(key)
            if key.key is Keys.Escape:
                self._keys.append(_Flush)  # nothing follows that would make it a longer key
        self._wake_soon()

    @property
    def idle(self) -> bool:
        """Whether the Application has all keys."""
        return not self._keys

    @property
    def waits(self) -> bool:
        """Whether the next key may be held down, which time will tell."""
        return self._doubt is not None


class StillLoop(asyncio.SelectorEventLoop):
    """A loop whose clock moves only when a test moves it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def time(self) -> float:
        return self.now


class Person:
    """Presses keys on an Application that runs, and reads what it shows."""

    def __init__(self, application: Application[Any], session: Session, loop: StillLoop) -> None:
        self.application = application
        self.session = session
        self.loop = loop
        self.task: asyncio.Task[Any] | None = None
        self.errors: list[BaseException] = []
        self.frames = 0
        application.after_render += self._rendered

    def _rendered(self, _: Any) -> None:
        self.frames += 1

    # ---------------------------------------------------------------- what a person does

    def press(self, *keys: str | Keys) -> None:
        """Presses keys by prompt_toolkit's names, one after the other, each drawn."""
        for key in keys:
            parsed = _parse_key(key)
            data = parsed if not isinstance(parsed, Keys) else ""
            self._feed([KeyPress(parsed, data)])

    def hold(self, key: str, times: int) -> None:
        """Holds a key down: its repeats come in one piece, as over a line that was busy."""
        parsed = _parse_key(key)
        data = parsed if not isinstance(parsed, Keys) else ""
        self._feed([KeyPress(parsed, data)] * times)

    def type(self, text: str) -> None:
        """Types `text`, letter by letter."""
        self.press(*("space" if char == " " else char for char in text))

    def paste(self, text: str) -> None:
        self._feed([KeyPress(Keys.BracketedPaste, text)])

    def click(self, column: int, row: int, kind: MouseEventType = MouseEventType.MOUSE_UP) -> None:
        """A mouse event in a cell."""
        handler = self.application.renderer.mouse_handlers.mouse_handlers[row][column]
        event = MouseEvent(Point(column, row), kind, MouseButton.LEFT, frozenset())
        self.in_app(lambda: handler(event))
        self.in_app(self.application.invalidate)
        self.settle()

    def click_on(self, text: str) -> None:
        """A click on the first place where `text` stands."""
        for number, line in enumerate(self.lines):
            if text in line:
                self.click(line.index(text), number)
                return
        raise AssertionError(f"{text!r} is not on the screen:\n{self.text}")

    def resize(self, columns: int, rows: int) -> None:
        stage = self.session.stage
        assert isinstance(stage, StubStage)
        stage.facts = replace(stage.facts, size=WindowSize(columns, rows))
        self.redraw()

    def redraw(self) -> None:
        self.in_app(self.application.invalidate)
        self.settle()

    def wait(self, seconds: float) -> None:
        """Lets time pass."""
        self.loop.now += seconds
        self.settle()

    def _feed(self, keys: Sequence[KeyPress]) -> None:
        keyboard = self.application.input
        assert isinstance(keyboard, Keyboard)
        keyboard.press(keys)
        self.settle()
        for _ in range(TURNS):
            if keyboard.idle or self.ended:
                break
            self.wait(HOLD_BACK if keyboard.waits else 0.0)

    def in_app(self, action: Callable[[], Any]) -> None:
        context = self.application.context
        if context is not None:
            self.loop.call_soon(lambda: context.copy().run(action))
            self.settle()

    def settle(self) -> None:
        """Turns the loop until nothing is to be done at this moment."""

        async def turn() -> None:
            for _ in range(6):
                await asyncio.sleep(0)

        for _ in range(TURNS):
            self.loop.run_until_complete(turn())
            if not self.application._invalidated:
                break
        else:
            raise AssertionError(f"the Application did not come to rest in {TURNS} turns")
        if self.errors:
            raise self.errors[0]
        if self.task is not None and self.task.done() and self.task.exception() is not None:
            self.task.result()

    # ---------------------------------------------------------------- what a person sees

    @property
    def cells(self) -> list[list[tuple[str, str]]]:
        """Each cell's character and style string."""
        screen = self.application.renderer.last_rendered_screen
        assert screen is not None, "nothing was drawn"
        size = self.session.terminal.size
        rows = []
        for y in range(size.rows):
            row = screen.data_buffer[y]
            cells = [(row[x].char, row[x].style) for x in range(size.columns)]
            rows.append(cells)
        return rows

    @property
    def lines(self) -> list[str]:
        """The screen as text; a wide character stands once."""
        return ["".join(char for char, _ in row).rstrip() for row in self.cells]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def styles(self, text: str) -> str:
        """The style strings under the first place where `text` stands."""
        for row in self.cells:
            line = "".join(char or "\0" for char, _ in row)
            at = line.find(text)
            if at >= 0:
                return " ".join(style for _, style in row[at : at + len(text)])
        raise AssertionError(f"{text!r} is not on the screen:\n{self.text}")

    @property
    def result(self) -> Any:
        """What the Application returned; fails while it runs."""
        assert self.task is not None
        assert self.task.done(), f"it still runs:\n{self.text}"
        return self.task.result()

    @property
    def ended(self) -> bool:
        return self.task is not None and self.task.done()


@contextmanager
def play(
    application: Callable[[], Application[Any]], session: Session, *, before: str = ""
) -> Iterator[Person]:
    """Runs what `application` makes until the block ends. `before` is the last key that was pressed
    before that, in another Application."""
    loop = StillLoop()
    size = lambda: Size(session.terminal.size.rows, session.terminal.size.columns)  # noqa: E731
    output = Vt100_Output(
        io.StringIO(),  # type: ignore[arg-type]
        size,
        term="xterm-256color",
        default_color_depth=ColorDepth.DEPTH_24_BIT,
        enable_cpr=False,
    )
    asyncio.set_event_loop(loop)
    try:
        with create_app_session(input=Keyboard(loop, before), output=output):
            made: list[Application[Any]] = []

            async def build() -> None:
                made.append(application())

            loop.run_until_complete(build())
            app = made[0]
            app.max_render_postpone_time = None
            app.terminal_size_polling_interval = None
            person = Person(app, session, loop)
            loop.set_exception_handler(
                lambda _, context: person.errors.append(
                    context.get("exception") or RuntimeError(str(context))
                )
            )
            person.task = loop.create_task(
                app.run_async(set_exception_handler=False, handle_sigint=False)
            )
            person.settle()
            try:
                yield person
            finally:
                _end(person)
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def _end(person: Person) -> None:
    """Ends what still runs; what it raised is a failure of the test."""
    task, loop = person.task, person.loop
    assert task is not None
    if not task.done():
        task.cancel()
        loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    left = asyncio.all_tasks(loop)
    for other in left:
        other.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
