"""Programs with windows: they run on the host, and appear on the visitor's own screen."""

from __future__ import annotations

import json as to_json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tuihost import (
    Accepts,
    App,
    AppLoadError,
    Session,
    TookTooMuch,
    TuihostError,
    X11Display,
    clean,
    command,
)

from .programs import Program, Programs, programs_of

if TYPE_CHECKING:
    from prompt_toolkit.application import Application

UNAVAILABLE = 69


class Windows(App):
    """Programs with windows, on your own screen: connect with ssh -X."""

    name = "windows"
    title = "Windows"
    description = "Programs that appear on your own screen (ssh -X)"
    group = "Everyday"
    icon = "❐"
    order = 50
    accepts = Accepts(x11=True)
    known_options = {"programs": dict}
    default_command = "list"

    def start(self) -> None:
        self.offered = programs_of(self.options)
        for program in self.offered:
            if program.missing:
                raise AppLoadError(f"there is no program {program.words[0]!r} on this machine")

    def option_mistakes(self, options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for name, line in options.get("programs", {}).items():
            try:
                (program,) = programs_of({"programs": {name: line}})
            except AppLoadError as error:
                yield "programs", str(error)
            else:
                if program.missing:
                    yield "programs", f"there is no program {program.words[0]!r} on this machine"

    def build(self, session: Session) -> Application[Any]:
        from .screen import WindowsScreen

        return WindowsScreen(session, self.offered).app

    async def talk(self, session: Session) -> int:
        """The programs, as lines."""
        for program in self.offered:
            await session.say(program.name)
        await session.say(f"To see one: ssh -X {session.ssh_target} windows run NAME")
        return 0

    def x11(self, session: Session, display: X11Display) -> int:
        """A window that the app draws itself."""
        from .drawn import Note, can_draw

        if not can_draw():
            session.error("Drawing windows needs python-xlib, which is not installed here.")
            return UNAVAILABLE
        try:
            with display.take_place():
                Note(session, display).run()
        except TookTooMuch as error:
            session.error(str(error))
            return UNAVAILABLE
        except TuihostError as error:
            session.error(f"Your screen cannot be reached: {clean(str(error))}")
            return 1
        return 0

    @command
    def list(self, session: Session, *, json: bool = False) -> None:
        """List the programs."""
        names = [program.name for program in self.offered]
        if json:
            session.print(to_json.dumps([{"name": name} for name in names], indent=2))
            return
        session.print("\n".join(names) or "None, so far.")

    @command
    def run(self, session: Session, name: str) -> int:
        """Run a program, until its window is closed or you leave."""
        program = self._named(name)
        if program is None:
            session.error(f"No program is called {clean(name, limit=40)}; see: windows list")
            return 2
        if session.display is None:
            session.error(
                "There is no screen to show it on. Connect with: "
                f"ssh -X {session.ssh_target} windows run NAME"
            )
            return UNAVAILABLE
        try:
            status = Programs(session.display, session).start(program).wait()
        except TookTooMuch as error:
            session.error(str(error))
            return UNAVAILABLE
        except (OSError, TuihostError) as error:
            if session.ended:
                raise
            session.error(f"{program.name} does not start: {clean(str(error))}")
            return 1
        if status < 0 and not session.ended:
            session.error(f"{program.name} was ended by signal {-status}.")
        return abs(status)

    def _named(self, name: str) -> Program | None:
        return next((program for program in self.offered if program.name == name), None)
