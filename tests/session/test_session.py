"""What a session offers, in every place where an app may use it.

One table: each row is something that an author writes, each column a place where it runs, on the
real host. What a person or a script sees of it there stands in the row.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.filters import to_filter
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.key_binding.key_processor import KeyPress, _Flush
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.layout.controls import BufferControl
from rich.table import Table

from tests.waiting import DEADLINE
from tuihost import App, NoTerminal, Session, Stream, TerminalFacts, command
from tuihost.errors import Interrupted, MisuseError
from tuihost.testing import Hosted, Pilot, hosted
from tuihost.tui.running import _overlay

Use = Callable[[Session], Awaitable[object]]


async def ask(session: Session) -> object:
    return await session.ask("What is your name? ")


async def ask_secretly(session: Session) -> object:
    return await session.ask("What is the password? ", hidden=True)


async def ask_with_a_default(session: Session) -> object:
    return await session.ask("Which town? ", default="Rome")


async def ask_twice_at_once(session: Session) -> object:
    return await asyncio.gather(session.ask("First? "), session.ask("Second? "))


async def ask_not_too_long(session: Session) -> object:
    async with asyncio.timeout(0.05):
        try:
            await session.ask("Quick? ")
        except asyncio.CancelledError:
            session.print("too slow")
            raise
    return None


async def ask_again(session: Session) -> object:
    try:
        await ask_not_too_long(session)
    except TimeoutError:
        return await session.ask("Take your time: ")
    return None


async def say(session: Session) -> object:
    await session.say("this is said")
    await session.say(_table())
    return None


async def show(session: Session) -> object:
    session.print("this is", "printed")
    session.error("this is wrong")
    session.print(_table())
    return None


async def write(session: Session) -> object:
    session.write(b"half a ")
    session.write("line é\nand more\n".encode())
    session.write_error(b"an error\n")
    return None


async def progress(session: Session) -> object:
    with session.progress("Copying", total=2) as bar:
        bar.advance()
        await asyncio.sleep(0)
        bar.advance()
    return bar.percent


async def read(session: Session) -> object:
    return session.read(3) + session.read()


async def lines(session: Session) -> object:
    return list(session.lines())


async def line_blocks(session: Session) -> object:
    return list(session.line_blocks())


async def read_and_ask(session: Session) -> object:
    return session.read(), await session.ask("And? "), session.read()


async def the_rest(session: Session) -> object:
    stop = session.subscribe(lambda event: None)
    stop()
    session.invoke(lambda: None)
    session.set_theme(session.theme.name, remember=False)
    assert isinstance(session.copy("text"), bool)
    return session.ended


def _table() -> Table:
    table = Table("town", "rain")
    table.add_row("Oslo", "yes")
    return table


async def used(session: Session, use: Use) -> str:
    """What it came to, as one line."""
    try:
        return f"came to {await use(session)!r}"
    except TimeoutError:
        return "came to an end"


@dataclass
class Talks(App):
    """A talk and a command that do the same."""

    use: Use
    name: str = "try"
    title: str = "Try"

    async def talk(self, session: Session) -> int:
        session.print(await used(session, self.use))
        return 0

    @command
    async def it(self, session: Session) -> int:
        """Do it."""
        session.print(await used(session, self.use))
        return 0


def _dots() -> str:
    return "\n".join(["." * 200] * 60)


@dataclass
class Draws(App):
    """A plain Application, which knows nothing of questions."""

    use: Use
    name: str = "try"
    full_screen: bool = True
    typed: list[str] = field(default_factory=list)

    def build(self, session: Session) -> Application[Any]:
        result = ["ready"]
        bindings = KeyBindings()

        @bindings.add("f2")
        async def _use(event: KeyPressEvent) -> None:
            result[0] = await used(session, self.use)
            event.app.invalidate()

        @bindings.add("<any>")
        def _type(event: KeyPressEvent) -> None:
            self.typed.append(event.data)
            result[0] = "heard " + "".join(self.typed)

        @bindings.add("c-q")
        def _leave(event: KeyPressEvent) -> None:
            event.app.exit(result=0)

        top = Window(FormattedTextControl(lambda: result[0], focusable=True), height=1)
        rows = [top, Window(FormattedTextControl(_dots))] if self.full_screen else [top]
        return Application(
            layout=Layout(HSplit(rows)), key_bindings=bindings, full_screen=self.full_screen
        )


class Runs(App):
    """Runs the command of the app `try`, as a shell does."""

    name = "runs"

    def __init__(self, facts: TerminalFacts) -> None:
        self.facts = facts

    @command
    def it(self, session: Session) -> int:
        """Run it."""
        assert session.other_apps is not None
        return session.other_apps.run("try", ["it"], Through(session, self.facts))


class Through:
    """A command's outputs as those of another; a question is the session's to ask."""

    def __init__(self, session: Session, facts: TerminalFacts) -> None:
        self._session = session
        self.facts = facts

    def read(self, limit: int) -> bytes:
        return self._session.read(limit)

    def write(self, data: bytes, stream: Stream) -> None:
        (self._session.write if stream is Stream.OUT else self._session.write_error)(data)

    async def ask(self, question: str, *, hidden: bool, default: str) -> str:
        return await self._session.ask(question, hidden=hidden, default=default)

    def close(self) -> None:
        """The session goes on."""


# ------------------------------------------------------------------------------ the places


@contextmanager
def in_a_talk(use: Use, size: tuple[int, int] = (80, 24)) -> Iterator[Pilot]:
    with hosted(Talks(use)) as host, host.open("try", size=size) as pilot:
        yield pilot
        _no_mistake(host)


@contextmanager
def in_a_talk_in_a_small_window(use: Use) -> Iterator[Pilot]:
    with in_a_talk(use, (40, 12)) as pilot:
        yield pilot


@contextmanager
def in_a_talk_on_a_dumb_terminal(use: Use) -> Iterator[Pilot]:
    with hosted(Talks(use)) as host, host.open("try", term="dumb") as pilot:
        yield pilot
        _no_mistake(host)


@contextmanager
def in_a_command_at_a_terminal(use: Use) -> Iterator[Pilot]:
    with hosted(Talks(use)) as host, host.open("try it") as pilot:
        yield pilot
        _no_mistake(host)


@contextmanager
def in_a_command_that_another_app_runs(use: Use) -> Iterator[Pilot]:
    with hosted(Runs(TerminalFacts()), Talks(use)) as host, host.open("runs it") as pilot:
        yield pilot
        _no_mistake(host)


def _no_mistake(host: Hosted) -> None:
    assert host.log.named("app.error") == []
    assert host.log.named("host.error") == []


COMMANDS = (in_a_command_at_a_terminal, in_a_command_that_another_app_runs)
LINES = (in_a_talk_on_a_dumb_terminal, *COMMANDS)
PLACES = (in_a_talk, in_a_talk_in_a_small_window, *LINES)
Place = Callable[[Use], Any]
Step = str
"""What is waited for, or with a `<` before it what is typed; `\\r` is Enter, `\\x04` is ^D."""


def play(pilot: Pilot, steps: tuple[Step, ...]) -> None:
    for step in steps:
        if step.startswith("<"):
            pilot.type(step[1:])
        else:
            pilot.wait_for(step)


PASTED: tuple[tuple[Use, tuple[Step, ...]], ...] = (
    (ask, ("What is your name?", "<\x1b[200~Ada\n\x1b[201~", "Ada", "<\r", "came to 'Ada'")),
    (ask, ("What is your name?", "<\x1b[200~A\r\nB\n\x1b[201~", "A B", "<\r", "came to 'A B'")),
    (ask, ("What is your name?", "<x👨\u200d👩\u200d👧\x7f\r", "came to 'x'")),
)
EVERYWHERE: tuple[tuple[Use, tuple[Step, ...]], ...] = (
    (ask, ("What is your name?", "<Ada\r", "What is your name? Ada", "came to 'Ada'")),
    (ask_secretly, ("password?", "<s3\x7f4\r", "came to 's4'")),
    (ask_with_a_default, ("Rome", "<\r", "came to 'Rome'")),
    (ask_twice_at_once, ("First?", "<1\r", "Second?", "<2\r", "came to ['1', '2']")),
    (ask_not_too_long, ("too slow", "came to an end")),
    (ask_again, ("Take your time:", "<yes\r", "came to 'yes'")),
    (say, ("this is said", "Oslo", "came to None")),
    (show, ("this is wrong", "Oslo", "came to None")),
    (progress, ("Copying 100%", "came to 100")),
    (the_rest, ("came to False",)),
)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("use", "steps"), EVERYWHERE)
def test_what_is_said_and_asked_in_a_talk_and_in_a_command(
    place: Place, use: Use, steps: tuple[Step, ...]
) -> None:
    with place(use) as pilot:
        play(pilot, steps)


@pytest.mark.parametrize("place", COMMANDS)
def test_a_command_reads_lines_at_its_terminal(place: Place) -> None:
    with place(lines) as pilot:
        play(pilot, ("<one\rtwo\r\x04", "came to ['one', 'two']"))


@pytest.mark.parametrize("place", COMMANDS)
def test_a_line_can_be_read_in_parts(place: Place) -> None:
    with place(read) as pilot:
        play(pilot, ("<abcdef\r", r"came to b'abcdef\n'"))


@pytest.mark.parametrize("place", COMMANDS)
def test_reading_and_asking_take_turns(place: Place) -> None:
    with place(read_and_ask) as pilot:
        play(pilot, ("<one\r", "And?", "<two\r", "two", "<three\r", "b'one", "'two'", "b'three"))


@pytest.mark.parametrize("place", PLACES)
def test_a_secret_is_shown_nowhere(place: Place) -> None:
    async def asks(session: Session) -> object:
        return len(await session.ask("What is the password? ", hidden=True))

    with place(asks) as pilot:
        play(pilot, ("password?", "<s3cret\r", "came to 6"))
        assert b"s3cret" not in pilot.received
        assert b"cret" not in pilot.received


@pytest.mark.parametrize("place", [in_a_talk, in_a_talk_in_a_small_window, LINES[0]])
def test_bytes_are_text_in_a_talk(place: Place) -> None:
    with place(write) as pilot:
        play(pilot, ("half a line é", "and more", "an error", "came to None"))
        rows = [row.strip() for row in pilot.screen.lines if row.strip()]
        at = rows.index("half a line é")
        assert rows[at : at + 3] == ["half a line é", "and more", "an error"]


def test_bytes_of_a_command_are_left_as_they_are() -> None:
    with hosted(Talks(write)) as host:
        done = host.run("try it")
    assert done.stdout == "half a line é\nand more\ncame to None\n".encode()
    assert done.stderr == b"an error\n"


def test_what_follows_an_answer_answers_the_next_question() -> None:
    async def both(session: Session) -> object:
        return await session.ask("Which? "), await session.ask("And? "), await session.ask("So? ")

    with hosted(Talks(both)) as host, host.lines(user="ada+try") as pilot:
        pilot.type("one\ntwo\nthree").end_input()
        assert pilot.wait_end() == 0
        assert pilot.text.endswith("('one', 'two', 'three')")


@pytest.mark.parametrize(("use", "typed", "shown"), [
    (ask, "Ada\n", "What is your name? came to 'Ada'\n"),
    (ask, "Ada", "What is your name? came to 'Ada'\n"),
    (ask_with_a_default, "\n", "Which town? [Rome] came to 'Rome'\n"),
    (show, "", None),
])  # fmt: skip
def test_a_talk_without_a_terminal(use: Use, typed: str, shown: str | None) -> None:
    with hosted(Talks(use)) as host, host.lines(user="ada+try") as pilot:
        pilot.type(typed).end_input()
        assert pilot.wait_end() == 0
        if shown is not None:
            assert pilot.received.decode() == shown


def test_bytes_of_a_talk_without_a_terminal_are_left_as_they_are() -> None:
    data = os.urandom(200_000)

    async def send(session: Session) -> object:
        for start in range(0, len(data), 10_000):
            session.write(data[start : start + 10_000])
        return None

    with hosted(Talks(send)) as host, host.lines(user="ada+try") as pilot:
        assert pilot.wait_end() == 0
        assert bytes(pilot.received) == data + b"came to None\n"


@pytest.mark.parametrize("use", [ask, ask_secretly, ask_with_a_default])
def test_a_command_without_a_terminal_asks_nobody(use: Use) -> None:
    with hosted(Talks(use)) as host:
        done = host.run("try it", stdin=b"data\n")
        _no_mistake(host)
    assert (done.status, done.stdout) == (2, b"")
    assert done.errors.startswith("Error: cannot ask ")
    assert done.errors.endswith(" without a terminal; ssh -t gives one\n")
    assert done.errors.count("\n") == 1


@pytest.mark.parametrize("facts", [TerminalFacts(pty=False), TerminalFacts()])
def test_a_command_asks_nobody_through_what_cannot_ask(facts: TerminalFacts) -> None:
    class Deaf(Runs):
        @command
        def it(self, session: Session) -> int:
            assert session.other_apps is not None
            through = Through(session, self.facts)
            if facts.pty:
                through.ask = None  # type: ignore[assignment,method-assign]
            return session.other_apps.run("try", ["it"], through)

    with hosted(Deaf(facts), Talks(ask)) as host:
        done = host.run("runs it", stdin=b"data\n")
    assert (done.status, done.stdout) == (2, b"")


def test_a_command_may_do_without_an_answer() -> None:
    async def careful(session: Session) -> object:
        try:
            return await session.ask("Sure? ")
        except NoTerminal:
            return "taken for granted"

    with hosted(Talks(careful)) as host:
        assert host.run("try it").text == "came to 'taken for granted'\n"


def test_a_signal_ends_a_question() -> None:
    with in_a_command_at_a_terminal(ask) as pilot:
        pilot.wait_for("name?").type("Ad\x03")
        assert pilot.wait_end() == -1
    assert "^C" in pilot.text


@pytest.mark.parametrize("place", LINES)
def test_who_ends_their_input_does_not_answer(place: Place) -> None:
    with place(ask) as pilot:
        pilot.wait_for("name?").type("\x04")
        assert pilot.wait_end() == 255


@pytest.mark.parametrize(("use", "steps"), PASTED)
def test_an_answer_in_a_talk_on_a_screen_is_one_line(use: Use, steps: tuple[Step, ...]) -> None:
    with in_a_talk(use) as pilot:
        play(pilot, steps)


# ------------------------------------------------------------------------------ over a screen


SIZES = ((80, 24), (40, 12))


@contextmanager
def over_a_screen(
    use: Use, size: tuple[int, int] = (80, 24), *, full_screen: bool = True
) -> Iterator[Pilot]:
    app = Draws(use, full_screen=full_screen)
    with hosted(app) as host, host.open("try", size=size) as pilot:
        pilot.wait_for("ready").press("f2")
        yield pilot
        assert host.log.named("app.error") == []


ASKED: tuple[tuple[Use, tuple[Step, ...]], ...] = (
    (ask, ("What is your name?", "<Ada q", "Ada q", "<\r", "came to 'Ada q'")),
    (ask_secretly, ("password?", "<s3\x7f4", "••", "<\r", "came to 's4'")),
    (ask_with_a_default, ("Rome", "<n\r", "came to 'Romen'")),
    (ask_twice_at_once, ("First?", "<1\r", "Second?", "<2\r", "came to ['1', '2']")),
    (ask_not_too_long, ("too slow", "came to an end")),
    (ask_again, ("Take your time:", "<yes\r", "came to 'yes'")),
    (progress, ("Copying 100%", "came to 100")),
    (the_rest, ("came to False",)),
)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("use", "steps"), ASKED + PASTED)
def test_a_question_over_a_screen(size: tuple[int, int], use: Use, steps: tuple[Step, ...]) -> None:
    with over_a_screen(use, size) as pilot:
        play(pilot, steps)
        pilot.press("x").wait_for("heard x")  # the keys are the Application's again, all of them
        pilot.press("c-q")
        assert pilot.wait_end() == 0


@pytest.mark.parametrize("size", SIZES)
def test_after_a_question_the_screen_is_what_it_was(size: tuple[int, int]) -> None:
    async def nothing(session: Session) -> object:
        return None

    def final(use: Use, *steps: Step) -> tuple[str, ...]:
        with over_a_screen(use, size) as pilot:
            play(pilot, steps)
            pilot.wait_for("came to").press("x").wait_for("heard x")
            return pilot.screen.lines

    async def asks(session: Session) -> object:
        await session.ask("Well? ")

    assert final(asks, "Well?", "<yes\r") == final(nothing)


@pytest.mark.parametrize("size", SIZES)
def test_a_short_note_goes_by_itself(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is said last says for how long."""
    monkeypatch.setattr(_overlay, "NOTE_SECONDS", DEADLINE)

    async def note(session: Session) -> object:
        if _overlay.NOTE_SECONDS == DEADLINE:
            session.print("all is", "well")
            session.error("nearly")
        else:
            session.print("bye")
        return None

    with over_a_screen(note, size) as pilot:
        pilot.wait_for("all is well").wait_for("nearly").wait_for("came to None")
        pilot.press("x").wait_for("heard x")
        assert "all is well" in pilot.text
        monkeypatch.setattr(_overlay, "NOTE_SECONDS", 0.01)
        pilot.press("f2").wait_gone("all is well").wait_gone("nearly").wait_gone("bye")


