"""The shell on a screen: the line that you type, and above it the output of earlier ones."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Collection
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding.bindings.auto_suggest import load_auto_suggest_bindings
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout.containers import Float, FloatContainer, HSplit
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.layout.menus import CompletionsMenu
from prompt_toolkit.search import SearchDirection, start_search, stop_search
from prompt_toolkit.utils import get_cwidth
from prompt_toolkit.widgets import SearchToolbar, TextArea

from tuihost import Interrupted, Launch, Session, Stream, TerminalFacts, TookTooMuch, size_of
from tuihost.widgets import Keymap, RichView, RowWindow, Screen, TextLimit

from .completion import KnownCommands, ShellCompleter, ShellLexer
from .language import ParseError, Pipeline, parse
from .pipes import NoInput
from .remembered import aliases_of, history_of
from .running import STOPPED, CannotRun, RunningPipeline, sentence, should_run
from .transcript import Transcript, harmless, plain

HELD = 512 * 1024  # bytes that may wait to be shown
AHEAD = 1000  # lines that may be typed or pasted while another runs
PAGED = 1_000_000  # bytes of output for one page
PAGE_COST = 6  # bytes that a page holds for each of them: its text twice, and where lines begin
MAX_INPUT = 100_000  # characters that are typed or pasted before Enter runs them
INDENT = 3  # cells of the prompt
NOTHING_TO_READ = b"Nothing is typed into a command here: name a file, or use < or |.\n"
WELCOME = "Type help for commands. Tab completes."  # one row at 40 columns


class ScreenOutput:
    """The transcript as what commands write to, from any thread. One that writes faster than the
    screen shows it has to wait."""

    def __init__(self, shell: ShellScreen, *, paged: bool) -> None:
        self._shell = shell
        self.paged = paged
        self.cut = ""
        """Why a page has not all of it."""
        self._parts: deque[bytes] = deque()
        self._held = 0
        self._memory = shell.session.hold()
        self._due = self._closed = False
        self._changed = threading.Condition()
        terminal = shell.session.terminal
        size = replace(terminal.size, columns=max(10, terminal.size.columns - 2))
        self.facts: TerminalFacts = terminal.resized(size)

    def write(self, data: bytes, stream: Stream) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self.paged or self._held < HELD or self._closed)
            if self._closed:
                raise Interrupted("the line was stopped")
            if self.paged:
                data = self._what_fits(data)
            self._parts.append(data)
            self._held += len(data)
            if self.cut:
                raise Interrupted("the page is full")
            due, self._due = self._due, True
        if not due and not self.paged:
            self._shell.session.invoke(self.flush)

    def _what_fits(self, data: bytes) -> bytes:
        """As much of it as the page has room for, which it takes."""
        if self._held + len(data) > PAGED:
            data = data[: PAGED - self._held]
            self.cut = f"A page holds {size_of(PAGED)}; the rest is not shown."
        try:
            self._memory.add(len(data) * PAGE_COST)
        except TookTooMuch as error:
            self.cut = f"The rest is not shown: {error}."
            return b""
        return data

    async def ask(self, question: str, *, hidden: bool, default: str) -> str:
        """Asks over the shell. The command's thread."""
        answer: Future[str] = Future()
        self._shell.session.invoke(lambda: self._shell.ask(question, hidden, default, answer))
        return await asyncio.wrap_future(answer)

    def take(self) -> bytes:
        """What waits to be shown."""
        with self._changed:
            data = b"".join(self._parts)
            self._parts.clear()
            self._held, self._due = 0, False
            self._changed.notify_all()
        return data

    def flush(self) -> None:
        """Shows what waits. The session's thread."""
        if not self.paged and (data := self.take()):
            self._shell.show(data)

    def close(self) -> None:
        """Nobody is looking any more: a command that waits is told. Any thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def forget(self) -> None:
        """The page is not shown any more, or there is none. The session's thread."""
        with self._changed:
            self._closed = True
            self._memory.close()


