"""What the input side relies on in prompt_toolkit, one fact a test."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import ModuleType
from typing import Any

import pytest
from prompt_toolkit.application import Application, create_app_session
from prompt_toolkit.application import application as application_module
from prompt_toolkit.application.current import set_app
from prompt_toolkit.input import DummyInput, create_pipe_input, typeahead
from prompt_toolkit.input.ansi_escape_sequences import ANSI_SEQUENCES
from prompt_toolkit.input.base import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPress, KeyPressEvent
from prompt_toolkit.key_binding.bindings.mouse import typical_mouse_events, xterm_sgr_mouse_events
from prompt_toolkit.key_binding.key_processor import _Flush
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import DummyOutput


class Recorder(Input):
    """An input that tells what an Application does with it."""

    def __init__(self, *turns: list[KeyPress], end: bool = True) -> None:
        self.turns = list(turns)
        self.calls: list[str] = []
        self.end = end
        self.ready: Callable[[], None] | None = None
        self.flushed: list[KeyPress] = []

    @property
    def closed(self) -> bool:
        self.calls.append("closed")
        return self.end and not self.turns

    def read_keys(self) -> list[KeyPress]:
        self.calls.append("read_keys")
        keys = self.turns.pop(0) if self.turns else []
        if self.turns and self.ready is not None:
            asyncio.get_running_loop().call_soon(self.ready)
        return keys

    def flush_keys(self) -> list[KeyPress]:
        self.calls.append("flush_keys")
        return self.flushed

    @contextmanager
    def attach(self, input_ready_callback: Callable[[], None]) -> Iterator[None]:
        self.calls.append("attach")
        self.ready = input_ready_callback
        asyncio.get_running_loop().call_soon(input_ready_callback)
        yield
        self.ready = None
        self.calls.append("detach")

    def detach(self) -> AbstractContextManager[None]:
        return nullcontext()

    def raw_mode(self) -> AbstractContextManager[None]:
        self.calls.append("raw_mode")
        return nullcontext()

    def cooked_mode(self) -> AbstractContextManager[None]:
        return nullcontext()

    def typeahead_hash(self) -> str:
        return f"recorder-{id(self)}"

    def fileno(self) -> int:
        raise NotImplementedError


@pytest.fixture(autouse=True)
def no_typeahead_is_left() -> Iterator[None]:
    before = dict(typeahead._buffer)
    yield
    typeahead._buffer.clear()
    typeahead._buffer.update(before)


def collecting(source: Input, *, until: str = "q") -> tuple[Application[str], list[str]]:
    bindings, seen = KeyBindings(), []

    @bindings.add(Keys.Any)
    def _(event: KeyPressEvent) -> None:
        seen.append(event.data)
        if event.data == until:
            event.app.exit(result="well")

    @bindings.add("escape")
    def _(event: KeyPressEvent) -> None:
        event.app.exit(result="escape")

    return Application(key_bindings=bindings, input=source, output=DummyOutput()), seen


def run(app: Application[str]) -> str:
    async def play() -> str:
        return await asyncio.wait_for(
            app.run_async(set_exception_handler=False, handle_sigint=False), 20
        )

    return asyncio.run(play())


# ------------------------------------------------------------------------ the Input


def test_these_are_the_methods_of_an_input() -> None:
    assert Input.__abstractmethods__ == {
        "attach",
        "closed",
        "cooked_mode",
        "detach",
        "fileno",
        "raw_mode",
        "read_keys",
        "typeahead_hash",
    }
    assert DummyInput().flush_keys() == []


def test_an_application_reads_when_called_back_and_needs_no_descriptor() -> None:
    source = Recorder([KeyPress("a")], [KeyPress("b"), KeyPress("q")], [KeyPress("x")])
    app, seen = collecting(source)
    assert run(app) == "well"
    assert seen == ["a", "b", "q"]
    assert source.calls[:2] == ["raw_mode", "attach"]
    assert source.calls[-1] == "detach"


def test_what_an_application_reads_after_its_result_is_typeahead_too() -> None:
    source = Recorder([KeyPress("q")], [KeyPress("x")])
    app, seen = collecting(source)
    assert run(app) == "well"
    assert source.calls.count("read_keys") == 2, "the callback that was on its way still reads"
    assert seen == ["q"]
    assert typeahead.get_typeahead(source) == [KeyPress("x")]


def test_an_application_looks_at_closed_after_every_read_and_ends_with_eof() -> None:
    source = Recorder([KeyPress("a")])
    app, seen = collecting(source)
    with pytest.raises(EOFError):
        run(app)
    assert seen == ["a"], "the keys of the last read are processed first"
    read = source.calls.index("read_keys")
    assert source.calls[read + 1] == "closed"


def test_an_application_flushes_by_itself_after_ttimeoutlen() -> None:
    source = Recorder([KeyPress("a")], end=False)
    source.flushed = [KeyPress(Keys.Escape, "\x1b")]
    app, _ = collecting(source)
    app.ttimeoutlen = 0.01
    assert app.timeoutlen is not None
    assert run(app) == "escape"
    assert "flush_keys" in source.calls


def test_keys_after_the_result_are_kept_for_the_next_application() -> None:
    source = Recorder([KeyPress("q"), KeyPress("a"), KeyPress(Keys.CPRResponse, "\x1b[1;1R")])
    app, _ = collecting(source)
    run(app)
    assert typeahead.get_typeahead(source) == [KeyPress("a")]


def test_typeahead_is_a_global_that_keeps_an_entry_for_every_input() -> None:
    source = Recorder([KeyPress("q")])
    app, _ = collecting(source)
    run(app)
    assert typeahead._buffer[source.typeahead_hash()] == []
    assert source.typeahead_hash() in typeahead._buffer
    typeahead.clear_typeahead(source)
    assert source.typeahead_hash() in typeahead._buffer, "so we take it out ourselves"


# ------------------------------------------------------------------------ descriptors


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_a_pipe_input_holds_two_descriptors_and_a_late_write_reaches_another_session() -> None:
    """Why there is no pipe here: a descriptor that was closed is soon somebody else's."""
    with create_pipe_input() as gone:
        descriptors = (gone.pipe.read_fd, gone.pipe.write_fd)  # type: ignore[attr-defined]
    with create_pipe_input() as other:
        pipe = other.pipe  # type: ignore[attr-defined]
        if (pipe.read_fd, pipe.write_fd) != descriptors:
            pytest.skip("another thread opened a file in between")
        gone.send_text("secret")
        assert os.read(pipe.read_fd, 100) == b"secret"