def test_a_long_note_stays_until_it_could_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_overlay, "NOTE_SECONDS", 0.01)
    monkeypatch.setattr(_overlay, "READ", 0.1)

    async def note(session: Session) -> object:
        session.print("a sentence that is long")
        return None

    with over_a_screen(note, (80, 24)) as pilot:
        pilot.wait_for("a sentence that").wait_for("came to None").press("x").wait_for("heard x")
        assert "a sentence that" in pilot.text
        monkeypatch.setattr(_overlay, "READ", 1e9)
        pilot.press("f2").wait_gone("a sentence that")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("use", [say, show, write])
def test_what_is_longer_stays_until_it_is_closed(size: tuple[int, int], use: Use) -> None:
    async def much(session: Session) -> object:
        await use(session)
        for number in range(40):
            session.print(f"line {number}")
        return None

    with over_a_screen(much, size) as pilot:
        pilot.wait_for("line 0").press("pagedown", "pagedown", "pagedown", "pagedown", "pagedown")
        pilot.wait_for("line 39").press("enter").wait_gone("line 39")
        pilot.press("x").wait_for("heard x")


def test_what_was_not_seen_is_shown_in_the_end() -> None:
    async def last_words(session: Session) -> object:
        session.print("these are", "the last words")
        raise EOFError

    class Ends(Draws):
        def build(self, session: Session) -> Application[Any]:
            application = super().build(session)

            def end() -> None:
                session.print("these are the last words")
                application.exit(result=0)

            application.pre_run_callables.append(end)
            return application

    with hosted(Ends(last_words)) as host, host.open("try") as pilot:
        assert pilot.wait_end() == 0
        assert not pilot.screen.alternate
        assert "these are the last words" in pilot.text


