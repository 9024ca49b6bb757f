"""Runs Applications and talks, one after another, on one person's Terminal.

Thread: the session's own; `stop` may be called from any. An Application is run with an event
loop of its own, made for this run and closed after it, so nothing of one program is left for
the next. prompt_toolkit's own exception handler is off (it prints to the server's stdout and asks
the person to press Enter); what an app raises comes out of `run_screen` and `run_talk`.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from prompt_toolkit.application import create_app_session
from prompt_toolkit.application.application import Application
from prompt_toolkit.styles import BaseStyle

from tuihost.errors import Disconnected, Interrupted, TookTooLong, TookTooMuch
from tuihost.logs import Event, EventLog
from tuihost.session.held_memory import HeldMemory
from tuihost.session.session import Launch, Result, Session
from tuihost.tui.defaults import share_defaults
from tuihost.tui.rendering.renderer import HostRenderer, install
from tuihost.tui.running._background import Background
from tuihost.tui.running._screen_stage import ScreenStage
from tuihost.tui.running.loop import LoopKind, close_loop, new_loop
from tuihost.tui.running.stages import LoopStage
from tuihost.tui.server_actions import refuse_server_actions
from tuihost.tui.terminal.input import TerminalInput
from tuihost.tui.terminal.output import TerminalOutput
from tuihost.tui.widgets.keymap import takes_text
from tuihost.wire import WindowChange

if TYPE_CHECKING:
    from tuihost.theme.theme import Theme
    from tuihost.tui.terminal.terminal import Terminal

CLEANUP = 0.2
"""Seconds that the tasks of a program have after its end."""

ESCAPE_GRACE = 1.0
"""Seconds that an Application has to leave by itself when the person asked for the menu."""


class ReturnToMenu(Exception):
    """The person pressed the keys that lead back to the menu."""


class EndedByHost(Exception):
    """The host ends the program, while the person is still there."""


class StopStep(Enum):
    """How a program whose person is gone is asked to stop, one step after the other."""

    CANCEL = auto()
    STOP_LOOP = auto()


class Runner:
    """One person's programs. Made and used on the session's thread."""

    def __init__(
        self,
        terminal: Terminal,
        theme: Theme,
        log: EventLog,
        *,
        escape: str | None,
        pasted: HeldMemory,
    ) -> None:
        share_defaults()
        refuse_server_actions()
        self._log = log
        self.terminal = terminal
        self.output = TerminalOutput(terminal)
        self._pasted = pasted
        self.input = TerminalInput(
            terminal,
            on_reply=lambda reply: self.background.heard(reply),
            on_refused=self._paste_refused,
            room=self._paste_room,
            takes_text=takes_text,
        )
        self.background = Background(self.input, self.output)
        self.stage = ScreenStage(terminal, theme, self.output, self.background)
        self._task: asyncio.Task[Any] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._fault: BaseException | None = None
        self._cut_off = self._stopped = False
        self._ended_by: BaseException | None = None
        self._renderer: HostRenderer | None = None
        self._held = ExitStack()
        self.input.escape = escape
        self.can_escape = True
        self.input.on_escape = self._escape

    # ---------------------------------------------------------------- running

    def run_screen(
        self,
        build: Callable[[], Application[Any]],
        loop: LoopKind = "light",
        session: Session | None = None,
    ) -> Result:
        """Runs what `build` makes until it ends; `session` may ask and print above it.

        Raises `Disconnected` when the person is gone, `ReturnToMenu` when they asked for the menu,
        and whatever the app raised, from wherever: a key, a frame, a background task.
        """

        async def play() -> Result:
            self.stage.enter(asyncio.get_running_loop())
            application = build()
            self._renderer = install(application, self.terminal, self._style)
            self.background.ask()
            self.stage.shows(application, session)
            self.terminal.attached_anew = self._repaint
            if application.full_screen:
                application.pre_run_callables.append(self._hold_the_end)
            application.pre_run_callables.append(self._release)
            application.pre_run_callables.append(self.input.take_back)
            result = await application.run_async(set_exception_handler=False, handle_sigint=False)
            return result if isinstance(result, (int, Launch)) else None

        try:
            return self._run(play(), loop, self.stage)
        finally:
            self.stage.shows(None)
            self.terminal.attached_anew = None
            if self._renderer is not None:
                self._renderer.let_go()

    def run_talk_screen(
        self,
        session: Session,
        title: str,
        talk: Callable[[Session], Awaitable[Result]],
        loop: LoopKind = "light",
    ) -> Result:
        """Runs a talk on a full screen."""
        from tuihost.tui.running._talk_screen import TalkScreen  # drawn with widgets: not for all

        def build() -> Application[Any]:
            self.stage.talk = TalkScreen(session, title)
            return self.stage.talk.build(talk, self.stage.unseen())

        return self.run_screen(build, loop)

    def run_talk(
        self,
        talk: Callable[[], Awaitable[Result]],
        stage: LoopStage,
        loop: LoopKind = "light",
    ) -> Result:
        """Runs a talk line by line; Ctrl-C ends it with status 130."""

        async def play() -> Result:
            stage.enter(asyncio.get_running_loop())
            return await talk()

        self._release()

        try:
            return self._run(play(), loop, stage)
        except KeyboardInterrupt:
            return 130

    def _run(
        self,
        main: Coroutine[Any, Any, Result],
        kind: LoopKind,
        stage: LoopStage,
    ) -> Result:
        """Runs one program on a loop of its own, and clears up behind it."""
        loop = self._loop = new_loop(kind)
        if self._ended_by is not None:  # looked at last: `end` tells a loop that it finds
            main.close()
            self._close(loop)
            raise self._ended_by
        loop.set_exception_handler(self._unhandled)
        self._fault = None
        context = contextvars.copy_context()
        with self._app_session(context):
            try:
                task = self._task = loop.create_task(main, context=context)
                self.terminal.bind(
                    loop, resized=lambda: self._resized(stage), ended=lambda: self._end(stage)
                )
                return self._result_of(task, loop, stage)
            finally:
                self._task = None
                self.terminal.unbind()
                stage.leave()
                self._close(loop)

    def _result_of(
        self, task: asyncio.Task[Result], loop: asyncio.AbstractEventLoop, stage: LoopStage
    ) -> Result:
        """Runs the program to its end. Raises what it raised, wherever that was; `Disconnected`
        if it was cut off."""
        try:
            result = loop.run_until_complete(task)
        except Disconnected:
            raise
        except (EOFError, asyncio.CancelledError) as error:
            if self._fault is not None:
                raise self._fault from None
            if stage.ended or self._cut_off:
                raise Disconnected("the person is gone") from error
            raise
        except RuntimeError as error:
            if self._stopped:  # "Event loop stopped before Future completed."
                raise Disconnected("the person is gone") from error
            raise
        if self._fault is not None:
            raise self._fault
        return result

    @contextmanager
    def _app_session(self, context: contextvars.Context) -> Iterator[None]:
        """Gives prompt_toolkit the input and output of this session, in `context`. It is entered
        outside the program's task: one that is cut off could not leave it in the right context."""
        app_session = create_app_session(input=self.input, output=self.output)
        context.run(app_session.__enter__)
        try:
            yield
        finally:
            context.run(app_session.__exit__, None, None, None)

    def _style(self) -> BaseStyle:
        """The theme's, as the terminal that is attached now can show it."""
        return self.stage.theme.style_for(self.stage.facts.colors)

    def _close(self, loop: asyncio.AbstractEventLoop) -> None:
        """Ends what the program left behind: its tasks get a moment to clean up."""
        loop.set_exception_handler(lambda loop, context: None)
        self._loop = None
        if not close_loop(loop, CLEANUP):
            self._log.warning(Event.APP_STUCK, what="tasks that do not end")

    def _hold_the_end(self) -> None:
        """What the Application writes when it leaves goes out with the first frame of the next
        one: a person does not see their own screen flash up between two apps."""
        application = self.stage.application
        assert application is not None
        assert application.future is not None

        def hold(future: object) -> None:
            self._held = ExitStack()
            self._held.enter_context(self.output.held())

        application.future.add_done_callback(hold)

    def _release(self) -> None:
        self._held.close()

    def close(self) -> None:
        """The session ends: the last screen is left, and what prompt_toolkit remembers of the
        session is forgotten."""
        self._release()
        self.output.flush()
        self.stage.show_unseen()
        self.input.close()
        self._pasted.close()

    def _paste_refused(self, sentence: str) -> None:
        self.stage.tell(sentence)

    def _paste_room(self, count: int) -> str:
        try:
            self._pasted.add(count)
        except TookTooMuch as error:
            return str(error)
        return ""

    # ---------------------------------------------------------------- what happens meanwhile

    def _unhandled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An exception in a key binding, in a frame or in a task that nobody awaits. Work that went
        over its limits costs a sentence, unless the screen cannot be drawn without it."""
        error = context.get("exception")
        if isinstance(error, (Disconnected, Interrupted, asyncio.CancelledError)):
            return
        if isinstance(error, (TookTooLong, TookTooMuch)) and self.stage.says(error):
            return
        if self._fault is None:
            self._fault = error or RuntimeError(str(context.get("message")))
        self._leave(self._fault)

    def _leave(self, error: BaseException) -> None:
        """Ends the program with `error`; an Application gets to restore the screen."""
        application = self.stage.application
        future = application.future if application is not None else None
        if application is not None and future is not None and not future.done():
            application.exit(exception=error)
        elif self._task is not None:
            self._fault = self._fault or error
            self._task.cancel()

    def _escape(self) -> None:
        if not self.can_escape or self._loop is None:
            return
        task = self._task
        error = ReturnToMenu()

        def insist() -> None:
            if task is not None and not task.done():
                self._fault = error
                task.cancel()

        self._loop.call_later(ESCAPE_GRACE, insist)
        self._leave(error)

    def _resized(self, stage: LoopStage) -> None:
        size = self.terminal.facts.size
        if self.stage.application is not None:
            self.stage.application.invalidate()
        stage.deliver(WindowChange(size.columns, size.rows))

    def _repaint(self) -> None:
        application = self.stage.application
        if application is not None:
            self.input.start_over()
            self.output.use(self.terminal.facts)
            self.background.start_over()
            self.background.ask()
            assert self._renderer is not None, "it is shown"
            self._renderer.attached()
            application.invalidate()

    def _end(self, stage: LoopStage) -> None:
        """The channel is gone. An Application notices by its input; a talk may not be reading."""
        if stage is not self.stage and self._task is not None:
            self._cut_off = True
            self._task.cancel()

    # ---------------------------------------------------------------- stopping, from any thread

    def end(self, error: BaseException) -> None:
        """Ends the program that runs now, or the next to start, with `error`. Any thread."""
        self._ended_by = error
        loop = self._loop
        if loop is None:
            return
        try:
            loop.call_soon_threadsafe(self._leave, error)
        except RuntimeError:
            return  # it ended by itself; the next one will not start

    def stop(self, step: StopStep) -> None:
        """Asks a program whose person is gone to stop. Any thread."""
        loop, task = self._loop, self._task
        if loop is None or task is None:
            return

        def act() -> None:
            if self._loop is not loop:
                return  # the program has ended, and its loop is being cleared
            self._cut_off = True
            task.cancel()
            if step is StopStep.STOP_LOOP:
                self._stopped = True
                loop.stop()

        try:
            loop.call_soon_threadsafe(act)
        except RuntimeError:
            return  # it ended by itself meanwhile
