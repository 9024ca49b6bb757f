"""Notes: write, find and keep them, on a screen, line by line, or from your own shell."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from prompt_toolkit.application import Application

from tuihost import App, AppLoadError, FileTree, Session, ago, clean, command, size_of

from .drawing import drawn
from .files import tree_of
from .limits import MAX_NOTE
from .lines import converse
from .note import NotesError, Summary, as_json, owner_of
from .screen import NotesScreen
from .store import Store


class Notes(App):
    """Write, find and keep your notes."""

    name = "notes"
    title = "Notes"
    group = "Everyday"
    icon = "✎"
    order = 10
    known_options = ()
    default_command = "list"

    def start(self) -> None:
        self.store = Store(self.data / "notes.sqlite3")
        try:
            self.store.open()
        except NotesError as error:
            raise AppLoadError(str(error)) from error

    def stop(self) -> None:
        self.store.close()

    def build(self, session: Session) -> Application[Any]:
        return NotesScreen(session, self.store).application()

    async def talk(self, session: Session) -> int:
        return await converse(session, self.store)

    def files(self, session: Session) -> FileTree:
        return tree_of(self.store, owner_of(session))

    # ------------------------------------------------------------------ from a shell

    @command
    def list(self, session: Session, *words: str, json: bool = False) -> int:
        """List your notes, latest first: all of them, or those with every one of WORDS."""
        try:
            notes = self.store.summaries(owner_of(session), words)
        except NotesError as error:
            return _failed(session, str(error))
        if json:
            session.print(_json([as_json(note) for note in notes]))
        elif notes:
            session.print(_listing(session, notes))
        if notes:
            return 0
        if words:
            return _failed(session, f"No note of yours holds {_shown(' '.join(words))}.")
        session.error("You have no notes yet.")
        return 0

    @command
    def add(self, session: Session, *text: str, json: bool = False) -> int:
        """Keep TEXT as a new note. Without TEXT, or with "-", keep standard input."""
        try:
            given = " ".join(text) if text and text != ("-",) else _input(session)
            note = self.store.add(owner_of(session), given)
        except NotesError as error:
            return _failed(session, str(error))
        session.print(_json({"id": note.number}) if json else f"Note {note.number} added.")
        return 0

    @command
    def show(self, session: Session, id: int, *, json: bool = False) -> int:
        """Show the note with the number ID."""
        try:
            note = self.store.get(owner_of(session), id)
        except NotesError as error:
            return _failed(session, str(error))
        if note is None:
            return _failed(session, f"You have no note {id}.")
        if json:
            session.print(_json(as_json(note)))
        elif session.terminal.pty:
            session.print(drawn(note.text))
        else:
            session.write(note.text.rstrip("\n").encode() + b"\n")
        return 0

    @command
    def remove(self, session: Session, id: int) -> int:
        """Remove the note with the number ID, for good."""
        try:
            note = self.store.remove(owner_of(session), id)
        except NotesError as error:
            return _failed(session, str(error))
        if note is None:
            return _failed(session, f"You have no note {id}.")
        session.print(f"Note {id} removed: {_shown(note.title)}.")
        return 0


def _listing(session: Session, notes: Sequence[Summary]) -> str:
    """One line for each note: number, when it was changed, title."""
    now = session.host.now()
    digits = len(str(max(note.number for note in notes)))
    return "\n".join(
        f"{note.number:>{digits}}  {ago(now - note.changed, short=True):<13}  {note.title}"
        for note in notes
    )


def _failed(session: Session, sentence: str) -> int:
    session.error(sentence)
    return 1


def _shown(text: str) -> str:
    return clean(text, limit=60)


def _json(value: Any) -> str:
    # Whatever a note holds, the line is ASCII: nothing in it can steer a terminal.
    return json.dumps(value, indent=2)


def _input(session: Session) -> str:
    """Standard input as text. Raises `NotesError` if there is none, or it is not text."""
    if session.terminal.pty:
        raise NotesError("Say what to add: notes add TEXT")
    data = b""
    while chunk := session.read():
        data += chunk
        if len(data) > 2 * MAX_NOTE:
            raise NotesError(f"That is too long: a note can have {size_of(MAX_NOTE)}.")
    try:
        return data.decode("utf-8").removeprefix("\ufeff").strip("\n")
    except UnicodeDecodeError:
        raise NotesError("That is not text in UTF-8, so it was not kept.") from None


app = Notes()