@pytest.mark.parametrize("full_screen", [True, False])
@pytest.mark.parametrize("count", [1, 10])
def test_what_is_printed_before_the_exit_is_shown_once(full_screen: bool, count: int) -> None:
    class Leaves(Draws):
        def build(self, session: Session) -> Application[Any]:
            application = super().build(session)

            async def leave(session: Session) -> object:
                for number in range(count):
                    session.print(f"last word {number}")
                await asyncio.sleep(0)  # a box of many words opens
                application.exit(result=0)
                return None

            self.use = leave
            return application

    with hosted(Leaves(say, full_screen=full_screen)) as host, host.open("try") as pilot:
        pilot.wait_for("ready").press("f2")
        assert pilot.wait_end() == 0
        assert pilot.text.count("last word 0") == 1


def test_what_was_not_seen_is_shown_by_the_next_app() -> None:
    class First(Draws):
        def build(self, session: Session) -> Application[Any]:
            session.print("said before it was drawn")
            return super().build(session)

    with hosted(First(say)) as host, host.open("try") as pilot:
        pilot.wait_for("ready").wait_for("said before it was drawn")


@pytest.mark.parametrize("size", SIZES)
def test_a_question_that_is_closed_ends_what_asked_and_nothing_else(size: tuple[int, int]) -> None:
    with over_a_screen(ask, size) as pilot:
        pilot.wait_for("name?").press("escape").wait_gone("name?").press("x").wait_for("heard x")
        pilot.press("f2").wait_for("name?").press("c-c").wait_gone("name?")


