"""Notes as files: `sftp HOST`, folder `notes`, each note a text named after its number and title.

Writing over a file changes that note; a new file becomes a note of its own, under the next number.
A change that was made elsewhere meanwhile is never lost: the text becomes another note then.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tuihost import FileError, FileInfo, FileTree, OpenFile, OpenMode, Reason
from tuihost import ReadOnlyTree as NoFolders

from .limits import MAX_NOTE
from .note import Draft, Note, NotesError, Summary
from .store import Store

Names = tuple[str, ...]
READ = OpenMode()
MAX_BYTES = 2 * MAX_NOTE  # line ends of two bytes become one
_NUMBER = re.compile(r"(\d{1,15})(?:-[^/]*)?\.md")


class NotesTree(NoFolders):
    """A `FileTree` of one person's notes."""

    def __init__(self, store: Store, owner: str) -> None:
        self._store = store
        self._owner = owner
        self._named: dict[str, int] = {}  # what was written here under a name of its own

    def info(self, names: Names) -> FileInfo:
        if not names:
            return FileInfo("", folder=True, mode=0o755)
        return _info(self._note(names), names[-1])

    def list(self, names: Names) -> Sequence[FileInfo]:
        if names:
            raise FileError(Reason.NO_SUCH)
        try:
            found = self._store.summaries(self._owner)
        except NotesError as error:
            raise _failed(error) from None
        return [FileInfo(_name(note), size=note.size, modified=note.changed) for note in found]

    def open(self, names: Names, mode: OpenMode = READ) -> OpenFile:
        if len(names) != 1:
            raise FileError(Reason.NO_SUCH)
        note = self._find(names)
        if note is None and not mode.create:
            raise FileError(Reason.NO_SUCH)
        if note is not None and mode.new:
            raise FileError(Reason.EXISTS)
        return _NoteFile(self, names[0], note, mode)

    def change(
        self,
        names: Names,
        *,
        size: int | None = None,
        mode: int | None = None,
        modified: float | None = None,
    ) -> None:
        """Nobody can set the times and modes of a note, but clients ask for it after a copy."""
        self._note(names)
        if size is not None:
            raise FileError(Reason.NOT_SUPPORTED)

    def remove(self, names: Names) -> None:
        note = self._note(names)
        try:
            self._store.remove(self._owner, note.number)
        except NotesError as error:
            raise _failed(error) from None

    def keep(self, name: str, note: Note | None, text: str) -> None:
        """Keeps what was written."""
        try:
            if note is None:
                self._named[name] = self._store.add(self._owner, text).number
            else:
                draft = Draft(0, note.number, note.revision, 0.0, text)
                self._named[name] = self._store.save(self._owner, draft).note.number
        except NotesError as error:
            raise _failed(error) from None

    def _note(self, names: Names) -> Note:
        note = self._find(names) if len(names) == 1 else None
        if note is None:
            raise FileError(Reason.NO_SUCH)
        return note

    def _find(self, names: Names) -> Note | None:
        name = names[0]
        number = self._named.get(name)
        if number is None:
            found = _NUMBER.fullmatch(name)
            if found is None:
                return None
            number = int(found[1])
        try:
            return self._store.get(self._owner, number)
        except NotesError as error:
            raise _failed(error) from None


class _NoteFile:
    """One note that is open: read, or written in memory until it is closed."""

    def __init__(self, tree: NotesTree, name: str, note: Note | None, mode: OpenMode) -> None:
        self._tree = tree
        self._name = name
        self._note = note
        self._writes = mode.write
        kept = b"" if note is None or mode.empty else note.text.encode()
        self._data = bytearray(kept)
        self._changed = mode.write and (note is None or mode.empty)

    def read(self, offset: int, size: int) -> bytes:
        return bytes(self._data[offset : offset + size])

    def write(self, offset: int, data: bytes) -> None:
        if not self._writes:
            raise FileError(Reason.DENIED)
        if offset + len(data) > MAX_BYTES:
            raise FileError(Reason.NO_SPACE, "that is too long for a note")
        if offset > len(self._data):
            self._data.extend(bytes(offset - len(self._data)))
        self._data[offset : offset + len(data)] = data
        self._changed = True

    def info(self) -> FileInfo:
        changed = self._note.changed if self._note is not None else 0.0
        return FileInfo(self._name, size=len(self._data), modified=changed)

    def change(
        self, *, size: int | None = None, mode: int | None = None, modified: float | None = None
    ) -> None:
        if size is None:
            return
        if not self._writes or size > MAX_BYTES:
            raise FileError(Reason.DENIED)
        del self._data[size:]
        self._data.extend(bytes(size - len(self._data)))
        self._changed = True

    def close(self, *, keep: bool = True) -> None:
        if not (keep and self._changed):
            return
        try:
            text = self._data.decode()
        except UnicodeDecodeError:
            raise FileError(Reason.FAILED, "a note has to be text in UTF-8") from None
        self._tree.keep(self._name, self._note, text)


def tree_of(store: Store, owner: str) -> FileTree:
    """The notes of one person, as files."""
    return NotesTree(store, owner)


def _name(note: Summary) -> str:
    title = re.sub(r"[^\w]+", "-", note.title.lower()).strip("-")[:40].strip("-")
    return f"{note.number}-{title}.md" if title else f"{note.number}.md"


def _info(note: Note, name: str) -> FileInfo:
    return FileInfo(name, size=len(note.text.encode()), modified=note.changed)


def _failed(error: NotesError) -> FileError:
    text = str(error).rstrip(".")
    return FileError(Reason.FAILED, f"{text[:1].lower()}{text[1:]}")
