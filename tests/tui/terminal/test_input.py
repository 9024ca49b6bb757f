"""TerminalInput: keys out of a terminal, alone with a clock of its own and under Applications."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextvars import Context
from typing import Any

import pytest
from prompt_toolkit.application import Application
from prompt_toolkit.application.current import create_app_session
from prompt_toolkit.application.run_in_terminal import in_terminal
from prompt_toolkit.input import typeahead
from prompt_toolkit.key_binding import KeyBindings, KeyPress, KeyPressEvent
from prompt_toolkit.key_binding.key_processor import _Flush
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import DummyOutput

from tests.waiting import DEADLINE
from tuihost.terminal_facts import TerminalFacts
from tuihost.tui.terminal._held_key import HOLD_BACK
from tuihost.tui.terminal._vt100_parser import Reply
from tuihost.tui.terminal.input import ESCAPE_WAIT, KEYS_A_TURN, READ_SIZE, TerminalInput
from tuihost.tui.terminal.terminal import Terminal

# ------------------------------------------------------------------------ with a clock of our own


class Scheduled:
    def __init__(self, when: float, action: Callable[[], object]) -> None:
        self.when, self.action, self.cancelled = when, action, False

    def cancel(self) -> None:
        self.cancelled = True


class FakeLoop:
    """The methods of a loop that an input uses, on time that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls: list[Scheduled] = []

    def time(self) -> float:
        return self.now

    def call_soon(self, action: Callable[[], object], context: Context | None = None) -> Scheduled:
        return self.call_later(0, action)

    def call_later(self, delay: float, action: Callable[[], object]) -> Scheduled:
        self.calls.append(Scheduled(self.now + delay, action))
        return self.calls[-1]

    @property
    def waiting(self) -> list[Scheduled]:
        return [call for call in self.calls if not call.cancelled]

    def run(self, seconds: float = 0.0, *, turns: int = 10_000) -> None:
        """Moves time on and calls what is due, in order; fails if that does not end."""
        until = self.now + seconds
        while due := sorted(
            (call for call in self.waiting if call.when <= until), key=lambda call: call.when
        ):
            turns -= 1
            assert turns > 0, "the input never stops calling itself back"
            self.calls.remove(due[0])
            self.now = max(self.now, due[0].when)
            due[0].action()
        self.now = until


class FakeTerminal:
    def __init__(self) -> None:
        self.loop: Any = FakeLoop()
        self.data = bytearray()
        self.ended = self.closed = False
        self.reader: Callable[[], None] | None = None
        self.reads = 0

    def read(self, limit: int) -> bytes | None:
        self.reads += 1
        data = bytes(self.data[:limit])
        del self.data[:limit]
        return data or (b"" if self.ended else None)

    def set_reader(self, reader: Callable[[], None] | None) -> None:
        self.reader = reader

    def type(self, data: bytes | str) -> None:
        self.data += data.encode() if isinstance(data, str) else data
        if self.reader is not None:
            self.reader()

    def end(self) -> None:
        self.ended = True
        if self.reader is not None:
            self.reader()


class Reader:
    """Reads as an Application does, and keeps what it got in each turn."""

    def __init__(self, terminal: FakeTerminal, **options: Any) -> None:
        self.input = TerminalInput(terminal, **options)
        self.turns: list[list[KeyPress]] = []

    def ready(self) -> None:
        self.turns.append(self.input.read_keys())

    @property
    def keys(self) -> list[str]:
        keys = [key for turn in self.turns for key in turn if key is not _Flush]
        return [str(getattr(key.key, "value", key.key)) for key in keys]


@pytest.fixture
def terminal() -> FakeTerminal:
    return FakeTerminal()


@pytest.fixture
def reader(terminal: FakeTerminal) -> Iterator[Reader]:
    reader = Reader(terminal)
    with reader.input.attach(reader.ready):
        yield reader
    assert not terminal.loop.waiting, "a callback was left behind"


def test_keys_come_as_they_are_typed(terminal: FakeTerminal, reader: Reader) -> None:
    terminal.type("hi\x1b[A")
    assert reader.keys == ["h"], "the next one when what this one sets going has begun"
    terminal.loop.run()
    assert reader.keys == ["h", "i", "up"]


