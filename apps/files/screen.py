"""Files on a screen: folder by folder, with a view of text files and an editor."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from prompt_toolkit.application import Application
from rich.text import Text

from tuihost import (
    FileError,
    FileInfo,
    Folders,
    HelperFailed,
    OpenMode,
    Reason,
    Session,
    TookTooLong,
    TookTooMuch,
    clean,
    counted,
    date_time,
    names_in,
    path_of,
    size_of,
)
from tuihost.widgets import (
    Column,
    HSplit,
    Keymap,
    RichView,
    Screen,
    Table,
    TextEditor,
    fit,
    ignore_held_key,
)

from .bin import Deleted
from .folders import NOT_YOURS, AllFolders
from .highlighting import is_code, page, tokens

Names = tuple[str, ...]
MAX_SHOWN, MAX_LINES = 200_000, 10_000  # bytes and lines of a file that can be shown and edited
SAVE, DISCARD, STAY = "Save it", "Throw the changes away", "Go on writing"
EMPTY_FILE = "This file is empty. Press e to write something into it."
EMPTY = "No files yet. Press Ctrl-N, or copy some here with sftp or scp."


class FilesScreen:
    """One person's view of their folders. Where they are is kept in `session.memory`."""

    def __init__(self, session: Session, tree: Folders, folders: AllFolders) -> None:
        self.session = session
        self.folders = folders
        self.tree = tree
        self.quota = folders.quota_of(session.account)
        self.reading: Reading | None = None
        self.here: Names = session.memory.get("here", tree.home)
        self.table = Table(
            session,
            [
                Column("Name", flex=1, value=self._name, order=_by_name),
                Column("Size", 9, align="right", style="class:muted", value=self._size,
                       order=lambda info: info.size, filterable=False),
                Column("Changed", 16, style="class:muted", value=self._day,
                       order=lambda info: info.modified, filterable=False),
            ],
            key=lambda info: info.name,
            on_open=self._open,
            empty=EMPTY if tree.list(()) else NOT_YOURS,
        )  # fmt: skip
        self.body = HSplit([self.table], key_bindings=self._keys().bindings)
        self.screen = Screen(
            session, self._title, self.body, status=self._status, leave=self._leave
        )
        self.load()
        self.app: Application[Any] = self.screen.application(focus=self.table.window)

    # ------------------------------------------------------------------ how it looks

    def _title(self) -> str:
        where = path_of(self.reading.names if self.reading else self.here)
        return f"Files: {clean(where)}"

    def _status(self) -> str:
        if self.reading is not None:
            return self.reading.status()
        return f"{size_of(self.quota.used)} of {size_of(self.quota.most)}"

    def _name(self, info: FileInfo) -> str:
        return f"{info.name}/" if info.folder else info.name

    def _size(self, info: FileInfo) -> str:
        return "" if info.folder else size_of(info.size)

    def _day(self, info: FileInfo) -> str:
        return date_time(info.modified, None) if info.modified else ""

    # ------------------------------------------------------------------ from folder to folder

    def load(self, chosen: str | None = None) -> None:
        """Shows what is in the folder now. If it is gone, shows the one above."""
        while True:
            try:
                found = list(self.tree.list(self.here))
                break
            except FileError as error:
                if not self.here:
                    self.tell(error)
                    found = []
                    break
                self.here = self.here[:-1]
        self.session.memory["here"] = self.here
        self.table.items = sorted(found, key=_by_name)
        if chosen is not None:
            self.table.select(chosen)

    def _open(self, info: FileInfo) -> None:
        if info.folder:
            self.table.filter.clear()
            self.here = (*self.here, info.name)
            self.load()
            ignore_held_key()
        else:
            self.read((*self.here, info.name))

    def up(self) -> None:
        """Goes to the folder above."""
        if self.here:
            left = self.here[-1]
            self.here = self.here[:-1]
            self.load(left)
            ignore_held_key()

    def _leave(self) -> None:
        if self.reading is not None:
            self.app.create_background_task(self.reading.close())
        elif len(self.here) > len(self.tree.home):
            self.up()
        else:
            self.screen.exit()

    # ------------------------------------------------------------------ reading and writing

    def read(self, names: Names, *, write: bool = False) -> None:
        """Shows a file, or with `write` opens it in the editor."""
        try:
            text = text_of(self.tree, names)
        except FileError as error:
            self.tell(error)
            return
        if text is None:
            self.screen.toast("This file is not text, or too long to show here", kind="warning")
            return
        self.reading = Reading(self, names, text, write=write)
        self.screen.show(self.reading.body, focus=self.reading.focus)

    def closed(self, names: Names) -> None:
        """Shows the folder again after a file."""
        self.reading = None
        self.load(names[-1])
        self.screen.show(self.body, focus=self.table.window)

    # ------------------------------------------------------------------ the keys

    def _keys(self) -> Keymap:
        keys = Keymap(group="Files")

        @keys.add("left", "backspace", label="up", rank=15, when=lambda: bool(self.here))
        def _up(event: Any) -> None:
            self.up()

        @keys.add("c-n", "insert", label="new", rank=20)
        async def _new(event: Any) -> None:
            await self._ask("Name of the new file", "", self._make_file)

        @keys.add("f7", label="new folder", rank=21)
        async def _folder(event: Any) -> None:
            await self._ask("Name of the new folder", "", self.tree.make_folder)

        @keys.add("c-t", label="bin", rank=25)
        async def _bin(event: Any) -> None:
            await self._bring_back()

        self._add_keys_for_selected(keys)
        return keys

    def _add_keys_for_selected(self, keys: Keymap) -> None:
        def selected() -> FileInfo:
            assert self.table.selected is not None, "the keys work only if something is selected"
            return self.table.selected

        def some() -> bool:
            return self.table.selected is not None

        @keys.add("right", label="open", rank=14, show=False, when=some)
        def _open(event: Any) -> None:
            self._open(selected())

        @keys.add("c-e", "f4", label="edit", rank=22, when=lambda: some() and not selected().folder)
        def _edit(event: Any) -> None:
            self.read((*self.here, selected().name), write=True)

        @keys.add("c-r", "f2", label="rename", rank=23, when=some)
        async def _rename(event: Any) -> None:
            name = selected().name
            await self._ask("New name", name, lambda names: self._rename(name, names))

        @keys.add("delete", "c-d", label="delete", rank=24, when=some)
        async def _delete(event: Any) -> None:
            await self._delete(selected())

    async def _ask(self, label: str, default: str, act: Callable[[Names], None]) -> None:
        """Asks for a name and acts on it. If that fails the question stays, and says why."""
        done: list[Names] = []

        def attempt(text: str) -> str | None:
            if not text.strip():
                return None  # nobody would see a name of blanks
            names = self.here
            try:
                if text.rstrip("/").rpartition("/")[2] in ("", ".", ".."):
                    raise FileError(Reason.BAD_NAME)
                names = names_in(self.tree, text, start=self.here, new=True)
                act(names)
            except FileError as error:
                return self._why(error, text, names[:-1])
            done.append(names)
            return None

        await self.screen.prompt(label, default=default, validate=attempt)
        if done:
            self.load(done[0][-1] if done[0] else None)

    def _why(self, error: FileError, text: str, folder: Names) -> str:
        """What is wrong with a name that somebody gave, which leads into `folder`."""
        if error.reason is Reason.DENIED and "/" in text:
            return f"Nothing can be changed in {clean(path_of(folder))}."
        if error.reason is Reason.NO_SUCH and "/" in text.strip("/"):
            return f"There is no folder {clean(text.strip('/').rpartition('/')[0])} here."
        return f"{sentence_of(error)}."

    def _make_file(self, names: Names) -> None:
        self.tree.open(names, OpenMode(read=False, write=True, create=True, new=True)).close()

    def _rename(self, name: str, to: Names) -> None:
        self.tree.rename((*self.here, name), to)

    async def _delete(self, info: FileInfo) -> None:
        names = (*self.here, info.name)
        if not await self.screen.confirm(
            f"Delete {fit(clean(info.name), 40)}?", detail=self._fate(info), yes="Delete", no="Keep"
        ):
            return
        try:
            self.folders.delete(self.session.account, self.tree, names, folder=info.folder)
        except FileError as error:
            self.tell(error)
        self.load()

    def _fate(self, info: FileInfo) -> str:
        """What becomes of something that is deleted."""
        if self.folders.has_bin(self.here):
            what = "With everything in it" if info.folder else size_of(info.size)
            return f"{what}. It stays in the bin for {counted(self.folders.bin_days, 'day')}."
        if info.folder:
            return "It has to be empty."
        return f"{size_of(info.size)}. This cannot be undone."

    async def _bring_back(self) -> None:
        """Shows the bin, and puts what is chosen back to where it was."""
        try:
            bin_ = self.folders.bin_of(self.session.account, self.tree)
            found = bin_.contents()
            if not found:
                self.screen.toast("The bin is empty")
                return
            chosen = await self.screen.choose(
                "Bring back", found, label=_path_in_bin, description=_described
            )
            if chosen is None:
                return
            bin_.restore(chosen)
        except FileError as error:
            self.tell(error)
        else:
            self.screen.toast("It is back where it was", kind="success", seconds=2.0)
            self.load(chosen.names[-1])

    def tell(self, error: FileError) -> None:
        """Shows an error."""
        self.screen.toast(sentence_of(error), kind="error")