def pristine() -> ModuleType:
    """prompt_toolkit's application module as it is installed, whatever was patched meanwhile."""
    spec = importlib.util.spec_from_file_location(
        "prompt_toolkit.application._pristine", application_module.__file__
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("error", "runs"), [(AttributeError, True), (NotImplementedError, False)])
def test_a_system_command_takes_the_server_s_stdin_unless_fileno_says_not_implemented(
    error: type[Exception], runs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Endpoint(DummyInput):
        def fileno(self) -> int:
            raise error("no descriptor")

    class Sink(DummyOutput):
        def fileno(self) -> int:
            raise error("no descriptor")

    class Server:
        def fileno(self) -> int:
            return 4242

    class Popen:
        def __init__(self, command: str, **options: Any) -> None:
            started.append(options["stdin"])

        def wait(self) -> None: ...

    started: list[int] = []
    module = pristine()
    monkeypatch.setattr(module, "Popen", Popen)
    monkeypatch.setattr(sys, "stdin", Server())
    monkeypatch.setattr(sys, "stdout", Server())
    app = module.Application(input=Endpoint(), output=Sink())
    monkeypatch.setattr(app, "print_text", lambda text: None)
    command = app.run_system_command("true", wait_for_enter=False)
    if runs:
        asyncio.run(command)
        assert started == [4242]
    else:
        with pytest.raises(NotImplementedError):
            asyncio.run(command)
        assert started == []


# ------------------------------------------------------------------------ keys


def test_a_key_press_is_a_key_and_its_data() -> None:
    assert KeyPress("a").data == "a"
    assert KeyPress(Keys.Up, "\x1b[A") == KeyPress(Keys.Up, "\x1b[A")
    assert KeyPress(Keys.Up, "\x1b[A") != KeyPress(Keys.Up, "\x1bOA")
    assert Keys("c-s-up") is Keys.ControlShiftUp
    assert Keys.ControlSquareClose == "c-]"


def test_the_table_of_keys_has_the_shape_that_we_copy() -> None:
    assert all(isinstance(key, (Keys, tuple)) for key in ANSI_SEQUENCES.values())
    controls = {sequence for sequence in ANSI_SEQUENCES if len(sequence) == 1}
    assert controls == {*map(chr, range(32)), "\x7f", "\x9b"}
    assert ANSI_SEQUENCES["\x1b[200~"] is Keys.BracketedPaste


def test_both_backspaces_are_one_key() -> None:
    assert ANSI_SEQUENCES["\x7f"] is ANSI_SEQUENCES["\x08"] is Keys.Backspace


def test_the_table_still_takes_down_for_up() -> None:
    """Once it does not, `OTHERWISE` in tests/tui/terminal/test_vt100_parser.py gets shorter."""
    assert ANSI_SEQUENCES["\x1b[1;6A"] is Keys.ControlShiftDown
    assert ANSI_SEQUENCES["\x1b[1;4A"] == (Keys.Escape, Keys.ShiftDown)
    assert ANSI_SEQUENCES["\x1b[5;7~"] == (Keys.Escape, Keys.ControlPageDown)


def test_the_mouse_tables_are_keyed_by_number_and_final_character() -> None:
    assert (0, "M") in xterm_sgr_mouse_events
    assert (64, "M") in xterm_sgr_mouse_events
    assert all(isinstance(e, int) and final in "mM" for e, final in xterm_sgr_mouse_events)
    assert 32 in typical_mouse_events


def test_a_key_that_begins_a_longer_binding_acts_at_once_after_this_word() -> None:
    pressed: list[str] = []
    keys = KeyBindings()
    keys.add("escape", "x")(lambda event: pressed.append("escape x"))
    keys.add("escape")(lambda event: pressed.append("escape"))

    async def scene() -> None:
        with create_app_session(input=DummyInput(), output=DummyOutput()):
            application: Application[None] = Application(key_bindings=keys)
            processor = application.key_processor
            with set_app(application):
                processor.feed(KeyPress(Keys.Escape))
                processor.process_keys()
                assert pressed == [], "it waits for the x"
                processor.feed(_Flush)
                processor.process_keys()
                assert pressed == ["escape"]
            await application.cancel_and_wait_for_background_tasks()

    asyncio.run(scene())