def test_what_was_typed_before_the_attach_comes_at_once(terminal: FakeTerminal) -> None:
    terminal.type("early")
    reader = Reader(terminal)
    with reader.input.attach(reader.ready):
        assert reader.keys == []
        terminal.loop.run()
        assert reader.keys == list("early")


def test_a_turn_has_a_limit_and_the_rest_comes_by_itself(
    terminal: FakeTerminal, reader: Reader
) -> None:
    terminal.type("\x1b[A" * 200)
    assert [len(turn) for turn in reader.turns] == [KEYS_A_TURN]
    terminal.loop.run()
    assert reader.keys == ["up"] * 200
    assert max(len(turn) for turn in reader.turns) == KEYS_A_TURN


def test_what_a_key_begins_gets_the_keys_behind_it_in_a_flood_too(
    terminal: FakeTerminal, reader: Reader
) -> None:
    terminal.type("\x03" * 200)
    terminal.loop.run()
    assert [len(turn) for turn in reader.turns if turn] == [1] * 200


def test_a_key_that_may_be_held_down_waits_for_what_follows(
    terminal: FakeTerminal, reader: Reader
) -> None:
    terminal.type("\r")
    terminal.loop.run()
    reader.input.ignore_held_key()
    terminal.loop.run(0.3)
    terminal.type("\r")
    terminal.loop.run(HOLD_BACK / 2)
    assert reader.keys == ["c-m"]
    terminal.loop.run(HOLD_BACK)
    assert reader.keys == ["c-m", "c-m"]


def test_a_key_that_is_held_down_is_dropped(terminal: FakeTerminal, reader: Reader) -> None:
    terminal.type("\r")
    reader.input.ignore_held_key()
    terminal.loop.run(0.5)
    for _ in range(90):
        terminal.type("\r")
        terminal.loop.run(0.033)
    terminal.type("b\r")
    terminal.loop.run(1.0)
    assert reader.keys == ["c-m", "b", "c-m"]


@pytest.mark.parametrize("pieces", [["\x1b" * 3], ["\x1b"] * 3, ["\x1b\x1b", "\x1b"]])
def test_an_escape_does_not_wait_in_the_application_for_the_next(
    terminal: FakeTerminal, reader: Reader, pieces: list[str]
) -> None:
    """prompt_toolkit would act on both at once, and close what the first has opened."""
    for piece in pieces:
        terminal.type(piece)
        terminal.loop.run(ESCAPE_WAIT / 2)
    terminal.loop.run(ESCAPE_WAIT)
    assert reader.keys == ["escape"] * 3
    got = [key for turn in reader.turns for key in turn]
    assert [key is _Flush for key in got] == [False, True] * 3


def test_a_key_in_doubt_goes_to_the_next_application(terminal: FakeTerminal) -> None:
    first = Reader(terminal)
    with first.input.attach(first.ready):
        terminal.type("\r")
        first.input.ignore_held_key()
        terminal.type("\r")
        terminal.loop.run(HOLD_BACK / 2)
    second: list[list[KeyPress]] = []
    with first.input.attach(lambda: second.append(first.input.read_keys())):
        terminal.loop.run(HOLD_BACK)
        assert [key.key for turn in second for key in turn] == [Keys.ControlM]
    assert not terminal.loop.waiting


def test_bytes_stay_in_the_terminal_until_they_are_wanted(
    terminal: FakeTerminal, reader: Reader
) -> None:
    terminal.type("x" * 100_000)
    assert len(terminal.data) == 100_000 - READ_SIZE
    terminal.loop.run()
    assert len(reader.keys) == 100_000


def test_a_long_paste_does_not_hold_up_the_loop(terminal: FakeTerminal, reader: Reader) -> None:
    terminal.type(b"\x1b[200~" + b"x" * 500_000)
    assert terminal.reads <= 17
    terminal.loop.run()
    assert terminal.data == b""
    terminal.type(b"\x1b[201~")
    assert [len(key.data) for turn in reader.turns for key in turn] == [500_000]


def test_typing_longer_than_a_read_keeps_every_enter(
    terminal: FakeTerminal, reader: Reader
) -> None:
    text = ("x" * (READ_SIZE - 2)) + "\ra\rb\r"
    terminal.type(text)
    terminal.loop.run()
    assert "".join(key.data for turn in reader.turns for key in turn) == text
    assert reader.keys.count("c-m") == 3


