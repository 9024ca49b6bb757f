"""TOML as text: the place of a mistake, the line of each key, and values as they are written.

Python's own module reads: it is strict and quick. tomlkit knows places and escapes, and costs an
import that a host without mistakes can do without.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.container import Container
    from tomlkit.items import Item

Keys = tuple[str, ...]

_MARK = "\x00"  # stands in no TOML file
_MARKED = re.compile(f"{_MARK}(\\d+){_MARK}")


_PYTHONS_PLACE = re.compile(r"(.*) \(at line (\d+), column (\d+)\)")


_LONG_NUMBER = re.compile(r"[\d_]{4000}")
_TWICE = re.compile(r"Cannot declare \((.*)\) twice")
_PLAINLY = {
    "Invalid value": "is not a value: text needs quotes, and true and false small letters",
    "Invalid statement": "should be `name = value`, or the name of a table in brackets",
    "Cannot overwrite a value": "is there already; keep one of the two",
    "Expected newline or end of document after a statement": "is more than one value: put the next "
    "setting on a line of its own, text in quotes, and numbers without a 0 in front",
}


class TomlError(ValueError):
    """A text is not TOML. `place` is `line:column` or the line alone, both from 1."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


def parsed(text: str) -> dict[str, Any]:
    """The tables of a TOML text. Raises `TomlError`."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        if found := _PYTHONS_PLACE.fullmatch(str(error)):
            raise TomlError(f"{found[2]}:{found[3]}", _plainly(found[1])) from None
        raise TomlError(str(text.count("\n") + 1), _plainly(str(error))) from None
    except RecursionError:
        raise TomlError("1", "is nested too deeply") from None
    except ValueError:  # of Python itself, which makes no number of thousands of digits
        found = _LONG_NUMBER.search(text)
        line = text.count("\n", 0, found.start()) + 1 if found else 1
        raise TomlError(str(line), "is a number with too many digits") from None


def _plainly(reason: str) -> str:
    """Python's reason, in words from which somebody knows what to change."""
    if found := _TWICE.fullmatch(reason):
        name = ".".join(re.findall(r"'([^']*)'", found[1]))
        return f"[{name}] is there already; put everything for it below the first"
    return _PLAINLY.get(reason.removesuffix(" (at end of document)"), reason)


class KeyLines:
    """Where the keys of a TOML text are written."""

    def __init__(self, text: str) -> None:
        import tomlkit
        from tomlkit.exceptions import TOMLKitError

        try:
            self._lines = dict(_lines(tomlkit.parse(text)))
        except (TOMLKitError, RecursionError):
            self._lines = {}

    def has(self, path: Sequence[str | int]) -> bool:
        """Whether the value at `path` is written, or a part of it. Places in lists do not count."""
        return tuple(part for part in path if isinstance(part, str)) in self._lines

    def of(self, path: Sequence[str | int]) -> int | None:
        """The line, from 1, of the value at `path` or of the nearest table around it. Places in
        lists do not count; None if nothing on the way is written."""
        keys = tuple(part for part in path if isinstance(part, str))
        for length in range(len(keys), 0, -1):
            if keys[:length] in self._lines:
                return self._lines[keys[:length]]
        return None


def written(value: Any) -> str:
    """A value as it is written after `=`. Raises TypeError if TOML has no such value."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        table.update(value)
        return str(table.as_string())
    if isinstance(value, Path):
        value = str(value)
    try:
        return str(tomlkit.item(value).as_string())
    except (TOMLKitError, ValueError) as error:
        raise TypeError(f"TOML cannot hold {value!r}") from error


def _lines(document: TOMLDocument) -> Iterator[tuple[Keys, int]]:
    # tomlkit keeps every character of a file but no positions: put a mark before each item, write
    # the file out again, and count the lines up to each mark.
    paths: list[Keys] = []
    for keys, item in _items(document, ()):
        item.trivia.indent = f"{_MARK}{len(paths)}{_MARK}{item.trivia.indent}"
        paths.append(keys)
    text = document.as_string()
    line, seen, found = 1, 0, dict[Keys, int]()
    for mark in _MARKED.finditer(text):
        line += text.count("\n", seen, mark.start())
        seen = mark.start()
        found.setdefault(paths[int(mark[1])], line)
    # A table without a head of its own, as `a` of `[a.b]`, is where the first of its parts is.
    for keys, line in list(found.items()):
        for length in range(1, len(keys)):
            found.setdefault(keys[:length], line)
    yield from found.items()


def _items(container: Container, above: Keys) -> Iterator[tuple[Keys, Item]]:
    """Every item with its keys, the tables included; of a list of tables the first."""
    from tomlkit.items import AbstractTable, AoT

    for key, item in container.body:
        if key is None:
            continue
        if isinstance(item, AoT):
            item = item.body[0]
        keys = (*above, key.key)
        yield keys, item
        if isinstance(item, AbstractTable):
            yield from _items(item.value, keys)
