"""The notes on disk: one SQLite file for everybody, each account's under its key.

Two rules: nobody's text is ever lost to another save, and whatever cannot be done is reported in
one sentence, a `NotesError`. Threads: any.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tuihost import size_of

from .database import database_at, told_to_people
from .guests import COST, GuestRoom
from .limits import MAX_DRAFTS, MAX_NOTE, MAX_WORDS, make_room, measured, text_of
from .note import Draft, Note, NotesError, Saved, Summary

_SOME = "SELECT number, text FROM note WHERE owner = ? AND number > ? ORDER BY number LIMIT 16"
_NOTE = "SELECT number, revision, created, changed, text FROM note WHERE owner = ? AND number = ?"


class Store:
    """All notes and drafts. Numbers count up for each account and are never used twice."""

    def __init__(self, path: Path) -> None:
        self._database = database_at(path)
        self._guest_room = GuestRoom()
        self._changed: list[str | None] = []
        self._lock = threading.Lock()
        self._held: set[int] = set()
        self._listeners: list[tuple[str, Callable[[], None]]] = []

    def open(self) -> None:
        """Makes the file, or brings an older one up to date."""
        with told_to_people():
            self._database.open()

    def close(self) -> None:
        self._database.close()

    # ------------------------------------------------------------------ reading

    def summaries(self, owner: str, words: Sequence[str] = ()) -> list[Summary]:
        """What a list shows, most recently changed first; only notes that hold all `words`. Raises
        `NotesError` for more of them than `MAX_WORDS`."""
        if len(words) > MAX_WORDS:
            raise NotesError(f"That is too much to find: {MAX_WORDS} words at most.")
        query = (
            "SELECT number, revision, created, changed, size, substr(text, 1, 1000)"
            " FROM note WHERE owner = ? ORDER BY changed DESC, number DESC"
        )
        holding = {number for number, _, _ in self._holding(owner, _folded(words))}
        with self._reading() as db:
            rows = db.execute(query, (owner,))
            return [Summary.of(*row) for row in rows if not words or row[0] in holding]

    def excerpts(self, owner: str, words: Sequence[str]) -> dict[int, str]:
        """By number, for notes that hold all `words`: the text around each of them."""
        wanted = _folded(words)
        return {
            number: " ".join(
                " … ".join(_around(text, folded.find(word)) for word in wanted).split()
            )
            for number, text, folded in self._holding(owner, wanted)
        }

    def _holding(self, owner: str, wanted: Sequence[str]) -> Iterator[tuple[int, str, str]]:
        """Number, text and folded text of the notes that hold all the words, if there are any. A
        few notes are read at a time: while all are looked through, others read the file too."""
        last = 0
        while wanted:
            with self._reading() as db:
                some = db.execute(_SOME, (owner, last)).fetchall()
            if not some:
                return
            for number, text in some:
                folded = text.casefold()
                if all(word in folded for word in wanted):
                    yield number, text, folded
            last = some[-1][0]

    def get(self, owner: str, number: int) -> Note | None:
        """One note; None if there is none of that number."""
        with self._reading() as db:
            return _find(db, owner, number)

    def drafts(self, owner: str) -> list[Draft]:
        """Texts that were never saved, the latest first; those that are being written now are
        left out."""
        query = (
            "SELECT id, number, revision, changed, text FROM draft WHERE owner = ?"
            " ORDER BY changed DESC, id DESC"
        )
        with self._reading() as db:
            drafts = [Draft(*row) for row in db.execute(query, (owner,))]
        with self._lock:
            return [draft for draft in drafts if draft.id not in self._held]

    # ------------------------------------------------------------------ writing

    def add(self, owner: str, text: str) -> Note:
        """Keeps a new note under the next number."""
        text = measured(text)
        with self._writing(owner) as db:
            return self._insert(db, owner, text)

    def save(self, owner: str, draft: Draft) -> Saved:
        """Keeps the text of `draft` and forgets the draft. Where the note that it began from was
        changed or removed meanwhile, the text becomes a note of its own, and both stay."""
        text = measured(draft.text)
        with self._writing(owner) as db:
            db.execute("DELETE FROM draft WHERE owner = ? AND id = ?", (owner, draft.id))
            if draft.number is not None:
                size, now = len(text.encode()), time.time()
                before = _find(db, owner, draft.number)
                if before is not None and before.revision == draft.revision:
                    self._make_room(db, owner, size - len(before.text.encode()))
                    db.execute(
                        "UPDATE note SET revision = revision + 1, changed = ?, size = ?, text = ?"
                        " WHERE owner = ? AND number = ?",
                        (now, size, text, owner, draft.number),
                    )
                    changed = Note(draft.number, draft.revision + 1, before.created, now, text)
                    return Saved(changed, apart=False)
            return Saved(self._insert(db, owner, text), apart=draft.number is not None)

    def remove(self, owner: str, number: int, revision: int | None = None) -> Note | None:
        """Removes a note and returns it, for `restore`; None if there is no such note. With a
        `revision`, raises `NotesError` for a note that was changed meanwhile."""
        with self._writing(owner) as db:
            note = _find(db, owner, number)
            if note is None:
                return None
            if revision not in (None, note.revision):
                raise NotesError("It was changed elsewhere meanwhile. Look at it first.")
            db.execute("DELETE FROM note WHERE owner = ? AND number = ?", (owner, number))
            return note

    def restore(self, owner: str, note: Note) -> None:
        """Brings back what was removed, as it was and under its number."""
        with self._writing(owner) as db:
            size = len(note.text.encode())
            self._make_room(db, owner, size, notes=1)
            db.execute(
                "INSERT OR IGNORE INTO note VALUES (?, ?, ?, ?, ?, ?, ?)",
                (owner, note.number, note.revision, note.created, note.changed, size, note.text),
            )

    def keep_draft(self, owner: str, draft: Draft) -> int:
        """Keeps a text that is being written; its id. A draft without an id gets one. Raises
        `NotesError` for one of more characters than a note can have bytes, or that is not text."""
        text, now = text_of(draft.text), time.time()
        if len(text) > MAX_NOTE:
            raise NotesError(f"A note can have {size_of(MAX_NOTE)}; this draft has more.")
        with self._writing(None) as db:
            query = "SELECT text FROM draft WHERE owner = ? AND id = ?"
            before = [_cost(kept) for (kept,) in db.execute(query, (owner, draft.id))]
            self._make_guest_room(db, owner, _cost(text) - sum(before))
            known = db.execute(
                "UPDATE draft SET number = ?, revision = ?, changed = ?, text = ?"
                " WHERE owner = ? AND id = ?",
                (draft.number, draft.revision, now, text, owner, draft.id),
            )
            if known.rowcount:
                return draft.id
            query = "SELECT count(*) FROM draft WHERE owner = ?"
            if db.execute(query, (owner,)).fetchone()[0] >= MAX_DRAFTS:
                raise NotesError(f"There are {MAX_DRAFTS} unsaved drafts already.")
            kept = db.execute(
                "INSERT INTO draft (owner, number, revision, changed, text) VALUES (?, ?, ?, ?, ?)",
                (owner, draft.number, draft.revision, now, text),
            )
            return kept.lastrowid or 0

    def drop_draft(self, owner: str, draft: int) -> None:
        """Forgets an unsaved text."""
        with self._writing(owner) as db:
            db.execute("DELETE FROM draft WHERE owner = ? AND id = ?", (owner, draft))

    def _insert(self, db: sqlite3.Connection, owner: str, text: str) -> Note:
        size, now = len(text.encode()), time.time()
        self._make_room(db, owner, size, notes=1)
        db.execute("INSERT OR IGNORE INTO account VALUES (?, 0)", (owner,))
        db.execute("UPDATE account SET last_number = last_number + 1 WHERE owner = ?", (owner,))
        query = "SELECT last_number FROM account WHERE owner = ?"
        (number,) = db.execute(query, (owner,)).fetchone()
        db.execute(
            "INSERT INTO note VALUES (?, ?, 1, ?, ?, ?, ?)", (owner, number, now, now, size, text)
        )
        return Note(number, 1, now, now, text)

    def _make_room(self, db: sqlite3.Connection, owner: str, size: int, notes: int = 0) -> None:
        """For so many bytes more, in so many new notes. Raises `NotesError` if there is none."""
        make_room(db, owner, size, notes)
        self._make_guest_room(db, owner, max(size, COST) if notes else size)

    def _make_guest_room(self, db: sqlite3.Connection, owner: str, size: int) -> None:
        self._changed += self._guest_room.make(db, owner, size, time.time())

    # ------------------------------------------------------------------ who else is at it

    def hold(self, owner: str, draft: int) -> None:
        """Somebody is writing this draft now: it leaves the lists of others."""
        with self._lock:
            if draft in self._held:
                return
            self._held.add(draft)
        self._tell(owner)

    def release(self, owner: str, draft: int) -> None:
        """Nobody is any more: the lists have it again, if it is still there."""
        with self._lock:
            if draft not in self._held:
                return
            self._held.discard(draft)
        self._tell(owner)

    def subscribe(self, owner: str, listener: Callable[[], None]) -> Callable[[], None]:
        """Calls `listener`, on whichever thread, after each change of this account's notes or of
        which drafts nobody is writing; returns what stops that."""
        entry = (owner, listener)
        with self._lock:
            self._listeners.append(entry)

        def stop() -> None:
            with self._lock:
                if entry in self._listeners:
                    self._listeners.remove(entry)

        return stop

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with told_to_people(), self._database.reading() as db:
            yield db

    @contextmanager
    def _writing(self, owner: str | None) -> Iterator[sqlite3.Connection]:
        """One transaction, after which the listeners of `owner` are called, and those of guests
        whose notes made room in it."""
        with told_to_people(), self._database.writing() as db:
            changed = self._changed = [owner]
            yield db
        for whose in changed:
            self._tell(whose)

    def _tell(self, owner: str | None) -> None:
        with self._lock:
            listeners = [listener for whose, listener in self._listeners if whose == owner]
        for listener in listeners:
            listener()


def _folded(words: Sequence[str]) -> list[str]:
    return [word.casefold() for word in words]


def _around(text: str, at: int) -> str:
    start = max(0, at - 20)
    return text[start : start + 80]


def _cost(text: str) -> int:
    return max(len(text.encode()), COST)


def _find(db: sqlite3.Connection, owner: str, number: int) -> Note | None:
    if not 0 < number < 2**63:  # what SQLite can count
        return None
    row = db.execute(_NOTE, (owner, number)).fetchone()
    return Note(*row) if row is not None else None
