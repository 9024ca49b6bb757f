"""The programs on a screen: which there are, and which of them run."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from prompt_toolkit.application import Application

from tuihost import Session, TookTooMuch, TuihostError, clean
from tuihost.widgets import Column, HSplit, Keymap, Screen, Table, glyph, ignore_held_key

from .drawn import Note, can_draw
from .programs import Program, Programs, Running

NONE = "To see them, connect with: ssh -X -t {} windows"
NOTHING = "The operator has named no programs yet."
OWN = Program("a note drawn here", ())


class WindowsScreen:
    """One person's programs. Thread: the session's, unless a method says otherwise."""

    def __init__(self, session: Session, offered: Sequence[Program]) -> None:
        self.session = session
        display = session.display
        self.programs = Programs(display, session) if display else None
        self._notes = 0
        self.table = Table(
            session,
            [
                Column("Program", flex=1, value=lambda program: program.name),
                Column("Windows", 12, align="right", value=self._state, filterable=False),
            ],
            key=lambda program: program.name,
            on_open=self._open,
            empty=NOTHING,
        )
        if self.programs is not None:
            self.table.items = [*offered, *([OWN] if can_draw() else [])]
        else:
            self.table.items = list(offered)
        self.body = HSplit([self.table], key_bindings=self._keys().bindings)
        self.screen = Screen(session, "Windows", self.body, status=self._status)
        self.app: Application[Any] = self.screen.application(focus=self.table.window)
        if self.programs is None:
            self.screen.toast(NONE.format(self.session.ssh_target), kind="warning", seconds=30.0)

    def _status(self) -> str:
        if self.programs is None:
            return "no screen: ssh -X"
        count = len(self.programs.running) + self._notes
        return f"{count} open" if count else "on your screen"

    def _state(self, program: Program) -> str:
        if self.programs is None:
            return ""
        running = sum(run.program == program for run in self.programs.running)
        count = self._notes if program is OWN else running
        return f"{count} {glyph(self.session, 'bullet')}" if count else ""

    # ------------------------------------------------------------------ opening and closing

    def _open(self, program: Program) -> None:
        """Opens one; Enter that is held down opens no more of them."""
        ignore_held_key()
        if self.programs is None:
            self.screen.toast(NONE.format(self.session.ssh_target), kind="warning", seconds=10.0)
        elif program is OWN:
            self._draw()
        elif not self.session.may_run("run"):
            self.screen.toast("You may not run windows run.", kind="warning")
        else:
            self._run(self.programs, program)

    def _run(self, programs: Programs, program: Program) -> None:
        try:
            programs.start(program, self._ended)
        except TookTooMuch as error:
            self.screen.toast(str(error), kind="warning")
        except (OSError, TuihostError) as error:
            self.screen.toast(f"{program.name} does not start: {clean(str(error))}", kind="error")

    def _ended(self, run: Running) -> None:
        """From a thread of its own."""

        def show() -> None:
            if self.programs is not None and run in self.programs.running:
                self.programs.running.remove(run)
            self.app.invalidate()

        self.session.invoke(show)

    def _draw(self) -> None:
        display = self.session.display
        assert display is not None, "nothing is drawn without a screen"
        try:
            place = display.take_place()
        except TookTooMuch as error:
            self.screen.toast(str(error), kind="warning")
            return
        note = Note(self.session, display)

        def run() -> None:
            text = ""
            try:
                with place:
                    note.run()
            except (OSError, TuihostError) as error:
                text = f"Your screen cannot be reached: {clean(str(error))}"
            self.session.invoke(lambda: self._drawn(text))

        drawing = threading.Thread(target=run, name="windows-note", daemon=True)
        try:
            drawing.start()
        except RuntimeError:
            place.give_back()
            self.screen.toast("The host has no thread left for it.", kind="error")
        else:
            self._notes += 1

    def _drawn(self, text: str) -> None:
        self._notes -= 1
        if text:
            self.screen.toast(text, kind="error")
        self.app.invalidate()

    def _keys(self) -> Keymap:
        keys = Keymap(group="Windows")

        def running() -> bool:
            program = self.table.selected
            return program is not None and bool(self._state(program)) and program is not OWN

        @keys.add("delete", "c-d", label="close", rank=20, when=running)
        def _close(event: Any) -> None:
            for run in self.programs.running if self.programs is not None else ():
                if run.program == self.table.selected:
                    run.stop()

        return keys
