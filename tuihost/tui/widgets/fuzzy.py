"""Finding what a person means by a few letters.

    >>> match("gb", "Guestbook").positions
    (0, 5)
    >>> filter_items("no", ["Guestbook", "Notes"], str)
    [('Notes', Match(score=..., positions=(0, 1)))]

Every letter of the pattern must occur in the text, in order. Letters at the start of a word and
letters that follow each other count most. Words of the pattern are looked for one by one, in any
order. Case and accents do not count.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

Item = TypeVar("Item")

LETTER = 16
WORD_START = 12
CONSECUTIVE = 10
FIRST = 6
GAP = 1
MAX_PATTERN = 64
MAX_TEXT = 512
EFFORT = 150_000
"""Steps, of which a hundred thousand take ten milliseconds."""


@dataclass(frozen=True, slots=True)
class Match:
    """How well a text matched, and which of its characters did."""

    score: int
    positions: tuple[int, ...] = ()


class Finder:
    """Matches texts with one pattern. Looks for the best way to do so, up to `EFFORT` for all texts
    together, and then takes the first way that there is: long lists stay quick."""

    def __init__(self, pattern: str) -> None:
        self._words = fold(pattern[:MAX_PATTERN]).split()
        self._effort = EFFORT

    def match(self, text: str) -> Match | None:
        """How well `text` matches, or None. An empty pattern matches everything with 0."""
        folded = fold(text[:MAX_TEXT])
        if len(self._words) == 1:  # as most patterns have
            return self._match_word(self._words[0], folded, text)
        score = 0
        positions: set[int] = set()
        for word in self._words:
            found = self._match_word(word, folded, text)
            if found is None:
                return None
            score += found.score
            positions.update(found.positions)
        return Match(score, tuple(sorted(positions)))

    def _match_word(self, word: str, folded: str, text: str) -> Match | None:
        first = _first_places(word, folded)
        if first is None:
            return None
        self._effort -= len(word) * len(folded)
        if self._effort < 0:
            return Match(_score(first, text), first)
        return _best_match(word, folded, text)


def match(pattern: str, text: str) -> Match | None:
    """How `text` matches `pattern`, or None. An empty pattern matches everything with 0."""
    return Finder(pattern).match(text)


def filter_items(
    pattern: str, items: Iterable[Item], text: Callable[[Item], str]
) -> list[tuple[Item, Match]]:
    """The items whose `text` matches, best first; equals stay in the order they came in."""
    finder = Finder(pattern)
    found = [(item, hit) for item in items if (hit := finder.match(text(item))) is not None]
    if pattern.strip():
        found.sort(key=lambda pair: -pair[1].score)
    return found


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """`text` in lower-case letters without accents, with as many characters as before."""
    if text.isascii():
        return text.lower()
    return "".join(_fold_char(char) for char in text)


def _fold_char(char: str) -> str:
    lower = unicodedata.normalize("NFD", char)[0].lower()
    return lower if len(lower) == 1 else char


def _starts_word(text: str, index: int) -> bool:
    if index == 0:
        return True
    before, char = text[index - 1], text[index]
    return char.isalnum() and (not before.isalnum() or (before.islower() and char.isupper()))


def _best_match(word: str, folded: str, text: str) -> Match:
    """The best way to place the letters of `word`: for each letter and each place where it
    occurs, the best score so far is kept together with the place of the letter before."""
    rows: list[dict[int, tuple[int, int]]] = []  # place -> (score, place of the letter before)
    for letter in word:
        row: dict[int, tuple[int, int]] = {}
        before = rows[-1] if rows else None
        reachable = -1  # the best place before, with the price of the gap counted from column 0
        best = -(10**9)
        for place, char in enumerate(folded):
            if before is not None and place - 1 in before:
                value = before[place - 1][0] + GAP * (place - 1)
                if value >= best:
                    best, reachable = value, place - 1
            if char != letter:
                continue
            worth = LETTER + (WORD_START if _starts_word(text, place) else 0)
            if before is None:
                row[place] = (worth + (FIRST if place == 0 else 0) - GAP * min(place, 8), -1)
            elif reachable >= 0:
                score, source = best - GAP * (place - 1), reachable
                if place - 1 in before and before[place - 1][0] + CONSECUTIVE >= score:
                    score, source = before[place - 1][0] + CONSECUTIVE, place - 1
                row[place] = (score + worth, source)
        rows.append(row)
    place = max(rows[-1], key=lambda index: rows[-1][index][0])
    score = rows[-1][place][0]
    positions: list[int] = []
    for row in reversed(rows):
        positions.append(place)
        place = row[place][1]
    return Match(score, tuple(reversed(positions)))


def _first_places(word: str, folded: str) -> tuple[int, ...] | None:
    """The first places where the letters of `word` occur in order, or None."""
    places: list[int] = []
    start = 0
    for letter in word:
        start = folded.find(letter, start) + 1
        if not start:
            return None
        places.append(start - 1)
    return tuple(places)


def _score(places: tuple[int, ...], text: str) -> int:
    """What letters at these places count, as `_best_match` counts them."""
    score = (FIRST if places[0] == 0 else 0) - GAP * min(places[0], 8)
    for before, place in zip((None, *places), places, strict=False):
        score += LETTER + (WORD_START if _starts_word(text, place) else 0)
        if before is not None:
            score += CONSECUTIVE if place == before + 1 else -GAP * (place - before - 1)
    return score
