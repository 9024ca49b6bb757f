"""The commands on files and folders. A mixin for the app."""

from __future__ import annotations

import json as to_json
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from itertools import chain
from operator import itemgetter
from shlex import quote
from typing import Annotated, Literal

from tuihost import (
    FileError,
    FileInfo,
    OpenMode,
    Reason,
    Session,
    Short,
    clean,
    command,
    counted,
    name_pattern,
    names_in,
    path_of,
    size_of,
)

from .bin import Bin
from .copying import copy, each_to_last
from .folders import OWN, AllFolders
from .output import bin_data, data_of, listed, listed_bin, write_pieces
from .trees import CHUNK, all_files, is_folder, pieces_of, some_files, walk

STANDARD_INPUT = "-"
MAX_PATTERN = 1000  # characters
MAX_SEARCHED = 10_000  # files and folders that one `find` looks at
NEW = OpenMode(read=False, write=True, create=True, new=True)


class FileCommands:
    """ls, pwd, cat, put, rm, bin, mv, cp, touch, mkdir, find, quota."""

    folders: AllFolders

    @command
    def ls(self, session: Session, *paths: str, json: bool = False) -> int:
        """List files by themselves, and then folders. Of several folders, it says which comes
        now."""
        files: list[FileInfo] = []
        folders: list[tuple[str, list[FileInfo]]] = []

        def look(path: str) -> None:
            tree = some_files(session)
            names = names_in(tree, path)
            info = tree.info(names)
            if info.folder:
                folders.append((path, list(tree.list(names))))
            else:
                files.append(info)

        status = _each(session, paths or ("",), look)
        if json:
            found = chain(files, *(inside for _, inside in folders))
            if files or folders or not status:
                session.print(to_json.dumps([data_of(info) for info in found], indent=2))
            return status
        if files:
            session.print(listed(files))
        for path, inside in folders:
            if len(paths) > 1:
                session.print(f"{clean(path, limit=200)}:")
            if inside:
                session.print(listed(inside))
        return status

    @command
    def pwd(self, session: Session) -> None:
        """Show the folder that a path begins in if it has no / in front."""
        session.print(path_of(all_files(session).home))

    @command
    def cat(self, session: Session, *paths: str) -> int:
        """Write files to standard output; on a terminal, their text without control characters.
        Without a PATH, or for `-`, it is what standard input has."""

        def show(path: str) -> None:
            if path == STANDARD_INPUT:
                write_pieces(session, iter(session.read, b""))
                return
            tree = some_files(session)
            file = tree.open(names_in(tree, path))
            try:
                write_pieces(session, pieces_of(file))
            finally:
                file.close()

        return _each(session, paths or (STANDARD_INPUT,), show)

    @command
    def put(
        self,
        session: Session,
        path: str,
        *,
        force: Annotated[bool, Short("f"), "Replace a file that is there."] = False,
        progress: Annotated[bool, "Show on standard error how far it is."] = False,
    ) -> int:
        """Keep standard input as a file. With --force it replaces one that exists."""

        def keep() -> None:
            tree = some_files(session)
            mode = OpenMode(read=False, write=True, create=True, new=not force, empty=True)
            file, whole, at = tree.open(names_in(tree, path, new_file=True), mode), False, 0
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
            tree = some_files(session)
            names = names_in(tree, path)
            try:
                info = tree.info(names)
            except FileError as error:
                if force and error.reason is Reason.NO_SUCH:
                    return
                raise
            if info.folder and not folder:
                how = f"`files rm -r {quote(clean(path, limit=200))}` deletes it"
                raise FileError(Reason.DENIED, f"that is a folder; {how}")
            self.folders.delete(session.account, tree, names, folder=info.folder)

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
                    tree = some_files(session)
                    count = self.folders.bin_of(session.account, tree).empty()
                    if count:
                        tree.changed("bin emptied", OWN)
                    session.print(f"{counted(count, 'file or folder', 'files or folders')} removed")

        if bool(paths) is not (action == "restore"):
            session.error("Say it like this: files bin list | restore PATH | empty")
            return 2
        return _done(session, act)

    def _bin(self, session: Session) -> Bin:
        return self.folders.bin_of(session.account, some_files(session))

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
            session.print(to_json.dumps([bin_data(deleted) for deleted in found], indent=2))
        elif found:
            session.print(listed_bin(found))

    def _restore(self, session: Session, path: str) -> None:
        tree = some_files(session)
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
        *paths: str,
        force: Annotated[bool, Short("f"), "Replace what is there."] = False,
    ) -> int:
        """Move or rename a file or folder: `files mv a.txt b.txt`. Several go into a folder, which
        is the last of the PATHS."""
        if len(paths) < 2:
            session.error("Say it like this: files mv PATH NEW_PATH, or files mv PATHS FOLDER")
            return 2
        return each_to_last(
            session,
            paths,
            lambda tree, source, _, target: tree.rename(source, target, replace=force),
        )

    @command
    def cp(
        self,
        session: Session,
        *paths: str,
        recursive: Annotated[bool, Short("r"), "Copy folders too."] = False,
        force: Annotated[bool, Short("f"), "Replace files that are there."] = False,
    ) -> int:
        """Copy a file: `files cp a.txt b.txt`. Several go into a folder, which is the last of the
        PATHS."""
        if len(paths) < 2:
            session.error("Say it like this: files cp PATH NEW_PATH, or files cp PATHS FOLDER")
            return 2
        copy_one = partial(copy, folders=recursive, replace=force)
        return each_to_last(session, paths, copy_one)

    @command
    def touch(self, session: Session, *paths: str) -> int:
        """Make empty files. Those that are there stay as they are, with the time of now."""
        if not paths:
            session.error("Say which one: files touch PATH")
            return 2

        def touch(path: str) -> None:
            tree = some_files(session)
            names = names_in(tree, path, new_file=True)
            try:
                tree.open(names, NEW).close()
            except FileError as error:
                if error.reason is not Reason.EXISTS:
                    raise
                tree.change(names, modified=session.host.now())

        return _each(session, paths, touch)

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
            tree = some_files(session)
            names = names_in(tree, path, new=True)
            for length in range(1, len(names)) if parents else ():
                if not is_folder(tree, names[:length]):
                    tree.make_folder(names[:length])
            if not (parents and is_folder(tree, names)):
                tree.make_folder(names)

        return _each(session, (path,), lambda _: make())

    @command
    def find(self, session: Session, pattern: str, path: str = "", *, json: bool = False) -> int:
        """Find files by name, with a pattern such as '*.txt'. They come in the order of their
        paths."""
        if len(pattern) > MAX_PATTERN:
            session.error("That pattern is too long.")
            return 1
        wanted = name_pattern(pattern, ignore_case=True)
        found: list[tuple[tuple[str, ...], FileInfo]] = []

        def search(path: str) -> None:
            tree = some_files(session)
            for number, (names, info) in enumerate(walk(tree, names_in(tree, path))):
                if number >= MAX_SEARCHED:
                    raise FileError(Reason.FAILED, "there are too many files to search")
                if wanted.match(info.name):
                    found.append((names, info))

        status = _each(session, (path,), search)
        found.sort(key=itemgetter(0))
        if json:
            data = [{**data_of(info), "name": path_of(names)} for names, info in found]
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
            f"{quota.count:,} of {quota.entries:,} files and folders"
        )
        self._say_what_the_bin_takes(session)
        return 0


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