def test_a_question_that_is_called_off_leaves_nothing_behind() -> None:
    with over_a_screen(ask_not_too_long) as pilot:
        pilot.wait_for("came to an end").press("x").wait_for("heard x")
        assert "Quick?" not in pilot.text


def test_the_mouse_does_not_reach_what_is_beneath_a_question() -> None:
    class Clicked(Draws):
        def build(self, session: Session) -> Application[Any]:
            application = super().build(session)
            clicks: list[str] = []

            def clicked(event: object) -> None:
                clicks.append("clicked")

            def shown() -> Any:
                return [("", f"{len(clicks)} clicks", clicked)]

            layout = application.layout
            layout.container = HSplit(
                [Window(FormattedTextControl(shown), height=1), layout.container]
            )
            application.mouse_support = to_filter(True)
            return application

    with hosted(Clicked(ask)) as host, host.open("try") as pilot:
        pilot.wait_for("0 clicks").press("f2").wait_for("name?").click(0, 0)
        pilot.type("Ada\r").wait_for("came to 'Ada'")
        assert "0 clicks" in pilot.text
        pilot.click(0, 0).wait_gone("0 clicks")


def test_an_application_between_lines_of_text_can_ask() -> None:
    with over_a_screen(ask, full_screen=False) as pilot:
        play(pilot, ("What is your name?", "<Ada\r", "came to 'Ada'"))
        pilot.press("x").wait_for("heard x")


