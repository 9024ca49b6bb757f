"""Patterns of file names, such as `*.txt`: what the words of a line stand for.

As in other shells: `*`, `?` and `[…]` never stand for a `/`, a hidden name needs a dot in the
pattern, the names come in order, and a pattern that fits nothing stays as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from tuihost import FileError, FileInfo, FileTree, clean, name_pattern, names_in, size_of

from .language import Word

MAX_NAMES = 10_000  # that the patterns of one pipeline stand for
MAX_BYTES = 500_000  # of these names
MAX_SEEN = 50_000  # files and folders that are looked at for them
MAX_PATTERN = 1000  # characters


class PatternError(Exception):
    """A pattern that stands for too much. The text is a sentence."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What stands between two `/` of a word; `wanted` if it is a pattern."""

    text: str
    wanted: re.Pattern[str] | None = None

    def fits(self, name: str) -> bool:
        assert self.wanted is not None, "only a pattern is compared"
        hidden = name.startswith(".") and not self.text.startswith(".")
        return not hidden and self.wanted.match(name) is not None


class Patterns:
    """What the patterns of one pipeline stand for. `files` gives the files that the person sees.
    Thread: the one that `files` may be used on."""

    def __init__(self, files: Callable[[], FileTree]) -> None:
        self._files = files
        self._names, self._bytes, self._seen = MAX_NAMES, MAX_BYTES, MAX_SEEN

    @cached_property
    def tree(self) -> FileTree:
        """The files."""
        return self._files()

    def words(self, words: Sequence[Word]) -> tuple[str, ...]:
        """The words of a command. The first one is its name, which no file may choose. Raises
        `PatternError`."""
        return (words[0].text, *(name for word in words[1:] for name in self._stands_for(word)))

    def file(self, word: Word) -> str:
        """The file of a redirection. Raises `PatternError`."""
        name, *others = self._stands_for(word)
        if others:
            raise PatternError(f"{_shown(word)}: only one file can stand here, and several fit.")
        return name

    def _stands_for(self, word: Word) -> Sequence[str]:
        if not word.wildcards:
            return (word.text,)
        if len(word.text) > MAX_PATTERN:
            raise PatternError(f"{_shown(word)}: a pattern has at most {MAX_PATTERN:,} characters.")
        found = sorted(self._matches(word)) or [word.text]
        self._names -= len(found)
        self._bytes -= sum(len(name.encode("utf-8", "replace")) for name in found)
        if self._names < 0 or self._bytes < 0:
            raise PatternError(
                f"{_shown(word)}: patterns can stand for at most {MAX_NAMES:,} names or "
                f"{size_of(MAX_BYTES)} at once."
            )
        return found

    def _matches(self, word: Word) -> Iterator[str]:
        """The paths that fit, each as somebody would type it."""
        parts = list(_parts(word))
        places, seen_by_pattern = [""], False
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            slash = "" if last else "/"
            if part.wanted is None:
                places = [f"{place}{part.text}{slash}" for place in places]
                seen_by_pattern = False
                continue
            places = [
                f"{place}{info.name}{slash}"
                for place in places
                for info in self._inside(place, word)
                if (last or info.folder) and part.fits(info.name)
            ]
            seen_by_pattern = True
        for place in places:
            if seen_by_pattern or self._exists(place, word):
                yield as_a_path(place, typed=parts[0].wanted is None)

    def _inside(self, folder: str, word: Word) -> Sequence[FileInfo]:
        """What is in a folder; nothing if the person may not see it."""
        found: Sequence[FileInfo]
        try:
            found = self.tree.list(names_in(self.tree, folder))
        except FileError:
            found = ()
        self._look(len(found) + 1, word)
        return found

    def _look(self, files: int, word: Word) -> None:
        self._seen -= files
        if self._seen < 0:
            raise PatternError(f"{_shown(word)}: there are too many files to look through.")

    def _exists(self, path: str, word: Word) -> bool:
        self._look(1, word)
        try:
            self.tree.info(names_in(self.tree, path))
        except FileError:
            return False
        return True


def _parts(word: Word) -> Iterator[_Part]:
    """The word at its slashes."""
    start = 0
    for text in word.text.split("/"):
        here = range(start, start + len(text))
        if any(at in here for at in word.wildcards):
            quoted = {at - start for at in word.quoted if at in here}
            yield _Part(text, name_pattern(text, quoted))
        else:
            yield _Part(text)
        start += len(text) + 1


def as_a_path(path: str, *, typed: bool) -> str:
    """The path in such a way that no command takes it for an option, or for the person's own folder
    if a file is called `~`. `typed`: the beginning is what the person typed."""
    home = not typed and path.partition("/")[0] == "~"
    return f"./{path}" if home or path.startswith("-") else path


def _shown(word: Word) -> str:
    return clean(word.text, limit=40)
