"""One note in the editor. What is typed is kept while it is typed: for this visit in the session's
memory, for the next one as a draft on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from prompt_toolkit.document import Document

from tuihost import Session
from tuihost.widgets import HSplit, Keymap, Screen, TextEditor

from .limits import MAX_NOTE
from .note import Draft, NotesError, owner_of, title_of
from .store import Store

AUTOSAVE = 1.0
"""Seconds after a key until the draft is on disk."""
SAVE, DISCARD, STAY = "Save it", "Throw the changes away", "Go on writing"
_MEMORY = "writing"


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the session remembers: the draft, what counts as saved, where the cursor stood."""

    draft: Draft
    saved: str
    cursor: int


class Writing:
    """A note being written, new or not. `on_close(number)` is called when the person is done."""

    def __init__(
        self,
        session: Session,
        store: Store,
        draft: Draft,
        saved: str,
        on_close: Callable[[int | None], None],
        cursor: int = 0,
    ) -> None:
        self.session = session
        self.store = store
        self.owner = owner_of(session)
        self.draft = draft
        self.screen: Screen
        self._problem = ""
        self._over = False
        self._on_close = on_close
        self._saved = saved
        self._on_disk = draft.text if draft.id else saved
        self._touched = asyncio.Event()
        self.editor = TextEditor(session, saved, on_save=self._save, limit=MAX_NOTE)
        text = draft.text
        self.editor.buffer.document = Document(text, min(cursor, len(text)))
        self.editor.buffer.on_text_changed += self._changed
        self.editor.buffer.on_cursor_position_changed += self._remember
        self.body = HSplit([self.editor], key_bindings=self._keys().bindings)
        if draft.id:
            store.hold(self.owner, draft.id)
        self._remember()

    @classmethod
    def again(
        cls, session: Session, store: Store, on_close: Callable[[int | None], None]
    ) -> Writing | None:
        """What the person was writing when they left the app without closing it."""
        kept = session.memory.get(_MEMORY)
        if not isinstance(kept, _Kept):
            return None
        return cls(session, store, kept.draft, kept.saved, on_close, kept.cursor)

    @property
    def title(self) -> str:
        if self.draft.number is None and not self.editor.text.strip():
            return "New note"
        return title_of(self.editor.text[:1000])

    def status(self) -> str:
        """What stands in the title line: is it saved, and where am I."""
        state = "unsaved" if self.editor.dirty else "saved" if self.draft.number else "new"
        return f"{self._problem or state}  {self.editor.position_text()}"

    # ------------------------------------------------------------------ saving

    def _save(self, text: str) -> bool:
        """Ctrl-S. False leaves the text unsaved; then the person was told why."""
        try:
            saved = self.store.save(self.owner, replace(self.draft, text=text))
        except NotesError as error:
            self.screen.toast(str(error), "error", 6.0)
            return False
        self.store.release(self.owner, self.draft.id)
        note = saved.note
        self.draft = Draft(0, note.number, note.revision, note.changed, text)
        self._saved = self._on_disk = text
        self._problem = ""
        self._remember()
        if saved.apart:
            self.screen.toast(f"Changed elsewhere: yours is now note {note.number}", "warning", 8.0)
        else:
            self.screen.toast("Saved", "success", 2.0)
        return True

    def _changed(self, _: Any) -> None:
        self._remember()
        self._touched.set()

    def _remember(self, _: Any = None) -> None:
        buffer = self.editor.buffer
        self.draft = replace(self.draft, text=buffer.text)
        self.session.memory[_MEMORY] = _Kept(self.draft, self._saved, buffer.cursor_position)

    async def keep_safe(self) -> None:
        """Keeps the draft on disk, a moment after each change and, whatever ends this task (the
        person leaves, the line drops, something crashes), at the end."""
        try:
            while True:
                await self._touched.wait()
                self._touched.clear()
                await asyncio.sleep(AUTOSAVE)
                self.keep_draft()
        finally:
            self.keep_draft()
            self.store.release(self.owner, self.draft.id)

    def keep_draft(self) -> None:
        text = self.editor.text
        if self._over or text == self._on_disk or not self.editor.dirty:
            return
        try:
            kept = self.store.keep_draft(self.owner, self.draft)
        except NotesError:
            self._problem = "draft not kept"  # the text is still here, and so is Ctrl-S
            return
        self.store.hold(self.owner, kept)
        self._problem = ""
        self.draft = replace(self.draft, id=kept)
        self._on_disk = text
        self._remember()

    # ------------------------------------------------------------------ leaving

    async def close(self) -> None:
        """Goes back to the list, after a question where something would be lost."""
        if self.editor.dirty and self.editor.text.strip():
            chosen = await self.screen.choose("This is not saved", [SAVE, DISCARD, STAY])
            if chosen == SAVE:
                await self.editor.save()
            if chosen not in (SAVE, DISCARD) or (chosen == SAVE and self.editor.dirty):
                return
        self._forget()
        self.editor.close()
        self._on_close(self.draft.number)

    def _forget(self) -> None:
        self._over = True
        self.session.memory.pop(_MEMORY, None)
        if self.draft.id:
            try:
                self.store.drop_draft(self.owner, self.draft.id)
            except NotesError as error:
                self.screen.toast(str(error), "error", 6.0)  # it will be offered once more
        self.store.release(self.owner, self.draft.id)

    def _keys(self) -> Keymap:
        keys = Keymap(group="Note")

        @keys.add("escape", "c-c", label="back", rank=30)
        async def _back(event: Any) -> None:
            await self.close()

        return keys