def sentence_of(error: FileError) -> str:
    text = str(error)
    return text[:1].upper() + text[1:]


def _path_in_bin(deleted: Deleted) -> str:
    return clean("/".join(deleted.names))


def _described(deleted: Deleted) -> str:
    size = "folder" if deleted.info.folder else size_of(deleted.info.size)
    return f"{size}, deleted {date_time(deleted.when, None)}"


def _by_name(info: FileInfo) -> tuple[bool, str]:
    """Folders first."""
    return not info.folder, info.name.lower()


class Reading:
    """One file, shown or in the editor."""

    def __init__(self, files: FilesScreen, names: Names, text: str, *, write: bool) -> None:
        self.files = files
        self.names = names
        self.editor: TextEditor | None = None
        session = files.session
        self._bom = text[:1] == "\ufeff"
        self._crlf = "\r\n" in text and text.count("\n") == text.count("\r\n")
        text = text.removeprefix("\ufeff")
        if self._crlf:
            text = text.replace("\r\n", "\n")
        if write:
            self.editor = TextEditor(session, text, on_save=self._save, limit=MAX_SHOWN)
            self.focus: Any = self.editor.area
            inner: Any = self.editor
        else:
            view = RichView(session, page(text) if text else Text(EMPTY_FILE, "muted"))
            self.focus, inner = view.window, view
            if text and is_code(names[-1], text):
                files.app.create_background_task(self._colour(view, text))
        self.body = HSplit([inner], key_bindings=self._keys().bindings)

    def status(self) -> str:
        if self.editor is None:
            return "reading"
        state = "unsaved" if self.editor.dirty else "saved"
        return f"{state}  {self.editor.position_text()}"

    async def _colour(self, view: RichView, text: str) -> None:
        """Shows the text in colours, unless finding them takes too long."""
        with suppress(TookTooLong, TookTooMuch, HelperFailed):
            parts = await self.files.session.offload(tokens, self.names[-1], text, seconds=1.0)
            view.update(page(text, parts))
            self.files.app.invalidate()

    def _save(self, text: str) -> bool:
        """Writes the text, with the line ends and the byte order mark that the file had."""
        if self._crlf:
            text = text.replace("\n", "\r\n")
        if self._bom:
            text = f"\ufeff{text}"
        try:
            file = self.files.tree.open(self.names, OpenMode(write=True, create=True, empty=True))
            whole = False
            try:
                file.write(0, text.encode())
                whole = True
            finally:
                file.close(keep=whole)
        except FileError as error:
            self.files.tell(error)
            return False
        self.files.screen.toast("Saved", kind="success", seconds=2.0)
        return True

    async def close(self) -> None:
        """Goes back to the folder. Asks first if something would be lost."""
        editor = self.editor
        if editor is not None and editor.dirty:
            chosen = await self.files.screen.choose("This is not saved", [SAVE, DISCARD, STAY])
            if chosen == SAVE:
                await editor.save()
            if chosen in (None, STAY) or (chosen == SAVE and editor.dirty):
                return
        self.files.closed(self.names)

    def _keys(self) -> Keymap:
        keys = Keymap(group="File")

        @keys.add("escape", "c-c", label="back", rank=10)
        async def _back(event: Any) -> None:
            await self.close()

        @keys.add("e", "c-e", "f4", label="edit", rank=20, when=lambda: self.editor is None)
        def _edit(event: Any) -> None:
            self.files.read(self.names, write=True)

        return keys


def text_of(tree: Folders, names: Names) -> str | None:
    """The text in a file. None if it is not text, or too long."""
    file = tree.open(names)
    try:
        if file.info().size > MAX_SHOWN:
            return None
        data = file.read(0, MAX_SHOWN)
    finally:
        file.close()
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text or text.count("\n") > MAX_LINES else text