def test_an_application_with_keys_of_its_own_gets_its_focus_back() -> None:
    class Edits(Draws):
        def build(self, session: Session) -> Application[Any]:
            first, second = Buffer(), Buffer()
            bindings = KeyBindings()

            @bindings.add("f2")
            async def _use(event: KeyPressEvent) -> None:
                first.text = await used(session, self.use)

            layout = Layout(
                HSplit([Window(BufferControl(first)), Window(BufferControl(second), height=2)]),
                focused_element=second,
            )
            return Application(
                layout=layout,
                key_bindings=bindings,
                full_screen=True,
                editing_mode=EditingMode.VI,
            )

    with hosted(Edits(ask)) as host, host.open("try") as pilot:
        pilot.type("itop").wait_for("top").press("escape", "f2").wait_for("name?")
        pilot.type("Ada\r").wait_for("came to 'Ada'")
        pilot.type("Ax").wait_for("topx")


@pytest.mark.parametrize("key", ["x", "\x1b"])
def test_no_key_of_an_answer_goes_where_the_application_moves_the_focus(key: str) -> None:
    """It moves the focus, and a key comes before the next frame, alone or as a lone Escape that
    is looked up only after a while."""
    field = Buffer()

    class Moves(Draws):
        def build(self, session: Session) -> Application[Any]:
            application = super().build(session)
            top = application.layout.current_window
            side = Window(BufferControl(field), height=1)
            application.layout = Layout(HSplit([side, application.layout.container]), top)

            async def moves(session: Session) -> object:
                asked = asyncio.create_task(session.ask("Secret? ", hidden=True))
                while "Secret?" not in session.memory:  # until it is open
                    await asyncio.sleep(0)
                    if application.layout.current_window not in (top, side):
                        session.memory["Secret?"] = True
                processor = application.key_processor
                application.layout.focus(side)
                processor.feed(KeyPress(Keys.Escape if key == "\x1b" else key, key))
                processor.process_keys()
                application.layout.focus(side)
                processor.feed(_Flush)
                processor.process_keys()
                application.layout.focus(top)
                try:
                    return await asked
                except Interrupted:
                    return "closed"

            self.use = moves
            return application

    with hosted(Moves(ask)) as host, host.open("try") as pilot:
        pilot.wait_for("ready").press("f2")
        if key == "x":
            pilot.wait_for("Secret?").type("yz\r").wait_for("came to 'xyz'")
        else:
            pilot.wait_for("came to 'closed'")
        assert field.text == ""
        pilot.press("k").wait_for("heard k")
        _no_mistake(host)


