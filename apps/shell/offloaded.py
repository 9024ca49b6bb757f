"""What the filters have done by a helper process when there is much of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

MAX_DEPTH = 100
"""Levels of JSON. Each is two blanks more on every line inside."""
MAX_SHOWN_JSON = 16_000_000  # characters
_HALVES = re.compile("[\ud800-\udfff]")
"""Halves of surrogate pairs, which JSON can have without the other half and no text can."""


def sorted_lines(data: bytes | bytearray, numeric: bool, reverse: bool, unique: bool) -> bytes:
    """The lines of `data` in order, each with a line end."""
    if not data:
        return b""
    lines = [line.removesuffix(b"\r") for line in bytes(data).removesuffix(b"\n").split(b"\n")]
    if unique:
        lines = list(dict.fromkeys(lines))
    lines.sort(key=_number if numeric else None, reverse=reverse)
    return b"".join(line + b"\n" for line in lines)


def _number(line: bytes) -> Any:
    found = re.match(rb"\s*(-?\d+(?:\.\d+)?)", line)
    return float(found[1]) if found else float("-inf"), line


def laid_out(data: bytes | bytearray, path: str) -> tuple[bool, str]:
    """JSON indented, or the part of it at `path`; True and its text if that is a string.

    Raises `ValueError` for what is not JSON or too much to show, and `LookupError` with the step
    of the path that does not exist.
    """
    try:
        value = json.loads(data)
    except json.JSONDecodeError as error:
        raise ValueError(f"that is not JSON: {error}") from None
    except UnicodeDecodeError:
        raise ValueError("that is not JSON: it is not text in UTF-8") from None
    except ValueError:  # the only other one, of `int`
        raise ValueError("a number in it has too many digits") from None
    value = _part(value, path)
    if isinstance(value, str):
        return True, _HALVES.sub("\ufffd", value)
    return False, "".join(_bounded(value))


def _bounded(value: Any) -> Iterator[str]:
    _check_depth(value)
    room = MAX_SHOWN_JSON
    for piece in json.JSONEncoder(indent=2, ensure_ascii=False).iterencode(value):
        room -= len(piece)
        if room < 0:
            raise ValueError("that is too much to show: pick a part of it by a path")
        yield _HALVES.sub(_escaped, piece)


def _escaped(half: re.Match[str]) -> str:
    return f"\\u{ord(half[0]):04x}"


def _check_depth(value: Any) -> None:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    if level:
        raise ValueError(f"that is nested too deeply: {MAX_DEPTH} levels at most")


def _part(value: Any, path: str) -> Any:
    for step in re.findall(r"\[-?\d{1,18}\]|[^.\[\]]+", path):
        try:
            value = value[int(step[1:-1])] if step.startswith("[") else value[step]
        except (LookupError, TypeError):
            raise LookupError(step) from None
    return value
