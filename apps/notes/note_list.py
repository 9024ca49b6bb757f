"""The list of notes, with the chosen note's page beside it where there is room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prompt_toolkit.layout.containers import AnyContainer, Window
from prompt_toolkit.layout.controls import FormattedTextControl

from tuihost import Session, ago
from tuihost.widgets import HSplit, Keymap, ListView, RichView, SideBySide, fit, width_of

from .drawing import NotePage
from .note import ADD, Draft, NotesError, Summary, guest_hints, owner_of
from .store import Store

SHOWN = 8000
"""Characters of a note that its page shows: enough to recognise it."""
EMPTY = "No notes yet."
FIRST = "No notes yet: Ctrl-N writes one."
Row = Summary | Draft


class NoteList:
    """One person's notes, those left unsaved first. `keys` are what can be done with them."""

    def __init__(
        self, session: Session, store: Store, keys: Keymap, on_open: Callable[[Row], None]
    ) -> None:
        self.session = session
        self.store = store
        self.owner = owner_of(session)
        self._excerpts: tuple[list[str], dict[int, str]] = ([], {})
        self._has_drafts = False
        self.page = RichView(session)
        self.view: ListView[Row] = ListView(
            session,
            [],
            label=lambda row: row.title,
            description=self._about,
            note=lambda row: ago(session.host.now() - row.changed, short=True),
            section=self._section,
            key=_key,
            on_open=on_open,
            on_change=self._show_page,
            empty=self._empty(),
            place="list",
        )
        self.view.filter.set(session.memory.get("filter", ""))
        self.reload()
        self.body = self._body(keys)

    def reload(self) -> None:
        """Reads the list again; the chosen note stays chosen."""
        self._excerpts = ([], {})
        try:
            drafts, notes = self.store.drafts(self.owner), self.store.summaries(self.owner)
        except NotesError as error:
            drafts, notes = [], []
            self.view.empty = str(error)
        else:
            self.view.empty = self._empty()
        self._has_drafts = bool(drafts)
        self.view.items = [*drafts, *notes]
        self._show_page(self.view.selected)

    def _empty(self) -> str:
        return FIRST if self.session.may_run(ADD) else EMPTY

    def select(self, number: int) -> None:
        """Chooses the note with this number, if the filter shows it."""
        self.view.select(("note", number))

    # ------------------------------------------------------------------ one row

    def _section(self, row: Row) -> str:
        if not self._has_drafts:
            return ""
        return "Left unsaved" if isinstance(row, Draft) else "Notes"

    def _about(self, row: Row) -> str:
        """The text beside a title: how the note goes on, or where the typed words are."""
        if isinstance(row, Draft):
            return "a change that was not saved" if row.number else "a new note"
        words = self.view.filter.text.casefold().split()[:8]
        if all(word in row.title.casefold() for word in words):
            return row.preview
        return self._around(words).get(row.number, row.preview)

    def _around(self, words: list[str]) -> dict[int, str]:
        """The places where `words` occur, by number; looked for once for each filter."""
        if self._excerpts[0] != words:
            try:
                self._excerpts = (words, self.store.excerpts(self.owner, words))
            except NotesError:
                self._excerpts = (words, {})  # titles and beginnings are searched all the same
        return self._excerpts[1]

    # ------------------------------------------------------------------ the page

    def _show_page(self, row: Row | None) -> None:
        """The page is read and drawn when it comes into view, not before."""
        self.page.content = lambda _width: self._drawn(row) if row is not None else ""

    def _drawn(self, row: Row) -> Any:
        if isinstance(row, Draft):
            text = row.text
        else:
            try:
                note = self.store.get(self.owner, row.number)
            except NotesError as error:
                return str(error)
            text = note.text if note is not None else ""
        return NotePage(text[:SHOWN] + ("\n\n…" if len(text) > SHOWN else ""))

    # ------------------------------------------------------------------ layout

    def _body(self, keys: Keymap) -> HSplit:
        parts: list[AnyContainer] = [SideBySide(self.session, self.view, self.page)]
        if self.session.account.guest:
            parts.append(Window(FormattedTextControl(self._hint), height=1))
        return HSplit(parts, key_bindings=keys.bindings)

    def _hint(self) -> Any:
        room = self.session.terminal.size.columns - 4
        hints = guest_hints(self.session)
        text = next((hint for hint in hints if width_of(hint) <= room), hints[-1])
        return [("class:guest", "   " + fit(text, room))]


def _key(row: Row) -> tuple[str, int]:
    return ("draft", row.id) if isinstance(row, Draft) else ("note", row.number)