def test_a_question_stays_above_a_layout_that_changes_meanwhile() -> None:
    class Changes(Draws):
        def build(self, session: Session) -> Application[Any]:
            application = super().build(session)

            async def later(session: Session) -> object:
                asked = asyncio.create_task(session.ask("Still here? "))
                top = application.layout.current_window
                while application.layout.current_window is top:  # until it is open
                    await asyncio.sleep(0)
                other = Window(FormattedTextControl("another layout", focusable=True))
                application.layout = Layout(other)
                application.invalidate()
                return await asked

            self.use = later
            return application

    with hosted(Changes(ask)) as host, host.open("try") as pilot:
        pilot.wait_for("ready").press("f2").wait_for("Still here?").wait_for("another layout")
        pilot.type("yes\r").wait_gone("Still here?").wait_for("another layout")


def test_a_person_who_goes_instead_of_answering_ends_it() -> None:
    with hosted(Draws(ask)) as host, host.open("try") as pilot:
        pilot.wait_for("ready").press("f2").wait_for("name?").drop()
        host.log.wait_for("session.end")
        _no_mistake(host)
    places = [("try", "xterm"), ("try", "dumb"), ("try it", "xterm"), ("runs it", "xterm")]
    with hosted(Talks(ask), Runs(TerminalFacts())) as host:
        for times, (line, term) in enumerate(places, 1):
            with host.open(line, term=term) as pilot:
                pilot.wait_for("name?").drop()
            host.log.wait_for("session.end", times=times)
        _no_mistake(host)