# ------------------------------------------------------------------------ Escape


def test_a_lone_escape_acts_after_its_wait(terminal: FakeTerminal, reader: Reader) -> None:
    terminal.type("\x1b")
    terminal.loop.run(ESCAPE_WAIT - 0.001)
    assert reader.keys == []
    terminal.loop.run(0.002)
    assert reader.keys == ["escape"]
    assert terminal.loop.now < 0.06


def test_escape_does_not_wait_when_something_follows(
    terminal: FakeTerminal, reader: Reader
) -> None:
    terminal.type("\x1b")
    terminal.loop.run(0.04)
    terminal.type("\x1b")
    assert reader.keys == ["escape"]
    terminal.loop.run(0.04)
    assert reader.keys == ["escape"]
    terminal.loop.run(0.02)
    assert reader.keys == ["escape", "escape"]
    assert not terminal.loop.waiting


def test_a_sequence_cut_in_two_is_one_key(terminal: FakeTerminal, reader: Reader) -> None:
    terminal.type("\x1b")
    terminal.loop.run(0.03)
    terminal.type("[")
    terminal.loop.run(0.03)
    terminal.type("1;")
    assert not terminal.loop.waiting, "a sequence that has begun needs no timer"
    terminal.loop.run(10)
    terminal.type("5A")
    assert reader.keys == ["c-up"]


def test_a_loop_that_comes_late_looks_for_the_rest_first(
    terminal: FakeTerminal, reader: Reader
) -> None:
    terminal.type("\x1b")
    terminal.data += b"[B"  # arrived, but the loop was busy until after the wait
    terminal.loop.run(ESCAPE_WAIT)
    assert reader.keys == ["down"]


def test_no_timer_in_a_paste_or_a_reply(terminal: FakeTerminal, reader: Reader) -> None:
    for begun in (b"\x1b[200~abc\x1b", b"[201~\x1b]11;rgb:\x1b"):
        terminal.type(begun)
        terminal.loop.run()
        assert not terminal.loop.waiting
    terminal.type("\\")
    assert reader.keys == ["<bracketed-paste>"]


def test_ptk_s_own_flush_gives_nothing(terminal: FakeTerminal, reader: Reader) -> None:
    terminal.type("\x1b")
    assert reader.input.flush_keys() == []
    terminal.loop.run(ESCAPE_WAIT)
    assert reader.keys == ["escape"]


def test_an_escape_typed_between_two_readers_is_timed_for_the_second(
    terminal: FakeTerminal,
) -> None:
    reader = Reader(terminal)
    with reader.input.attach(reader.ready):
        terminal.type("\x1b")
    assert not terminal.loop.waiting
    terminal.loop = FakeLoop()  # each Application runs on a loop of its own
    with reader.input.attach(reader.ready):
        terminal.loop.run(ESCAPE_WAIT)
        assert reader.keys == ["escape"]


# ------------------------------------------------------------------------ the end


def test_closed_when_the_end_was_read_and_every_key_delivered(
    terminal: FakeTerminal, reader: Reader
) -> None:
    terminal.data += b"\x1b[A" * 100
    terminal.end()
    assert not reader.input.closed
    terminal.loop.run()
    assert len(reader.keys) == 100
    assert reader.input.closed


def test_closed_when_the_terminal_says_so(terminal: FakeTerminal, reader: Reader) -> None:
    terminal.closed = True
    assert not reader.input.closed
    reader.ready()
    assert reader.input.closed


def test_an_escape_before_the_end_is_a_key(terminal: FakeTerminal, reader: Reader) -> None:
    terminal.data += b"\x1b"
    terminal.end()
    terminal.loop.run()
    assert reader.keys == ["escape"]
    assert reader.input.closed


def test_a_terminal_attached_anew_goes_on(terminal: FakeTerminal, reader: Reader) -> None:
    terminal.type("\x1b[200~lost")
    terminal.end()
    assert reader.input.closed
    terminal.ended = False
    reader.input.start_over()
    terminal.type("a")
    assert reader.keys == ["a"]
    assert not reader.input.closed
    terminal.loop.run()


