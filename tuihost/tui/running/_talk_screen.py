"""A conversation on a full screen: what `session.ask` and `session.say` look like to a person.

What was said and answered stands above, the question that is open below it. The function runs
as a task of the Application; when it ends, its last words stay until the person has read them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import TYPE_CHECKING, Any

from prompt_toolkit.application.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.layout.containers import ConditionalContainer, HSplit, VSplit, Window
from prompt_toolkit.layout.controls import BufferControl, FormattedTextControl
from prompt_toolkit.layout.processors import ConditionalProcessor, PasswordProcessor
from rich.text import Text

from tuihost.session.session import Launch, Session
from tuihost.tui.layout.renderables import render_lines
from tuihost.tui.layout.rows import RowWindow
from tuihost.tui.widgets.keymap import Keymap
from tuihost.tui.widgets.screen import Screen

if TYPE_CHECKING:
    from tuihost.tui.layout.renderables import Line

Result = int | Launch | None
KEEP = 2000
"""Things said that stay to be scrolled back to."""


class _Transcript:
    """Everything said so far, as rows; drawn anew only when the width or the theme changes."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._said: list[Any] = []
        self._rows: list[Line] = []
        self._drawn_for: Hashable = None
        self.width = 80

    def add(self, what: Any) -> None:
        self._said.append(what)
        if len(self._said) > KEEP:
            del self._said[: KEEP // 4]
            self._drawn_for = None
        elif self._drawn_for is not None:
            self._rows += self._draw(what)

    def _draw(self, what: Any) -> tuple[Line, ...]:
        unicode = self._session.terminal.unicode
        return render_lines(what, self.width, self._session.theme, unicode=unicode) or ((),)

    def row_count(self) -> int:
        self.width = max(1, self._session.terminal.size.columns - 4)
        wanted = (self.width, self._session.theme.name)
        if self._drawn_for != wanted:
            self._rows = [row for what in self._said for row in self._draw(what)]
            self._drawn_for = wanted
        return len(self._rows)

    def row(self, index: int, width: int) -> StyleAndTextTuples:
        return [("", "  "), *self._rows[index]]

    def row_key(self, index: int) -> Hashable:
        return (index, id(self._rows[index]), self._drawn_for)


class Conversation:
    """One function app on one screen. Thread: the session's."""

    def __init__(self, session: Session, title: str) -> None:
        self._session = session
        self._transcript = _Transcript(session)
        self._answer: asyncio.Future[str] | None = None
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
        self._line = Window(control, height=1, style="class:input")
        prompt = Window(
            FormattedTextControl(lambda: [("class:accent", f"  {self._question}")]),
            dont_extend_width=True,
            height=1,
        )
        over = ConditionalContainer(
            Window(FormattedTextControl([("class:muted", "  Press Enter to go on")]), height=1),
            Condition(lambda: self._over),
        )
        return HSplit(
            [
                Window(height=1),
                self._view,
                ConditionalContainer(VSplit([prompt, self._line, Window(width=2)]), asking),
                over,
                Window(height=1),
            ]
        )

    def _keys(self) -> Keymap:
        keys = Keymap(group="Conversation")

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

    def _long(self) -> bool:
        return self._view.last_offset > 0

    # ---------------------------------------------------------------- running

    def build(self, talk: Callable[[Session], Awaitable[Result]]) -> Application[Any]:
        """The Application; `talk` begins with it, and its fault ends it."""
        application = self._application = self._screen.application(focus=self._line)

        async def play() -> None:
            self._result = await talk(self._session)
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

    # ---------------------------------------------------------------- ask and say

    async def ask(self, question: str, *, hidden: bool, default: str) -> str:
        """Shows the question and waits for the line that is typed below it."""
        self._question, self._hidden = question, hidden
        self._answer = asyncio.get_running_loop().create_future()
        self._unread = False
        self._buffer.text = default
        self._buffer.cursor_position = len(default)
        self._application.layout.focus(self._line)
        self._application.invalidate()
        try:
            answer = await self._answer
        finally:
            self._answer = None
        shown = "•" * len(answer) if hidden else answer
        self._transcript.add(Text.assemble((question, "accent"), shown))
        self._follow()
        return answer

    def _accepted(self, buffer: Buffer) -> bool:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(buffer.text)
        return False

    async def say(self, what: Any) -> None:
        """Adds to what stands above."""
        self._transcript.add(what)
        self._unread = True
        self._follow()

    def _follow(self) -> None:
        self._view.offset = self._transcript.row_count()
        self._application.invalidate()