def test_a_command_knows_whether_something_has_come() -> None:
    async def wait(session: Session) -> object:
        session.print(f"before {session.readable()} {session.readable(0.01)}")
        return session.readable(DEADLINE), session.read(2), session.readable(), session.read()

    with hosted(Talks(wait)) as host, host.lines("try it") as pilot:
        pilot.wait_for("before False False").type("one").wait_for("(True, b'on', True, b'e')")


def test_what_has_come_before_a_question_answers_it() -> None:
    async def early(session: Session) -> object:
        session.print("ready")
        return session.readable(DEADLINE), await session.ask("And? ")

    with hosted(Talks(early)) as host, host.open("try it") as pilot:
        pilot.wait_for("ready").type("one\r").wait_for("(True, 'one')")


ON_A_SCREEN = "read() is for commands; on a screen bind keys, or `await session.ask(…)`"
IN_A_TALK = "read() is for commands; in a talk `await session.ask(…)`"


@pytest.mark.parametrize(
    ("typed", "read_as"),
    [
        (b"\xef\xbb\xbfone\r\ntwo\n", ["one", "two"]),
        (b"\xef\xbb\xbfone", ["one"]),
        (b"\xef\xbb\xbf", []),
        (b"\xef\xbb\xbf\xef\xbb\xbfone", ["\ufeffone"]),
        (b"one\n\xef\xbb\xbftwo", ["one", "\ufefftwo"]),
    ],
)
def test_one_byte_order_mark_in_front_is_not_text(typed: bytes, read_as: list[str]) -> None:
    with hosted(Talks(lines)) as host:
        assert host.run("try it", stdin=typed).text == f"came to {read_as}\n"