def _under_the_prompt(line: int, wrapped: int) -> str:
    """What stands before a row of the input: the prompt itself is before the first one."""
    return " " * INDENT if line or wrapped else ""


class ShellScreen:
    """One person's shell. The transcript is still there when they come back from another app.

    Thread: the session's, unless said otherwise."""

    def __init__(self, session: Session, builtins: Collection[str]) -> None:
        assert session.other_apps is not None, "the host gives every app the others"
        self.session = session
        self.other_apps = session.other_apps
        self.builtins = builtins
        self.known = KnownCommands(
            self.other_apps.apps(),
            builtins,
            session.app,
            lambda: aliases_of(session),
            self.other_apps.files,
            self.other_apps.familiar_words(),
        )
        self.running: RunningPipeline | None = None
        self.output: ScreenOutput | None = None
        self._paged: ScreenOutput | None = None
        self.status = 0
        self._rest: deque[Pipeline] = deque()
        self._ahead: deque[str] = deque()
        self.transcript: Transcript = session.memory.setdefault("transcript", Transcript())
        self._fit()
        if not self.transcript.row_count():
            self.transcript.say([("class:muted", WELCOME)])
        self.rows = RowWindow(self.transcript, focusable=False, on_scroll=self.scroll)
        self.search = SearchToolbar()
        self.input = self._input()
        TextLimit(self.input.buffer, self._refused, MAX_INPUT)
        self.body = FloatContainer(
            HSplit([self.rows, self.input, self.search], key_bindings=self._keys().bindings),
            floats=[Float(CompletionsMenu(max_height=8), xcursor=True, ycursor=True)],
        )
        self.screen = Screen(
            session, "Shell", self.body, status=self._status, leave=self._leave, quits=False
        )
        self.app: Application[Any] = self.screen.application(
            focus=self.input, key_bindings=load_auto_suggest_bindings()
        )
        self.app.before_render += lambda _: self._fit()

    def _input(self) -> TextArea:
        """The line that is typed."""
        area = TextArea(
            multiline=False,  # Enter runs it, also if several lines were pasted
            prompt=self._prompt,
            get_line_prefix=_under_the_prompt,
            lexer=ShellLexer(self.known),
            completer=ShellCompleter(self.known),
            complete_while_typing=False,
            auto_suggest=AutoSuggestFromHistory(),
            history=history_of(self.session),
            search_field=self.search,
            accept_handler=self._accept,
        )
        area.window.height = self._input_height
        return area

    # ------------------------------------------------------------------ how it looks

    def _input_height(self) -> Dimension:
        """As many rows as the line needs, or the lines that were pasted; half of the screen at
        most."""
        size = self.session.terminal.size
        room = max(1, size.columns - INDENT)
        rows = sum(1 + get_cwidth(line) // room for line in self.input.text.split("\n"))
        return Dimension.exact(max(1, min(rows, size.rows // 2)))

    def _status(self) -> str:
        if lines := self.input.text.count("\n"):
            return f"Enter runs {lines + 1:,} lines"
        if self.running is not None:
            return "running"
        return f"status {self.status}" if self.status else ""

    def _prompt(self) -> StyleAndTextTuples:
        style = "class:error" if self.status and self.running is None else "class:accent"
        sign = "…" if self.running is not None else "❯"
        shown = sign if self.session.terminal.unicode else ("." if self.running else ">")
        return [("", " "), (style, shown), ("", " ")]

    def _fit(self) -> None:
        self.transcript.width = max(10, self.session.terminal.size.columns - 2)

    def show(self, data: bytes) -> None:
        """Adds output to the transcript; it comes into view unless the person has scrolled up."""
        follows = self.rows.offset >= self.rows.last_offset
        self.transcript.write(data)
        if follows:
            self.rows.offset = self.rows.last_offset
        self.app.invalidate()

    def say(self, style: str, text: str) -> None:
        self.transcript.say([(style, harmless(text))])
        self._to_end()

    def ask(self, question: str, hidden: bool, default: str, answer: Future[str]) -> None:
        """Asks for a command, whose thread waits for `answer` and may call the question off."""

        async def asks() -> None:
            try:
                given = await self.session.ask(question, hidden=hidden, default=default)
            except Interrupted as error:
                with suppress(InvalidStateError):  # the command did not wait
                    answer.set_exception(error)
            except asyncio.CancelledError:
                answer.cancel()
                raise
            else:
                with suppress(InvalidStateError):
                    answer.set_result(given)

        task = self.app.create_background_task(asks())

        def call_off() -> None:
            task.cancel()

        def settled(answer: Future[str]) -> None:
            if answer.cancelled():
                self.session.invoke(call_off)

        answer.add_done_callback(settled)

    def _to_end(self) -> None:
        self.rows.offset = self.transcript.row_count()

    def scroll(self, rows: int) -> None:
        """Moves the transcript's view."""
        self.rows.scroll(rows)

    # ------------------------------------------------------------------ running lines

    def _accept(self, buffer: Buffer) -> bool:
        lines = buffer.text.split("\n")
        if len(self._ahead) + len(lines) > AHEAD:
            self.say("class:error", f"At most {AHEAD:,} lines can wait; this does not run.")
            return True
        self._ahead.extend(lines)
        self._go_on()
        return False

    def paste(self, text: str) -> None:
        """Inserts a pasted text, with its line ends, and runs nothing of it: the person sees it
        first, and can change it."""
        self.input.buffer.insert_text("\n".join(text.removeprefix("\ufeff").splitlines()))

    def _go_on(self) -> None:
        """Runs the lines that wait, up to one that takes a while."""
        while self._ahead and self.running is None:
            self._run(self._ahead.popleft())

    def _refused(self, sentence: str) -> None:
        self.say("class:error", sentence)

    def _run(self, text: str) -> None:
        """Runs a line that was typed."""
        prompt = ">" if not self.session.terminal.unicode else "❯"
        self.transcript.say(
            [("class:accent", f"{prompt} "), *ShellLexer(self.known).coloured(text)]
        )
        self._to_end()
        if text.strip():
            self._begin(text)

    def _begin(self, text: str) -> None:
        try:
            self._rest = deque(parse(text, aliases_of(self.session)))
        except ParseError as error:
            self.status = 2
            self.say("class:error", sentence(error))
            return
        self._next(0)

    def _next(self, status: int) -> None:
        """Runs the next pipeline that should run after `status`."""
        self.status = status
        while self._rest:
            pipeline = self._rest.popleft()
            if not should_run(pipeline.when, self.status):
                continue
            if self._run_on_screen(pipeline):
                continue
            if self._start(pipeline):
                return
        self.running = None
        self.app.invalidate()

    def _run_on_screen(self, pipeline: Pipeline) -> bool:
        """Runs a command that only the screen can run. False if this is not one."""
        words = tuple(word.text for word in pipeline.commands[0])
        if len(pipeline.commands) > 1 or pipeline.input_file or pipeline.output_file:
            return False
        match words:
            case ("exit" | "quit" | "logout", *_):
                self._leave()
            case ("clear",):
                self.transcript.clear()
            case ("open", name) | (name,) if name in self.known.apps and name not in self.builtins:
                if name == self.session.app:
                    return True
                self._leave(Launch(name))
            case _:
                return False
        return True

    def _start(self, pipeline: Pipeline) -> bool:
        """Starts a pipeline. False if that failed at once."""
        paged = pipeline.commands[-1][0].text == "page" and pipeline.output_file is None
        self.output = ScreenOutput(self, paged=paged)
        try:
            nothing = NoInput(partial(self.output.write, NOTHING_TO_READ, Stream.ERR))
            self.running = RunningPipeline(
                self.other_apps, pipeline, self.builtins, self.output, nothing
            )
        except CannotRun as error:
            self.running, self.status = None, 1
            self.say("class:error", str(error))
            return False
        self.running.start(lambda status: self.session.invoke(lambda: self._ended(status)))
        return True

    def _ended(self, status: int) -> None:
        output, self.running = self.output, None
        if output is not None:
            data = output.take()
            if data and output.paged:
                self._page(data, output)
            else:
                output.forget()
                if data:
                    self.show(data)
        self.transcript.end_line()
        if output is not None and output.cut:
            self.say("class:error", output.cut)
        if status == STOPPED:
            self._rest.clear()
        self._next(status)
        self._go_on()

    def _page(self, data: bytes, output: ScreenOutput) -> None:
        """Shows it until the person goes back; then what it holds is given back."""
        if self._paged is not None:
            self._paged.forget()
        self._paged = output
        # Plain text: rows that rich has drawn take a hundred times as much.
        text = plain(data.decode("utf-8", "replace").replace("\r", ""))
        view = RichView(self.session, text, max_width=500)
        keys = Keymap(group="Page")

        @keys.add("escape", "q", label="back", rank=10)
        def _back(event: Any) -> None:
            output.forget()
            self.screen.show(self.body, focus=self.input)

        self.screen.show(HSplit([view], key_bindings=keys.bindings), focus=view.window)

    def stop(self) -> None:
        """Ends what runs, and forgets what was to follow."""
        self._rest.clear()
        self._ahead.clear()
        if self.output is not None:
            self.output.close()
        if self.running is not None:
            self.running.stop()

    def _leave(self, to: Launch | None = None) -> None:
        """Leaves, to another app if one is named. What was to follow does not run."""
        self.stop()
        self.screen.exit(0 if to is None else to)

    # ------------------------------------------------------------------ the keys

    def _keys(self) -> Keymap:
        keys = Keymap(group="Shell")

        def typing() -> bool:
            return not self._searching()

        @keys.add("c-c", label="stop", rank=10, when=lambda: typing() and self.running is not None)
        def _stop(event: Any) -> None:
            self.stop()

        @keys.add("c-c", label="clear line", show=False,
                  when=lambda: typing() and self.running is None)  # fmt: skip
        def _clear_line(event: Any) -> None:
            self.input.buffer.reset()

        @keys.add("c-c", "c-g", label="end the search", rank=10, when=self._searching)
        def _end_search(event: Any) -> None:
            stop_search()

        @keys.add("c-d", label="leave", rank=95, when=lambda: not self.input.text)
        def _leave(event: Any) -> None:
            self._leave()

        @keys.add("c-l", label="clear", show=False)
        def _clear(event: Any) -> None:
            self.transcript.clear()

        @keys.add(Keys.BracketedPaste.value, when=lambda: self.app.layout.has_focus(self.input))
        def _paste(event: Any) -> None:
            self.paste(event.data)

        @keys.add("c-r", label="search", rank=30, when=typing)
        def _search(event: Any) -> None:
            start_search(direction=SearchDirection.BACKWARD)

        @keys.add("pageup", label="up", show=False)
        def _up(event: Any) -> None:
            self.scroll(-self.rows.page)

        @keys.add("pagedown", label="down", show=False)
        def _down(event: Any) -> None:
            self.scroll(self.rows.page)

        self._add_completion_keys(keys)
        return keys

    def _add_completion_keys(self, keys: Keymap) -> None:
        @keys.add("tab", label="complete", rank=20)
        def _complete(event: Any) -> None:
            buffer = self.input.buffer
            if buffer.complete_state:
                buffer.complete_next()
            else:
                buffer.start_completion(insert_common_part=True)

        @keys.add("s-tab", label="complete back", show=False)
        def _back(event: Any) -> None:
            self.input.buffer.complete_previous()

        @keys.add("escape", label="close", show=False, when=self._completing)
        def _close(event: Any) -> None:
            self.input.buffer.cancel_completion()

    def _searching(self) -> bool:
        return self.app.layout.is_searching

    def _completing(self) -> bool:
        return self.input.buffer.complete_state is not None
