"""Notes on a screen: from the list to the editor and back."""

from __future__ import annotations

import asyncio
from typing import Any

from prompt_toolkit.application import Application

from tuihost import Session
from tuihost.widgets import HSplit, Keymap, RichView, Screen, fit

from .drawing import drawn
from .note import ADD, REMOVE, Draft, Note, NotesError, Summary, guest_hints, owner_of
from .note_list import NoteList, Row
from .store import Store
from .writing import Writing

DELETED = "Deleted; Ctrl-Z brings it back"


class NotesScreen:
    """One person's notes. Keeps their place, and their text, in `session.memory`."""

    def __init__(self, session: Session, store: Store) -> None:
        self.session = session
        self.store = store
        self.owner = owner_of(session)
        self.memory = session.memory
        self.writing: Writing | None = None
        self.reading = ""
        self._keeper: asyncio.Task[None] | None = None
        self.list = NoteList(session, store, self._keys(), self.open)
        again = Writing.again(session, store, self._closed)
        self.screen = Screen(
            session,
            self._title,
            again.body if again else self.list.body,
            status=lambda: self.writing.status() if self.writing else "",
            help_text=guest_hints(session)[0],
            min_size=(24, 6),
        )
        if again is not None:
            self._take(again)

    def _title(self) -> str:
        title = self.writing.title if self.writing is not None else self.reading
        return f"Notes: {title}" if title else "Notes"

    def application(self) -> Application[Any]:
        """A fresh Application; the loop that it will have must run already."""
        focus = self.writing.editor.area if self.writing else self.list.view.window
        self._application = application = self.screen.application(focus=focus)

        def begin() -> None:
            application.create_background_task(self._live())
            if self.writing is not None:
                self._keep_safe(self.writing)

        application.pre_run_callables.append(begin)
        return application

    async def _live(self) -> None:
        """Shows what other sessions of this account change, as long as this one runs."""
        stop = self.store.subscribe(self.owner, lambda: self.session.invoke(self._changed))
        try:
            if self.writing is not None and self.writing.editor.dirty:
                self.screen.toast("Your unsaved text is here again")
            await asyncio.get_running_loop().create_future()
        finally:
            stop()
            self.memory["filter"] = self.list.view.filter.text

    def _changed(self) -> None:
        self.list.reload()
        self._application.invalidate()

    # ------------------------------------------------------------------ the editor

    def open(self, row: Row) -> None:
        """Opens a note, or takes an unsaved text up again."""
        try:
            note = self.store.get(self.owner, row.number) if row.number is not None else None
        except NotesError as error:
            self._tell(error)
            return
        if not self.session.may_run(ADD):
            if shown := row if isinstance(row, Draft) else note:
                self._read(shown)
            else:
                self._changed()
        elif isinstance(row, Draft):
            self._write(row, note.text if note is not None else "")
        elif note is not None:
            self._write(Draft(0, note.number, note.revision, note.changed, note.text), note.text)
        else:
            self._changed()  # another session has removed it

    def _write(self, draft: Draft, saved: str) -> None:
        writing = Writing(self.session, self.store, draft, saved, self._closed)
        self._take(writing)
        self._keep_safe(writing)
        self.screen.show(writing.body, focus=writing.editor.area)

    def _read(self, note: Note | Draft) -> None:
        """Shows a note to somebody who may change none."""
        view = RichView(self.session, drawn(note.text))
        keys = Keymap(group="Note")

        @keys.add("escape", "c-c", label="back", rank=30)
        def _back(event: Any) -> None:
            self.reading = ""
            self.screen.show(self.list.body, focus=self.list.view.window)

        self.reading = note.title
        self.screen.show(HSplit([view], key_bindings=keys.bindings), focus=view.window)

    def _take(self, writing: Writing) -> None:
        self.writing = writing
        writing.screen = self.screen

    def _keep_safe(self, writing: Writing) -> None:
        self._keeper = self._application.create_background_task(writing.keep_safe())

    def _closed(self, number: int | None) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
        self.writing = self._keeper = None
        self.list.reload()
        if number is not None:
            self.list.select(number)
        self.screen.show(self.list.body, focus=self.list.view.window)

    # ------------------------------------------------------------------ the list

    def _keys(self) -> Keymap:
        keys = Keymap(group="Notes")

        def may_write() -> bool:
            return self.session.may_run(ADD)

        def may_delete() -> bool:
            return self._selected is not None and self.session.may_run(REMOVE)

        @keys.add("c-n", "insert", label="new note", rank=30, when=may_write)
        def _new(event: Any) -> None:
            self._write(Draft(), "")

        @keys.add("delete", "c-d", label="delete", rank=40, when=may_delete)
        async def _delete(event: Any) -> None:
            if self._selected is not None:
                await self.delete(self._selected)

        @keys.add("c-z", label="undo", rank=35, when=lambda: "removed" in self.memory)
        def _undo(event: Any) -> None:
            self.bring_back()

        return keys

    @property
    def _selected(self) -> Row | None:
        return self.list.view.selected

    async def delete(self, row: Row) -> None:
        """Deletes a note, or forgets an unsaved text, after a question."""
        detail = "Ctrl-Z brings it back." if isinstance(row, Summary) else "It was never saved."
        if not await self.screen.confirm(
            f"Delete “{fit(row.title, 40)}”?", detail=detail, yes="Delete", no="Keep"
        ):
            return
        try:
            if isinstance(row, Draft):
                self.store.drop_draft(self.owner, row.id)
            elif note := self.store.remove(self.owner, row.number, row.revision):
                self.memory["removed"] = note
                self.screen.toast(DELETED, seconds=6.0)
        except NotesError as error:
            self._tell(error)
        self.list.reload()

    def bring_back(self) -> None:
        """Undoes the last deletion of this visit."""
        note = self.memory["removed"]
        try:
            self.store.restore(self.owner, note)
        except NotesError as error:
            self._tell(error)
            return
        del self.memory["removed"]
        self.list.reload()
        self.list.select(note.number)
        self.screen.toasts.take_back(DELETED)
        self.screen.toast("It is back", "success")

    def _tell(self, error: NotesError) -> None:
        self.screen.toast(str(error), "error", 6.0)