def test_close_leaves_nothing_behind(terminal: FakeTerminal) -> None:
    reader = Reader(terminal)
    with reader.input.attach(reader.ready):
        terminal.data += b"a" * 30 + b"\x1b"
        reader.ready()
        typeahead.store_typeahead(reader.input, [KeyPress("a")])
        reader.input.close()
        assert not terminal.loop.waiting
        assert terminal.reader is None
        assert reader.input.closed
        assert reader.input.typeahead_hash() not in typeahead._buffer


# ------------------------------------------------------------------------ attach and detach


def test_attaching_nests(terminal: FakeTerminal) -> None:
    outer, inner = Reader(terminal), []
    source = outer.input
    with source.attach(outer.ready):
        with source.attach(lambda: inner.extend(source.read_keys())):
            terminal.type("a")
        with source.detach():
            assert terminal.reader is None
            terminal.type("b")
            terminal.loop.run()
        terminal.loop.run()
    assert inner == [KeyPress("a")]
    assert outer.keys == ["b"]
    assert terminal.reader is None
    terminal.type("c")
    assert outer.keys == ["b"]


def test_an_application_that_was_cut_off_does_not_take_the_keys_of_the_next(
    terminal: FakeTerminal,
) -> None:
    reader = Reader(terminal)
    cut_off = reader.input.attach(lambda: None)
    cut_off.__enter__()
    with reader.input.attach(reader.ready):
        cut_off.__exit__(None, None, None)
        terminal.type("a")
        assert reader.keys == ["a"]
    reader.input.close()


# ------------------------------------------------------------------------ the host's key


def test_the_host_s_key_is_taken_out_before_the_application(terminal: FakeTerminal) -> None:
    escapes: list[None] = []
    reader = Reader(terminal, on_escape=lambda: escapes.append(None))
    with reader.input.attach(reader.ready):
        terminal.type("unread\x1dnext")
        assert escapes == [], "not inside the Application"
        terminal.loop.run()
        assert len(escapes) == 1
        assert reader.keys == list("unreadnext"), "what was typed before it is still the app's"
        terminal.type("\x1b[93;5u")  # the same key from a newer terminal
        terminal.loop.run()
        assert len(escapes) == 2


def test_the_host_s_key_is_no_key_in_a_paste(terminal: FakeTerminal) -> None:
    escapes: list[None] = []
    reader = Reader(terminal, on_escape=lambda: escapes.append(None))
    with reader.input.attach(reader.ready):
        terminal.type("\x1b[200~a\x1db\x1b[201~")
        terminal.loop.run()
    assert escapes == []
    assert [key.data for turn in reader.turns for key in turn] == ["ab"]


@pytest.mark.parametrize("options", [{"escape": None, "on_escape": lambda: None}, {}])
def test_without_an_escape_the_key_is_the_application_s(
    terminal: FakeTerminal, options: dict[str, Any]
) -> None:
    reader = Reader(terminal, **options)
    with reader.input.attach(reader.ready):
        terminal.type("\x1d")
        terminal.loop.run()
    assert reader.keys == ["c-]"]


def test_the_host_s_key_can_be_named_as_in_bindings(terminal: FakeTerminal) -> None:
    escapes: list[None] = []
    reader = Reader(terminal, escape="c-\\", on_escape=lambda: escapes.append(None))
    with reader.input.attach(reader.ready):
        terminal.type("\x1c\x1d")
        terminal.loop.run()
    assert len(escapes) == 1
    assert reader.keys == ["c-]"]


# ------------------------------------------------------------------------ pausing, dropping


def test_while_paused_keys_wait_where_they_are(terminal: FakeTerminal, reader: Reader) -> None:
    reader.input.paused = True
    terminal.type("abc")
    terminal.loop.run()
    assert reader.keys == []
    assert terminal.data == b"abc"
    reader.input.paused = False
    terminal.loop.run()
    assert reader.keys == ["a", "b", "c"]
    assert not reader.input.paused


def test_drop_pending_forgets_all_that_was_typed(terminal: FakeTerminal) -> None:
    reader = Reader(terminal)
    source = reader.input
    with source.attach(reader.ready):
        terminal.type("\x1b[A" * 100)
        typeahead.store_typeahead(source, [KeyPress("x")])
        terminal.data += b"unread" * 2000 + b"\x1b[200~half"
        source.drop_pending()
        before = len(reader.keys)
        terminal.loop.run()
        assert len(reader.keys) == before
        assert typeahead.get_typeahead(source) == []
        terminal.type(b" a paste\x1b[201~y")
        terminal.loop.run()
        assert [key.data for turn in reader.turns for key in turn][-2:] == ["\x1b[A", "y"]
    source.close()