@pytest.mark.parametrize("whole", [True, False])
def test_a_line_that_is_too_long_is_refused_and_never_comes_in_pieces(whole: bool) -> None:
    came: list[str] = []

    async def collect(session: Session) -> object:
        came.extend(session.lines())
        return None

    with hosted(Talks(collect)) as host:
        text = b"first\n" + b"x" * (1 << 20) + b"\n"
        assert host.run("try it", stdin=text).status == 0
        assert [len(line) for line in came] == [5, 1 << 20]
        came.clear()
        outcome = host.run("try it", stdin=text[:-1] + b"x" + b"\nlast\n" * whole)
    assert outcome.status == 1
    assert "a line of more than 1.0 MB is too long" in outcome.errors
    assert came == ["first"]


@pytest.mark.parametrize("use", [read, lines, line_blocks])
@pytest.mark.parametrize(("app", "term", "sentence"), [
    (Draws, "xterm", ON_A_SCREEN), (Talks, "xterm", IN_A_TALK), (Talks, "dumb", IN_A_TALK),
])  # fmt: skip
def test_only_a_command_reads(
    use: Use, app: Callable[[Use], App], term: str, sentence: str
) -> None:
    with hosted(app(use)) as host, host.open("try", term=term) as pilot:
        if app is Draws:
            pilot.wait_for("ready").press("f2")
        pilot.wait_for("because of an error in it")
        error = host.log.wait_for("app.error")["error"]
    assert isinstance(error, MisuseError)
    assert str(error) == sentence
    at = error.__traceback__
    files = []
    while at is not None:
        files.append(at.tb_frame.f_code.co_filename)
        at = at.tb_next
    assert __file__ in files, "the trace names the author's own line"


@pytest.mark.parametrize("term", ["xterm", "dumb"])
def test_a_talk_that_waits_can_be_left_in_every_way(term: str) -> None:
    leaving: list[tuple[Callable[[Pilot], object], int | None]] = [
        (lambda pilot: pilot.drop(), None),
        (lambda pilot: pilot.press("c-c"), 130),
    ]
    if term != "dumb":
        leaving.append((lambda pilot: pilot.press("escape"), 130))
    with hosted(Talks(ask)) as host:
        for times, (leave, status) in enumerate(leaving, 1):
            with host.open("try", term=term) as pilot:
                pilot.wait_for("name?")
                leave(pilot)
                if status is not None:
                    assert pilot.wait_end() == status
                host.log.wait_for("session.end", times=times)
        _no_mistake(host)
        assert host.log.named("app.stuck") == []
        assert host.host.stuck_threads == 0


def test_the_way_to_the_menu_leads_out_of_a_talk_that_waits() -> None:
    with hosted(Talks(ask), bundled=["menu"]) as host, host.open() as pilot:
        pilot.wait_for("Try").press("enter").wait_for("leave")
        pilot.press("c-]").wait_for("Try")
        pilot.press("c-c")
        assert pilot.wait_end() == 0
        _no_mistake(host)


def test_a_talk_that_asks_again_and_again_ends_when_its_person_leaves() -> None:
    async def stubborn(session: Session) -> object:
        for _ in range(3):
            try:
                await session.ask("Well? ")
            except BaseException:  # noqa: BLE001 - as an author might write it
                continue
        return None

    for term in ("xterm", "dumb"):
        with hosted(Talks(stubborn)) as host, host.open("try", term=term) as pilot:
            host.log.wait_for("app.start")
            pilot.drop()
            host.log.wait_for("session.end")
            assert host.host.stuck_threads == 0
