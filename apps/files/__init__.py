"""Your files on this host, your own and shared ones: on a screen, and by `sftp` and `scp`."""

from __future__ import annotations

import json as to_json
import re
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from fnmatch import translate
from io import IncrementalNewlineDecoder
from itertools import chain
from operator import itemgetter
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tuihost import (
    App,
    FileError,
    FileInfo,
    Folders,
    OpenFile,
    OpenMode,
    Reason,
    Session,
    Short,
    clean,
    command,
    counted,
    date_time,
    iso_time,
    names_in,
    path_of,
    size_of,
)

from .bin import Bin, Deleted
from .folders import APP, NOT_YOURS, OWN, AllFolders, mistakes_in, roles_named_in

if TYPE_CHECKING:
    from prompt_toolkit.application import Application

CHUNK = 262_144
STANDARD_INPUT = "-"
MAX_PATTERN = 1000  # characters
MAX_SEARCHED = 10_000  # files and folders that one `find` looks at


class Files(App):
    """Look at, read, move and delete your files. `sftp` and `scp` show the same ones."""

    name = APP
    title = "Files"
    description = "Your files here, your own and shared ones"
    group = "Everyday"
    icon = "▣"
    order = 30
    known_options = {
        "quota": int,
        "guest_quota": int,
        "guests_quota": int,
        "entries": int,
        "bin_days": int,
        "shared": list,
    }
    default_command = "ls"

    def start(self) -> None:
        self.folders = AllFolders(self.data, self.options)

    def option_mistakes(self, options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        return mistakes_in(options)

    def roles_in(self, options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        return (("shared", role) for role in roles_named_in(options))

    def files(self, session: Session) -> Folders:
        account = session.account
        allowed = session.host.allowed_files(account, self.name, self.folders.tree_of(account))
        assert isinstance(allowed, Folders), "what is allowed of folders are folders"
        return allowed

    def build(self, session: Session) -> Application[Any]:
        from .screen import FilesScreen

        return FilesScreen(session, _all_files(session), self.folders).app

    async def talk(self, session: Session) -> int:
        """The files, as lines."""
        tree = _all_files(session)
        if not tree.list(()):
            await session.say(NOT_YOURS)
            return 1
        found = tree.list(tree.home)
        count = counted(len(found), "file") if found else "no files"
        await session.say(f"You have {count} here.")
        for info in found:
            kind = "folder" if info.folder else size_of(info.size)
            await session.say(f"{clean(info.name, limit=200)}, {kind}")
        target = session.ssh_target
        await session.say(f"Copy files with sftp or scp, or see: ssh {target} files --help")
        return 0

    # ------------------------------------------------------------------ commands

    @command
    def ls(self, session: Session, *paths: str, json: bool = False) -> int:
        """List folders, and files by themselves. Of several folders, it says which comes now."""
        data: list[dict[str, Any]] = []

        def show(path: str) -> None:
            tree = _some_files(session)
            names = names_in(tree, path)
            info = tree.info(names)
            found = list(tree.list(names)) if info.folder else [info]
            if json:
                data.extend(_data(info) for info in found)
                return
            if info.folder and len(paths) > 1:
                session.print(f"{clean(path, limit=200)}:")
            if found:
                session.print(_listed(found))

        status = _each(session, paths or ("",), show)
        if json and (data or not status):
            session.print(to_json.dumps(data, indent=2))
        return status

    @command
    def pwd(self, session: Session) -> None:
        """Show the folder that a path begins in if it has no / in front."""
        session.print(path_of(_all_files(session).home))

    @command
    def cat(self, session: Session, *paths: str) -> int:
        """Write files to standard output; on a terminal, their text without control characters.
        Without a PATH, or for `-`, it is what standard input has."""

        def show(path: str) -> None:
            if path == STANDARD_INPUT:
                _show(session, iter(session.read, b""))
                return
            tree = _some_files(session)
            file = tree.open(names_in(tree, path))
            try:
                _show(session, _pieces(file))
            finally:
                file.close()

        return _each(session, paths or (STANDARD_INPUT,), show)

    @command
    def put(
        self,
        session: Session,
        path: str,
        *,
        force: Annotated[bool, Short("f")] = False,
        progress: bool = False,
    ) -> int:
        """Keep standard input as a file. With --force it replaces one that exists."""

        def keep() -> None:
            tree = _some_files(session)
            mode = OpenMode(read=False, write=True, create=True, new=not force, empty=True)
            file, whole, at = tree.open(names_in(tree, path, new=True), mode), False, 0
            try:
                with session.progress("Bytes kept:") if progress else nullcontext() as bar:
                    while data := session.read(CHUNK):
                        file.write(at, data)
                        at += len(data)
                        if bar is not None:
                            bar.advance(len(data))
                whole = True
            finally:
                file.close(keep=whole)

        return _each(session, (path,), lambda _: keep())

    @command
    def rm(
        self,
        session: Session,
        *paths: str,
        folder: Annotated[bool, Short("r"), "Delete folders too."] = False,
        force: Annotated[bool, Short("f"), "Say nothing about what is not there."] = False,
    ) -> int:
        """Delete files, and with --folder folders. Your own go to the bin, with what is in them."""
        if not paths:
            session.error("Say which one: files rm PATH")
            return 2

        def remove(path: str) -> None:
            tree = _some_files(session)
            names = names_in(tree, path)
            try:
                is_folder = tree.info(names).folder
            except FileError as error:
                if force and error.reason is Reason.NO_SUCH:
                    return
                raise
            if is_folder and not folder:
                how = f"`files rm -r {quote(clean(path, limit=200))}` deletes it"
                raise FileError(Reason.DENIED, f"that is a folder; {how}")
            self.folders.delete(session.account, tree, names, folder=is_folder)

        return _each(session, paths, remove)

    @command
    def bin(
        self,
        session: Session,
        action: Literal["list", "restore", "empty"] = "list",
        *paths: str,
        json: bool = False,
    ) -> int:
        """List what you have deleted, restore some of it by its path, or empty the bin.

        If several things had the same path, the id in front of each says which one to restore.
        """

        def act() -> None:
            match action:
                case "list":
                    self._list_bin(session, json=json)
                case "restore":
                    for path in paths:
                        self._restore(session, path)
                case "empty":
                    tree = _some_files(session)
                    count = self.folders.bin_of(session.account, tree).empty()
                    if count:
                        tree.changed("bin emptied", OWN)
                    session.print(f"{counted(count, 'file or folder', 'files or folders')} removed")

        if bool(paths) is not (action == "restore"):
            session.error("Say it like this: files bin list | restore PATH | empty")
            return 2
        return _done(session, act)

    def _bin(self, session: Session) -> Bin:
        return self.folders.bin_of(session.account, _some_files(session))

    def _say_what_the_bin_takes(self, session: Session) -> None:
        try:
            bin_ = self._bin(session)
            in_bin = len(bin_.contents())
        except FileError:  # those who may not see their files only learn how much room they have
            return
        if in_bin:
            count = counted(in_bin, "deleted file or folder", "deleted files or folders")
            cure = "; this frees the room: files bin empty" if bin_.writable else ""
            session.print(f"{count} in the bin{cure}")

    def _list_bin(self, session: Session, *, json: bool) -> None:
        found = self._bin(session).contents()
        if json:
            data = [
                {**_data(deleted.info), "name": _where(deleted), "id": deleted.key,
                 "deleted": iso_time(deleted.when)}
                for deleted in found
            ]  # fmt: skip
            session.print(to_json.dumps(data, indent=2))
            return
        rows = [
            (
                deleted.key,
                "folder" if deleted.info.folder else size_of(deleted.info.size),
                date_time(deleted.when, None),
                clean(_where(deleted)),
            )
            for deleted in found
        ]
        if found:
            session.print(_in_columns(rows, right=1))

    def _restore(self, session: Session, path: str) -> None:
        tree = _some_files(session)
        bin_ = self.folders.bin_of(session.account, tree)
        names = names_in(tree, path)
        for deleted in bin_.contents():
            if deleted.key == path or (*OWN, *deleted.names) == names:
                bin_.restore(deleted)
                tree.changed("restored", (*OWN, *deleted.names), deleted.info.size)
                return
        raise FileError(Reason.NO_SUCH, f"the bin does not have {clean(path, limit=200)}")

    @command
    def mv(
        self,
        session: Session,
        path: str,
        new_path: str,
        *,
        force: Annotated[bool, Short("f"), "Replace what is there."] = False,
    ) -> int:
        """Move or rename a file or folder."""

        def look(path: str) -> None:
            tree = _some_files(session)
            tree.info(names_in(tree, path))

        def move(new_path: str) -> None:
            tree = _some_files(session)
            source, target = names_in(tree, path), names_in(tree, new_path, new=True)
            if _is_folder(tree, target):
                target = (*target, source[-1])
            tree.rename(source, target, replace=force)

        return _each(session, (path,), look) or _each(session, (new_path,), move)

    @command
    def mkdir(
        self,
        session: Session,
        path: str,
        *,
        parents: Annotated[bool, Short("p"), "Make what is missing on the way, too."] = False,
    ) -> int:
        """Make a folder."""

        def make() -> None:
            tree = _some_files(session)
            names = names_in(tree, path, new=True)
            for length in range(1, len(names)) if parents else ():
                if not _is_folder(tree, names[:length]):
                    tree.make_folder(names[:length])
            if not (parents and _is_folder(tree, names)):
                tree.make_folder(names)

        return _each(session, (path,), lambda _: make())

    @command
    def find(self, session: Session, pattern: str, path: str = "", *, json: bool = False) -> int:
        """Find files by name, with a pattern such as '*.txt'. They come in the order of their
        paths."""
        if len(pattern) > MAX_PATTERN:
            session.error("That pattern is too long.")
            return 1
        # Not by fnmatch itself, which keeps thousands of patterns.
        wanted = re.compile(translate(pattern.lower()))
        found: list[tuple[tuple[str, ...], FileInfo]] = []

        def search(path: str) -> None:
            tree = _some_files(session)
            for number, (names, info) in enumerate(walk(tree, names_in(tree, path))):
                if number >= MAX_SEARCHED:
                    raise FileError(Reason.FAILED, "there are too many files to search")
                if wanted.match(info.name.lower()):
                    found.append((names, info))

        status = _each(session, (path,), search)
        found.sort(key=itemgetter(0))
        if json:
            data = [{**_data(info), "name": path_of(names)} for names, info in found]
            session.print(to_json.dumps(data, indent=2))
        else:
            for names, _ in found:
                session.print(clean(path_of(names)))
        return status

    @command
    def quota(self, session: Session, *, json: bool = False) -> int:
        """Show how much room you have, and how much of it you use."""
        quota = self.folders.quota_of(session.account)
        if json:
            room = {"used": quota.used, "size": quota.most}
            files = {"files": quota.count, "most_files": quota.entries}
            session.print(to_json.dumps({**room, **files}, indent=2))
            return 0
        session.print(
            f"{size_of(quota.used)} of {size_of(quota.most)} used, "
            f"{quota.count} of {quota.entries} files and folders"
        )
        self._say_what_the_bin_takes(session)
        return 0


def walk(tree: Folders, start: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], FileInfo]]:
    """Everything below a folder, without the folder itself."""
    waiting = [start]
    while waiting:
        here = waiting.pop()
        for info in tree.list(here):
            names = (*here, info.name)
            yield names, info
            if info.folder:
                waiting.append(names)


