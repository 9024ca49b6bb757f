"""A talk on a full screen: what `session.ask` and `session.say` look like to a person.

What was said and answered is above, the open question below it. The function runs
as a task of the Application; when it ends, its last words stay until the person has read them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from prompt_toolkit.application.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.layout.containers import ConditionalContainer, Window
from prompt_toolkit.layout.controls import BufferControl, FormattedTextControl
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.layout.processors import ConditionalProcessor, PasswordProcessor
from rich.text import Text

from tuihost.errors import Disconnected, Interrupted, TookTooLong, TookTooMuch
from tuihost.phrases import as_sentence
from tuihost.session.session import Launch, Result, Session
from tuihost.tui.characters import one_line, width_of
from tuihost.tui.layout.rows import RowWindow
from tuihost.tui.layout.splits import HSplit, VSplit
from tuihost.tui.running._transcript import ScreenLine, Transcript
from tuihost.tui.widgets.cells import wrap
from tuihost.tui.widgets.held_key import ignore_held_key
from tuihost.tui.widgets.keymap import Keymap
from tuihost.tui.widgets.screen import Screen
from tuihost.tui.widgets.text_keys import bind_one_line
from tuihost.wire import Stream

if TYPE_CHECKING:
    from tuihost.session.progress import ProgressLine

MARGIN = 2
OVER_LIMITS = 1
"""The exit status of a talk whose work went over its limits."""
END = 10**9
"""Scrolls down as far as there are rows when they are drawn."""


class TalkScreen:
    """One talk on one screen. Thread: the session's."""

    def __init__(self, session: Session, title: str) -> None:
        self._session = session
        self._transcript = Transcript(
            session.stage, lambda: session.terminal.size.columns - 2 * MARGIN, margin=MARGIN
        )
        self._answer: asyncio.Future[str] | None = None
        self._answering = asyncio.Lock()
        self._question = ""
        self._hidden = False
        self._over = False
        self._unread = False
        self._result: Result = None
        self._buffer = Buffer(multiline=False, accept_handler=self._accepted)
        self._view = RowWindow(self._transcript, focusable=True)
        self._screen = Screen(
            session, title, self._body(), keys=self._keys(), leave=self._leave, quits=False
        )

    def _body(self) -> HSplit:
        asking = Condition(lambda: self._answer is not None)
        hidden = Condition(lambda: self._hidden)
        control = BufferControl(
            self._buffer, input_processors=[ConditionalProcessor(PasswordProcessor(), hidden)]
        )
        self._input = Window(control, height=1, style="class:input")
        above = Window(
            FormattedTextControl(lambda: [("class:accent", "\n".join(self._question_rows()[:-1]))]),
            height=lambda: Dimension.exact(len(self._question_rows()) - 1),
            dont_extend_height=True,
        )
        prompt = Window(
            FormattedTextControl(lambda: [("class:accent", self._question_rows()[-1])]),
            dont_extend_width=True,
            height=1,
        )
        line = HSplit([above, VSplit([prompt, self._input, Window(width=MARGIN)])])
        over = ConditionalContainer(
            Window(FormattedTextControl([("class:muted", "  Press Enter to go on")]), height=1),
            Condition(lambda: self._over),
        )
        return HSplit(
            [
                Window(height=1),
                self._view,
                ConditionalContainer(line, asking),
                over,
                Window(height=1),
            ]
        )

    def _question_rows(self) -> list[str]:
        """The question in as many rows as it needs; beside the last there is room to answer."""
        left, width = " " * MARGIN, self._transcript.width
        rows = [f"{left}{row}" for row in wrap(self._question, width)]
        return [*rows, left] if width_of(rows[-1]) > width * 2 // 3 else rows

    def _keys(self) -> Keymap:
        keys = Keymap(group="Talk")
        bind_one_line(keys, self._buffer, when=self._typing, refuse=self._session.error)

        @keys.add("c-c", "escape", label="leave", rank=95)
        def _leave(event: Any) -> None:
            self._leave(130)

        @keys.add("enter", label="go on", when=lambda: self._over)
        def _on(event: Any) -> None:
            self._leave(self._result)

        @keys.add("pageup", label="back", when=self._long)
        def _up(event: Any) -> None:
            self._view.scroll(-self._view.page)

        @keys.add("pagedown", label="forth", when=self._long)
        def _down(event: Any) -> None:
            self._view.scroll(self._view.page)

        return keys

    def _typing(self) -> bool:
        return self._application.layout.has_focus(self._buffer)

    def _long(self) -> bool:
        return self._view.last_offset > 0

    # ---------------------------------------------------------------- running

    def build(
        self, talk: Callable[[Session], Awaitable[Result]], said: Sequence[Any] = ()
    ) -> Application[Any]:
        """The Application; `talk` begins with it, and its fault ends it. `said` stands above."""
        for what in said:
            self._transcript.add(what)
        application = self._application = self._screen.application(focus=self._input)

        async def play() -> None:
            try:
                self._result = await talk(self._session)
            except (TookTooLong, TookTooMuch) as error:
                self.print((as_sentence(str(error)),), Stream.ERR)
                self._result = OVER_LIMITS
            except (Disconnected, Interrupted, asyncio.CancelledError) as error:
                # Not a fault in a task that nobody awaits, but this is the program itself.
                if not application.is_done:
                    application.exit(exception=error)
                return
            if isinstance(self._result, Launch) or not self._unread:
                self._leave(self._result)
            else:
                self._over = True
                application.layout.focus(self._view)
                application.invalidate()

        def begin() -> None:
            application.create_background_task(play())

        application.pre_run_callables.append(begin)
        return application

    def _leave(self, result: Result = 130) -> None:
        future = self._application.future
        if future is not None and not future.done():
            self._application.exit(result=result)

    # ---------------------------------------------------------------- asking

    async def ask(self, question: str, *, hidden: bool, default: str) -> str:
        """Shows the question and waits for the line that is typed below it."""
        async with self._answering:
            return await self._line(question, hidden=hidden, default=default)

    async def _line(self, question: str, *, hidden: bool, default: str) -> str:
        """What is typed."""
        self._question, self._hidden = question, hidden
        self._answer = asyncio.get_running_loop().create_future()
        self._unread = False
        if not self._buffer.text:  # else it was typed ahead
            self._buffer.document = Document(one_line(default))
        self._application.layout.focus(self._input)
        self._application.invalidate()
        try:
            answer = await self._answer
        finally:
            self._answer = None
            self._buffer.reset()
        shown = "•" * len(answer) if hidden else answer
        self._transcript.add(Text.assemble((question, "accent"), shown))
        self._follow()
        return answer

    def _accepted(self, buffer: Buffer) -> bool:
        if self._answer is not None and not self._answer.done():
            ignore_held_key()
            self._answer.set_result(buffer.text)
        return False

    # ---------------------------------------------------------------- showing

    def print(self, items: Sequence[Any], stream: Stream) -> None:
        """Adds to what stands above."""
        self._transcript.print(items, stream)
        self._said()

    def write(self, data: bytes, stream: Stream) -> None:
        self._transcript.write(data, stream)
        self._said()

    def progress_line(self) -> ProgressLine:
        return ScreenLine(self._transcript, self._said)

    def _said(self) -> None:
        self._unread = True
        self._follow()

    def _follow(self) -> None:
        self._view.offset = END
        self._application.invalidate()
