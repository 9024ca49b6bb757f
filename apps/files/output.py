"""What the commands write: lists of files, the bin, and a file's text."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Iterator, Sequence
from io import IncrementalNewlineDecoder
from itertools import chain
from typing import Any

from tuihost import FileInfo, Session, clean, date_time, iso_time, path_of, size_of

from .bin import Deleted
from .folders import OWN


def listed(found: list[FileInfo]) -> str:
    rows = [
        (
            "folder" if info.folder else size_of(info.size),
            date_time(info.modified, None) if info.modified else "",
            clean(info.name) + ("/" if info.folder else ""),
        )
        for info in found
    ]
    return _in_columns(rows, right=0)


def listed_bin(found: list[Deleted]) -> str:
    rows = [
        (
            deleted.key,
            "folder" if deleted.info.folder else size_of(deleted.info.size),
            date_time(deleted.when, None),
            clean(_where(deleted)),
        )
        for deleted in found
    ]
    return _in_columns(rows, right=1)


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


def data_of(info: FileInfo) -> dict[str, Any]:
    return {
        "name": info.name,
        "folder": info.folder,
        "size": info.size,
        "modified": iso_time(info.modified),
        "mode": f"{info.mode:o}",
    }


def bin_data(deleted: Deleted) -> dict[str, Any]:
    return {
        **data_of(deleted.info),
        "name": _where(deleted),
        "id": deleted.key,
        "deleted": iso_time(deleted.when),
    }


def _where(deleted: Deleted) -> str:
    return path_of((*OWN, *deleted.names))


def write_pieces(session: Session, pieces: Iterator[bytes]) -> None:
    """A file, a piece at a time: its text on a terminal, its bytes elsewhere."""
    if session.terminal.pty:
        _write_text(session, pieces)
        return
    for data in pieces:
        session.write(data)


def _write_text(session: Session, pieces: Iterator[bytes]) -> None:
    """Text for a person, with nothing in it that could steer their terminal."""
    decoder = IncrementalNewlineDecoder(getincrementaldecoder("utf-8")("replace"), translate=True)
    encoding = "utf-8" if session.terminal.unicode else "ascii"
    for data in chain(pieces, (b"",)):
        text = clean(decoder.decode(data, final=not data), lines=True)
        session.write(text.replace("\n", "\r\n").encode(encoding, "replace"))