def _all_files(session: Session) -> Folders:
    """The files of all apps, as sftp shows them: so that a path is the same everywhere."""
    assert session.other_apps is not None, "the host gives every app the others"
    return session.other_apps.files()


def _some_files(session: Session) -> Folders:
    """The same. Raises `FileError` if their roles allow none of them."""
    tree = _all_files(session)
    if not tree.list(()):
        raise FileError(Reason.DENIED, NOT_YOURS[:1].lower() + NOT_YOURS[1:-1])
    return tree


def _pieces(file: OpenFile) -> Iterator[bytes]:
    """What is in a file, a piece at a time."""
    at = 0
    while data := file.read(at, CHUNK):
        yield data
        at += len(data)


def _show(session: Session, pieces: Iterator[bytes]) -> None:
    if session.terminal.pty:
        _show_text(session, pieces)
        return
    for data in pieces:
        session.write(data)


def _show_text(session: Session, pieces: Iterator[bytes]) -> None:
    """Text for a person, with nothing in it that could steer their terminal."""
    decoder = IncrementalNewlineDecoder(getincrementaldecoder("utf-8")("replace"), translate=True)
    encoding = "utf-8" if session.terminal.unicode else "ascii"
    for data in chain(pieces, (b"",)):
        text = clean(decoder.decode(data, final=not data), lines=True)
        session.write(text.replace("\n", "\r\n").encode(encoding, "replace"))


