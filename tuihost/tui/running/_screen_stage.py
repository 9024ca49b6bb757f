"""The stage of full-screen Applications: of those that authors build, and of talks."""

from __future__ import annotations

from collections.abc import Sequence
from traceback import walk_tb
from typing import TYPE_CHECKING, Any

from prompt_toolkit.application.application import Application

from tuihost.errors import Disconnected, MisuseError
from tuihost.phrases import as_sentence
from tuihost.tui.running._transcript import ScreenLine, Transcript, box_columns
from tuihost.tui.running.stages import LoopStage, printed
from tuihost.wire import Stream

if TYPE_CHECKING:
    from tuihost.session.progress import ProgressLine
    from tuihost.session.session import Session
    from tuihost.theme.theme import Theme
    from tuihost.tui.running._background import Background
    from tuihost.tui.running._overlay import Overlay
    from tuihost.tui.running._talk_screen import TalkScreen
    from tuihost.tui.terminal.output import TerminalOutput
    from tuihost.tui.terminal.terminal import Terminal


def _in_a_frame(error: BaseException) -> bool:
    """Whether it was raised while an Application was drawn."""
    codes = (frame.f_code for frame, _ in walk_tb(error.__traceback__))
    return any(code is Application._redraw.__code__ for code in codes)


class ScreenStage(LoopStage):
    """What is asked and said is shown by the talk that runs, or over the Application that does.

    What was printed and could not be seen any more is shown by the next Application, and in the
    end on the person's own screen.
    """

    def __init__(
        self, terminal: Terminal, theme: Theme, output: TerminalOutput, background: Background
    ) -> None:
        super().__init__(terminal, theme)
        self.output = output
        self._background = background
        self.application: Application[Any] | None = None
        self.talk: TalkScreen | None = None
        self._session: Session | None = None
        self._overlay: Overlay | None = None
        self._said = Transcript(self, lambda: box_columns(self.facts.size.columns))

    def shows(self, application: Application[Any] | None, session: Session | None = None) -> None:
        """An Application begins, or has ended. Without a `session` it is the host's own."""
        self.application, self._session = application, session
        self._overlay = None
        if application is None:
            self.talk = None
            return
        self._color_cursor()
        if session is not None and self.talk is None and self._said:
            self._place()

    def _place(self) -> TalkScreen | Overlay | None:
        """Where it is asked and said now."""
        if self.talk is not None:
            return self.talk
        if self._overlay is None and self.application is not None and self._session is not None:
            from tuihost.tui.running._overlay import Overlay  # drawn with widgets: not for all

            self._overlay = Overlay(self._session, self.application, self._said)
        return self._overlay

    def says(self, error: BaseException) -> bool:
        """Says why something was not done, over the Application that goes on. False if there is
        none, or if `error` kept it from being drawn, which would happen again."""
        gone = self.application is None or self.application.is_done
        return not gone and not _in_a_frame(error) and self.tell(as_sentence(str(error)))

    def tell(self, sentence: str) -> bool:
        """Says something of the host's own, soon, and not twice if it is still to be read. False on
        a page of the host, which has no room for it."""
        if self._place() is None:
            return False

        def tell() -> None:
            if not self._said.ends_with(sentence, Stream.ERR):
                self.print((sentence,), Stream.ERR)

        self.invoke(tell)
        return True

    def unseen(self) -> list[Any]:
        """What was said over an Application and not seen before it ended; once."""
        return self._said.take()

    def show_unseen(self) -> None:
        """The session ends: nothing that was said is lost."""
        if self._said:
            self.terminal.write(printed(self.unseen(), self.facts, self.theme))

    # ---------------------------------------------------------------- what a session offers

    async def ask(self, question: str, *, hidden: bool, default: str) -> str:
        place = self._place()
        if place is None:
            raise Disconnected("the screen is gone")
        return await place.ask(question, hidden=hidden, default=default)

    async def say(self, what: Any) -> None:
        self.print((what,), Stream.OUT)

    def print(self, items: Sequence[Any], stream: Stream) -> None:
        (self._place() or self._said).print(items, stream)

    def write(self, data: bytes, stream: Stream) -> None:
        (self._place() or self._said).write(data, stream)

    def read(self, limit: int) -> bytes:
        raise self._only_for_commands("read")

    def readable(self, seconds: float) -> bool:
        raise self._only_for_commands("readable")

    def _only_for_commands(self, method: str) -> MisuseError:
        if self.talk is None:
            instead = "on a screen bind keys, or `await session.ask(…)`"
        else:
            instead = "in a talk `await session.ask(…)`"
        return MisuseError(f"{method}() is for commands; {instead}")

    def progress_line(self) -> ProgressLine:
        place = self._place()
        return ScreenLine(self._said, lambda: None) if place is None else place.progress_line()

    @property
    def light(self) -> bool | None:
        return self._background.light

    def copy(self, text: str) -> bool:
        return self.output.copy(text)

    def theme_changed(self, theme: Theme) -> None:
        super().theme_changed(theme)
        if self.application is not None:
            self._color_cursor()
            self.application.invalidate()

    def _color_cursor(self) -> None:
        """Gives the cursor the colour of the words, with the next frame, if it is the terminal's
        own and was meant for a ground unlike that of the theme."""
        text = self.theme.roles["text"]
        covered = bool(self.theme.roles_for(self.facts.colors)["text"].bg)
        unlike = self._background.light is not None and self._background.light == self.theme.dark
        self.output.set_cursor_color(text.fg if covered and unlike else "")