def test_drop_pending_without_a_reader_needs_no_loop(terminal: FakeTerminal) -> None:
    reader = Reader(terminal, on_escape=lambda: None)
    terminal.loop = None
    terminal.data += b"abc\x1d\x1b"
    reader.input.drop_pending()
    assert terminal.data == b""


# ------------------------------------------------------------------------ small promises


def test_every_input_has_a_name_of_its_own(terminal: FakeTerminal) -> None:
    first, second = TerminalInput(terminal), TerminalInput(terminal)
    assert first.typeahead_hash() == first.typeahead_hash() != second.typeahead_hash()


def test_there_is_no_descriptor(terminal: FakeTerminal) -> None:
    with pytest.raises(NotImplementedError):
        TerminalInput(terminal).fileno()
    with TerminalInput(terminal).raw_mode(), TerminalInput(terminal).cooked_mode():
        pass


def test_replies_go_where_they_were_asked(terminal: FakeTerminal) -> None:
    replies: list[str] = []
    reader = Reader(terminal, on_reply=replies.append)
    with reader.input.attach(reader.ready):
        reader.input.expect(Reply.KEYBOARD)
        reader.input.expect(Reply.CURSOR_POSITION)
        terminal.type("\x1b[?1u\x1b[3;1R\x1b[3;1R")
        terminal.loop.run()
    assert replies == ["\x1b[?1u"]
    assert reader.keys == ["<cursor-position-response>"]


# ------------------------------------------------------------------------ under real Applications


class Line:
    """A person's channel: bytes pushed from any thread, read by the app's."""

    number = 0
    congested = False

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._data = bytearray()
        self._wake: Callable[[], None] | None = None
        self.closed = False

    def type(self, data: bytes) -> None:
        with self._lock:
            self._data += data
            wake = self._wake
        if wake is not None:
            wake()

    def hang_up(self) -> None:
        self.closed = True
        self.type(b"")

    def set_wake(self, wake: Callable[[], None] | None) -> None:
        with self._lock:
            self._wake = wake

    def read(self, limit: int = 65536) -> bytes | None:
        with self._lock:
            data = bytes(self._data[:limit])
            del self._data[:limit]
        return data or (b"" if self.closed else None)

    def write(self, data: Any, stream: Any = None) -> int:
        return len(data)

    def wait(self, ready: Callable[[], bool], timeout: float | None = None) -> bool:
        return ready()

    def finish(self, end: Any) -> None: ...

    def close(self) -> None: ...


def hosted(
    play: Callable[[TerminalInput, Line], Any], **options: Any
) -> tuple[list[Any], threading.Thread]:
    """Starts `play`, a coroutine function, as a session: a thread, a loop, a terminal."""
    line, outcome = options.pop("line"), []

    def run() -> None:
        terminal = Terminal(line, TerminalFacts())
        source = TerminalInput(terminal, **options)
        loop = asyncio.new_event_loop()
        terminal.bind(loop)
        try:
            with create_app_session(input=source, output=DummyOutput()):
                outcome.append(loop.run_until_complete(play(source, line)))
        except BaseException as error:  # noqa: BLE001 - the outcome, whatever it is
            outcome.append(error)
        finally:
            source.close()
            terminal.unbind()
            loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return outcome, thread


def finished(outcome: list[Any], thread: threading.Thread) -> Any:
    thread.join(DEADLINE)
    assert not thread.is_alive(), f"the session did not end within {DEADLINE} s"
    return outcome[0]


def application(
    *, until: str = "q", seen: list[str], then: Callable[[str], None] = lambda key: None
) -> Application[list[str]]:
    """Collects keys until `until` is pressed, and returns them."""
    bindings = KeyBindings()

    @bindings.add(Keys.Any)
    @bindings.add("escape", eager=True)
    @bindings.add(Keys.BracketedPaste)
    def _(event: KeyPressEvent) -> None:
        press = event.key_sequence[0]
        seen.append(press.data if press.key == Keys.BracketedPaste else str(press.key))
        then(seen[-1])
        if press.key == until:
            event.app.exit(result=seen)

    app: Application[list[str]] = Application(key_bindings=bindings)
    app.ttimeoutlen = 1000.0  # the input's own timer is what counts
    return app


