"""The shell on a screen: the line that you type, and above it the output of earlier ones."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from functools import partial
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding.bindings.auto_suggest import load_auto_suggest_bindings
from prompt_toolkit.layout.containers import Float, FloatContainer
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.layout.menus import CompletionsMenu
from prompt_toolkit.utils import get_cwidth
from prompt_toolkit.widgets import SearchToolbar, TextArea

from tuihost import Interrupted, Launch, Session, Stream
from tuihost.widgets import HSplit, Keymap, RichView, RowWindow, Screen, TextLimit

from .completion import KnownCommands, ShellCompleter, ShellLexer
from .keys import shell_keys
from .language import ParseError, Pipeline, parse
from .pipes import NoInput
from .remembered import aliases_of, history_of
from .running import STOPPED, CannotRun, RunningPipeline, sentence, should_run
from .screen_output import ScreenOutput
from .transcript import Transcript, harmless, plain

AHEAD = 1000  # lines that may be typed or pasted while another runs
MAX_INPUT = 100_000  # characters that are typed or pasted before Enter runs them
INDENT = 3  # cells of the prompt
NOTHING_TO_READ = b"Nothing is typed into a command here: name a file, or use < or |.\n"
WELCOME = "Type help for commands. Tab completes."  # one row at 40 columns


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
        self.rows = RowWindow(self.transcript, focusable=False, on_scroll=self.scroll)
        self._fit()
        if not self.transcript.row_count():
            self.transcript.say([("class:muted", WELCOME)])
        self._to_end()
        self.search = SearchToolbar()
        self.input = self._input()
        TextLimit(self.input.buffer, self._refused, MAX_INPUT)
        self.body = FloatContainer(
            HSplit([self.rows, self.input, self.search], key_bindings=shell_keys(self).bindings),
            floats=[Float(CompletionsMenu(max_height=8), xcursor=True, ycursor=True)],
        )
        self.screen = Screen(
            session, "Shell", self.body, status=self._status, leave=self.leave, quits=False
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
        """Wraps the transcript for the window as it is now. What is in view stays there."""
        width = max(10, self.session.terminal.size.columns - 2)
        if width != self.transcript.width:
            follows = self.rows.offset >= self.rows.last_offset
            top = self.transcript.wrap(width, self.rows.offset)
            self.rows.offset = self.transcript.row_count() if follows else top

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
                self.leave()
            case ("clear" | "cls" | "reset", *_):
                self.transcript.clear()
            case ("open", name) | (name,) if name in self.known.apps and name not in self.builtins:
                if name == self.session.app:
                    return True
                self.leave(Launch(name))
            case _:
                return False
        return True

    def _start(self, pipeline: Pipeline) -> bool:
        """Starts a pipeline. False if that failed at once."""
        paged = pipeline.commands[-1][0].text == "page" and pipeline.output_file is None
        self.output = ScreenOutput(self.session, self.show, self.ask, paged=paged)
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
        if output is not None and output.full and status == STOPPED:
            status = 0  # as of a pager that somebody leaves before the end
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

        @keys.add("escape", "q", "c-c", label="back", rank=10)
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

    def leave(self, to: Launch | None = None) -> None:
        """Leaves, to another app if one is named. What was to follow does not run."""
        self.stop()
        self.screen.exit(0 if to is None else to)