def _where(deleted: Deleted) -> str:
    return path_of((*OWN, *deleted.names))


def _is_folder(tree: Folders, names: tuple[str, ...]) -> bool:
    try:
        return tree.info(names).folder
    except FileError:
        return False


def _each(session: Session, paths: Sequence[str], act: Callable[[str], None]) -> int:
    """Does the same with each path, whatever comes of the others. If that fails, a sentence says
    with which path and why; the status is 1."""
    status = 0
    for path in paths:
        try:
            act(path)
        except FileError as error:
            session.error(error.about(path))
            status = 1
    return status


def _done(session: Session, act: Callable[[], None]) -> int:
    """Does it. If that fails, a sentence says why; the status is 1."""
    try:
        act()
    except FileError as error:
        text = str(error)
        session.error(f"{text[:1].upper()}{text[1:]}.")
        return 1
    return 0


def _listed(found: list[FileInfo]) -> str:
    rows = [
        (
            "folder" if info.folder else size_of(info.size),
            date_time(info.modified, None) if info.modified else "",
            clean(info.name) + ("/" if info.folder else ""),
        )
        for info in found
    ]
    return _in_columns(rows, right=0)


def _in_columns(rows: Sequence[Sequence[str]], *, right: int) -> str:
    """Rows as lines; column number `right` ends where it ends in every row, the others begin so.
    rich would take seconds for as many rows as a folder can have."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if number == right else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _data(info: FileInfo) -> dict[str, Any]:
    return {
        "name": info.name,
        "folder": info.folder,
        "size": info.size,
        "modified": iso_time(info.modified),
        "mode": f"{info.mode:o}",
    }


app = Files()