async def run(app: Application[list[str]]) -> list[str]:
    return await app.run_async(set_exception_handler=False, handle_sigint=False)


def test_an_application_gets_keys_and_a_lone_escape() -> None:
    line = Line()

    async def play(source: TerminalInput, line: Line) -> list[str]:
        def then(key: str) -> None:
            if key == "b":
                line.type(b"\x1b")
            elif key == str(Keys.Escape):
                line.type(b"\x1b[200~p\r\nq\x1b[201~q")

        return await run(application(seen=[], then=then))

    outcome, thread = hosted(play, line=line)
    line.type(b"ab")
    assert finished(outcome, thread) == ["a", "b", str(Keys.Escape), "p\nq", "q"]


def test_an_application_ends_with_eof_when_the_person_goes() -> None:
    line = Line()
    seen: list[str] = []

    async def play(source: TerminalInput, line: Line) -> list[str]:
        return await run(application(seen=seen, then=lambda key: line.hang_up()))

    outcome, thread = hosted(play, line=line)
    line.type(b"a")
    assert isinstance(finished(outcome, thread), EOFError)
    assert seen == ["a"]


def test_an_application_on_a_terminal_that_is_gone_ends_at_once() -> None:
    line = Line()
    line.hang_up()

    async def play(source: TerminalInput, line: Line) -> list[str]:
        return await run(application(seen=[]))

    assert isinstance(finished(*hosted(play, line=line)), EOFError)


def test_keys_typed_ahead_go_to_the_next_application() -> None:
    line = Line()
    line.type(b"aq" + b"\x1b[A" * 200 + b"bq")

    async def play(source: TerminalInput, line: Line) -> Any:
        first = await run(application(seen=[]))
        return first, await run(application(seen=[]))

    first, second = finished(*hosted(play, line=line))
    assert first == ["a", "q"]
    assert second == [str(Keys.Up)] * 200 + ["b", "q"]


def test_a_flood_of_the_key_that_ended_an_application_does_nothing_in_the_next() -> None:
    line = Line()
    line.type(b"q" * 200 + b"bq")

    async def play(source: TerminalInput, line: Line) -> Any:
        first = await run(application(seen=[]))
        following = application(seen=[])
        following.pre_run_callables.append(source.take_back)
        return first, await run(following)

    assert finished(*hosted(play, line=line)) == (["q"], ["b", "q"])


def test_keys_typed_before_a_password_are_not_its() -> None:
    line = Line()
    line.type(b"aqtyped too early")

    async def play(source: TerminalInput, line: Line) -> Any:
        await run(application(seen=[]))
        source.drop_pending()
        line.type(b"sq")
        return await run(application(seen=[]))

    assert finished(*hosted(play, line=line)) == ["s", "q"]


def test_nothing_is_read_while_something_else_has_the_terminal() -> None:
    line = Line()

    async def play(source: TerminalInput, line: Line) -> Any:
        during: list[Any] = []

        async def borrow() -> None:
            async with in_terminal():
                line.type(b"for the app")
                during.append(source._terminal.read(3))
            line.type(b"q")

        def then(key: str) -> None:
            if key == "!":
                app.create_background_task(borrow())

        app = application(seen=[], then=then)
        return await run(app), during

    outcome, thread = hosted(play, line=line)
    line.type(b"!")
    seen, during = finished(outcome, thread)
    assert during == [b"for"]
    assert seen == ["!", *" the app", "q"]


def test_the_host_s_key_ends_an_application_from_outside() -> None:
    line = Line()
    line.type(b"\x1d")

    async def play(source: TerminalInput, line: Line) -> Any:
        app = application(seen=[])
        source.on_escape = lambda: app.exit(result=["menu"])
        return await run(app)

    assert finished(*hosted(play, line=line)) == ["menu"]


def test_a_session_leaves_nothing_in_prompt_toolkit() -> None:
    before = dict(typeahead._buffer)
    line = Line()
    line.type(b"qx")

    async def play(source: TerminalInput, line: Line) -> Any:
        return await run(application(seen=[]))

    finished(*hosted(play, line=line))
    assert typeahead._buffer == before
