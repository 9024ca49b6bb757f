"""The filters: commands that read files, or what others write. A mixin for the app."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from sys import getsizeof
from typing import Annotated

import re2
from rich.json import JSON

from tuihost import HeldMemory, Session, Short, clean, command, size_of

from .offloaded import laid_out, sorted_lines
from .sources import Source, Sources

MAX_SORTED = 64 * 1024 * 1024  # bytes or characters that are held at once
MAX_JSON = 16_000_000  # bytes
PIECE = 65_536  # characters that are written at a time, and up to the next line end
SMALL = 16_384  # bytes that are worked on here; what is more goes to a helper
SORT_MEMORY, JSON_MEMORY = 512 << 20, 384 << 20
MAX_COLOURED = 20_000  # characters of JSON that are shown in colours
MAX_PATTERN = 500
MAX_SHOWN = 10_000  # characters of a line on a screen
MAX_BEGINNING = 8 * MAX_SHOWN  # bytes that are enough for them
KEPT = "surrogateescape"  # a path may not be valid UTF-8; then it is shown as it was
MAX_PATTERN_MEMORY = 2 << 20  # bytes, for what is compiled and for searching with it
MAX_PATTERN_PROGRAM = 2_000  # instructions; searching takes at most so many steps a character
MAX_SECONDS = 10.0  # of CPU time, for one grep

HowMany = Annotated[int, Short("n"), "How many lines."]


class Filters:
    """grep, head, tail, sort, count, json, page."""

    @command
    def grep(
        self,
        session: Session,
        pattern: str,
        *paths: str,
        ignore_case: Annotated[bool, Short("i"), "Ignore case."] = False,
        invert: Annotated[bool, Short("v"), "Show the lines without a match."] = False,
        number: Annotated[bool, Short("n"), "Number the lines."] = False,
        count: Annotated[bool, Short("c"), "Count the lines only."] = False,
        fixed: Annotated[bool, Short("F"), "Take PATTERN as plain text."] = False,
        recursive: Annotated[bool, Short("r"), "Is refused: folders are not searched."] = False,
    ) -> int:
        """Show the lines that match PATTERN, a regular expression (RE2)."""
        if recursive:
            session.error("grep does not search folders: name files, in the shell as FOLDER/* too.")
            return 2
        sources, found = Sources(session, paths), 0
        try:
            search = Search(pattern, ignore_case=ignore_case, fixed=fixed)
        except ValueError as error:
            session.error(f"That is not a pattern that can be used: {error}.")
            return 2
        try:
            for source in sources:
                about = f"{source.label}:".encode(errors=KEPT) if source.label else b""
                here = seen = 0
                for lines in source.lines(session):
                    kept = [
                        b"%b%d:%b" % (about, at, line) if number else about + line
                        for at, line in enumerate(lines, seen + 1)
                        if search.finds(line.removesuffix(b"\r")) != invert
                    ]
                    seen += len(lines)
                    here += len(kept)
                    if not count:
                        _put(session, kept)
                if count:
                    _put(session, [b"%b%d" % (about, here)])
                found += here
        except TimeoutError:
            session.error("That pattern takes too long.")
            return 2
        return sources.status or (0 if found else 1)

    @command
    def head(self, session: Session, *paths: str, lines: HowMany = 10) -> int:
        """Show the first lines."""
        put = _put_beginnings if session.terminal.pty else _put_first
        return _each(session, paths, lambda source: put(session, source, lines))

    @command
    def tail(self, session: Session, *paths: str, lines: HowMany = 10) -> int:
        """Show the last lines."""
        return _each(session, paths, lambda source: _put_last(session, source, lines))

    @command
    def sort(
        self,
        session: Session,
        *paths: str,
        reverse: Annotated[bool, Short("r"), "Largest first."] = False,
        numeric: Annotated[bool, Short("n"), "By the number at the start of each line."] = False,
        unique: Annotated[bool, Short("u"), "Show each line once."] = False,
    ) -> int:
        """Sort the lines."""
        data, room, sources = bytearray(), MAX_SORTED, Sources(session, paths)
        with session.hold() as held:
            for source in sources:
                for chunk in source.pieces():
                    room -= len(chunk) + 50 * chunk.count(b"\n")
                    if room < 0:
                        session.error("That is too much to sort here.")
                        return 1
                    held.add(len(chunk))
                    data += chunk
                if data and not data.endswith(b"\n"):
                    data += b"\n"
            how = (numeric, reverse, unique)
            if len(data) <= SMALL:
                lines = sorted_lines(data, *how)
            else:
                lines = session.offload_now(
                    sorted_lines, data, *how, seconds=MAX_SECONDS, memory=SORT_MEMORY
                )
            held.add(len(lines))
            data.clear()
            for piece in _pieces(lines):
                _put(session, piece.removesuffix(b"\n").split(b"\n"))
        return sources.status

    @command
    def count(self, session: Session, *paths: str) -> int:
        """Count the lines."""
        sources, total = Sources(session, paths), 0
        for source in sources:
            here, last = 0, b""
            for piece in source.pieces():
                here += piece.count(b"\n")
                last = piece[-1:]
            here += last not in (b"", b"\n")
            _put(session, [f"{here} {source.label}".rstrip().encode(errors=KEPT)])
            total += here
        if len(paths) > 1:
            _put(session, [b"%d total" % total])
        return sources.status

    @command
    def json(self, session: Session, part: str = "", path: str = "") -> int:
        """Show JSON indented, or a PART of it such as `.people[0].name`.

        A PART begins with `.` or has a `[` in it; any other word alone is the PATH of a file.
        """
        if not path and part[:1] != "." and "[" not in part:
            part, path = "", part
        sources, status = Sources(session, (path,) if path else ()), 0
        for source in sources:
            with session.hold() as held:
                status = self._json(session, source, part, held)
        return status or sources.status

    def _json(self, session: Session, source: Source, part: str, held: HeldMemory) -> int:
        data = bytearray()
        while chunk := source.read():
            held.add(len(chunk))
            data += chunk
            if len(data) > MAX_JSON:
                session.error(f"That is too long: JSON can have at most {size_of(MAX_JSON)}.")
                return 1
        try:
            if len(data) <= SMALL:
                plain, text = laid_out(data, part)
            else:
                plain, text = session.offload_now(
                    laid_out, data, part, seconds=MAX_SECONDS, memory=JSON_MEMORY
                )
            held.add(getsizeof(text))
            data.clear()
        except RecursionError:
            session.error("That is nested too deeply.")
            return 1
        except ValueError as error:
            sentence = clean(str(error), limit=200)
            session.error(f"{sentence[:1].upper()}{sentence[1:]}.")
            return 1
        except LookupError as error:
            session.error(f"There is nothing at {clean(str(error.args[0]), limit=100)}.")
            return 1
        if not plain and session.terminal.pty and len(text) <= MAX_COLOURED:
            session.print(JSON(text))
        else:
            _put_text(session, text)
        return 0

    @command
    def page(self, session: Session, *paths: str) -> int:
        """Show it on a page of its own if there is a screen, else pass it on."""
        sources = Sources(session, paths)
        for source in sources:
            if session.terminal.pty:
                for lines in source.beginnings(MAX_BEGINNING):
                    _put(session, lines)
            else:
                while data := source.read():
                    session.write(data)
        return sources.status


def _each(session: Session, paths: Sequence[str], show: Callable[[Source], None]) -> int:
    """Shows something of each source. If there are several, a line says which comes now."""
    sources = Sources(session, paths)
    for source in sources:
        if source.label:
            _put(session, [f"==> {source.label} <==".encode(errors=KEPT)])
        show(source)
    return sources.status


def _put_first(session: Session, source: Source, lines: int) -> None:
    """The first lines for a program, as they are and however long they are."""
    left, last = lines, b""
    for piece in source.pieces() if left > 0 else ():
        ends = piece.count(b"\n")
        if ends >= left:
            session.write(b"\n".join((*piece.split(b"\n", left)[:left], b"")))
            return
        session.write(piece)
        left, last = left - ends, piece[-1:] or last
    if source.label and last not in (b"", b"\n"):
        session.write(b"\n")  # the name of the next one begins a line


def _put_beginnings(session: Session, source: Source, lines: int) -> None:
    """The first lines for a person, as far as they can be shown."""
    left = lines
    for several in source.beginnings(MAX_BEGINNING) if left > 0 else ():
        _put(session, several[:left])
        left -= len(several)
        if left <= 0:
            return


def _put_last(session: Session, source: Source, lines: int) -> None:
    kept: deque[bytes] = deque()
    size = highest = 0
    most = max(0, min(lines, 100_000))
    with session.hold() as held:
        for line in chain.from_iterable(source.lines(session)):
            kept.append(line)
            size += getsizeof(line)
            if len(kept) > most:
                size -= getsizeof(kept.popleft())
            if size > highest:
                held.add(size + PIECE - highest)
                highest = size + PIECE
        while kept:
            _put(session, [kept.popleft() for _ in range(min(len(kept), 1000))])


def _put(session: Session, lines: Sequence[bytes]) -> None:
    """Lines for standard output: harmless for a person, unchanged for a program."""
    if not lines:
        return
    if session.terminal.pty:
        shown = (line.removesuffix(b"\r").decode("utf-8", "replace") for line in lines)
        session.print("\n".join(clean(line, limit=MAX_SHOWN) for line in shown))
    else:
        session.write(b"".join(line + b"\n" for line in lines))


def _pieces(lines: bytes) -> Iterator[bytes]:
    """The lines, some at a time."""
    start = 0
    while start < len(lines):
        end = lines.find(b"\n", start + PIECE)
        end = len(lines) if end < 0 else end + 1
        yield lines[start:end]
        start = end


def _put_text(session: Session, text: str) -> None:
    """The same for lines in one text, some at a time."""
    start = 0
    while start < len(text):
        end = text.find("\n", start + PIECE)
        end = len(text) if end < 0 else end
        _put(session, text[start:end].removesuffix("\n").encode().split(b"\n"))
        start = end + 1


class Search:
    """A search that cannot hold anybody up: RE2 takes time in proportion to the line, and lets
    other threads run meanwhile. Raises `ValueError` for a pattern that cannot be used."""

    def __init__(self, pattern: str, *, ignore_case: bool, fixed: bool) -> None:
        if len(pattern) > MAX_PATTERN:
            raise ValueError("it is too long")
        options = re2.Options()
        options.max_mem = MAX_PATTERN_MEMORY
        options.literal = fixed
        options.case_sensitive = not ignore_case
        options.never_capture = True
        options.log_errors = False
        try:
            self._wanted = re2.compile(pattern, options)
        except re2.error as error:
            raise ValueError(_reason(error)) from None
        finally:
            re2.purge()  # the library would keep the last 128 patterns, each with its memory
        if self._wanted.programsize > MAX_PATTERN_PROGRAM:
            raise ValueError("it repeats too much")
        self._left = MAX_SECONDS

    def finds(self, line: bytes) -> bool:
        """Whether the line matches. Raises `TimeoutError` if all the lines took too long."""
        begun = time.thread_time()
        hit = self._wanted.search(line)
        self._left -= time.thread_time() - begun
        if self._left <= 0:
            raise TimeoutError
        return hit is not None


def _reason(error: Exception) -> str:
    """What RE2 says about a pattern, as text that is harmless on a screen."""
    said = error.args[0]
    return clean(said.decode(errors="replace") if isinstance(said, bytes) else str(said), limit=100)
