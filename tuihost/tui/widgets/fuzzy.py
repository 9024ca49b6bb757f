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


@dataclass(frozen=True, slots=True)
class Match:
    """How well a text matched, and which of its characters did."""

    score: int
    positions: tuple[int, ...] = ()


def match(pattern: str, text: str) -> Match | None:
    """How `text` matches `pattern`, or None. An empty pattern matches everything with 0."""
    words = fold(pattern[:MAX_PATTERN]).split()
    folded = fold(text[:MAX_TEXT])
    score = 0
    positions: set[int] = set()
    for word in words:
        found = _match_word(word, folded, text)
        if found is None:
            return None
        score += found.score
        positions.update(found.positions)
    return Match(score, tuple(sorted(positions)))


def filter_items(
    pattern: str, items: Iterable[Item], text: Callable[[Item], str]
) -> list[tuple[Item, Match]]:
    """The items whose `text` matches, best first; equals stay in the order they came in."""
    found = [(item, hit) for item in items if (hit := match(pattern, text(item))) is not None]
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


def _match_word(word: str, folded: str, text: str) -> Match | None:
    """The best way to place the letters of `word`: for each letter and each place where it
    occurs, the best score so far is kept together with the place of the letter before."""
    if not _is_subsequence(word, folded):
        return None
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


def _is_subsequence(word: str, folded: str) -> bool:
    start = 0
    for letter in word:
        start = folded.find(letter, start) + 1
        if not start:
            return False
    return True
