"""Finding by a few letters."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.waiting import allowed
from tuihost.tui.widgets import fuzzy
from tuihost.tui.widgets.fuzzy import MAX_PATTERN, filter_items, fold, match


@pytest.mark.parametrize(
    ("pattern", "text", "positions"),
    [
        ("gb", "Guestbook", (0, 5)),
        ("no", "Notes", (0, 1)),
        ("nt", "new table", (0, 4)),
        ("ook", "Guestbook", (6, 7, 8)),
        ("gB", "guestBook", (0, 5)),
        ("cafe", "Café", (0, 1, 2, 3)),
        ("b g", "Guest Book", (0, 6)),
        ("", "anything", ()),
        ("   ", "anything", ()),
    ],
)
def test_the_letters_that_a_person_means(
    pattern: str, text: str, positions: tuple[int, ...]
) -> None:
    found = match(pattern, text)
    assert found is not None
    assert found.positions == positions


@pytest.mark.parametrize(("pattern", "text"), [("on", "no"), ("x", ""), ("nn", "n"), ("a z", "a")])
def test_what_does_not_match(pattern: str, text: str) -> None:
    assert match(pattern, text) is None


@pytest.mark.parametrize(
    ("pattern", "better", "worse"),
    [
        ("no", "Notes", "Piano"),  # at the start
        ("rd", "Reader Daily", "Order"),  # at the starts of words
        ("chat", "Chat", "Catch a train"),  # letters that follow each other
        ("st", "status", "s...t"),
    ],
)
def test_the_better_match_comes_first(pattern: str, better: str, worse: str) -> None:
    found = filter_items(pattern, [worse, better], str)
    assert [item for item, _ in found] == [better, worse]


def test_equals_keep_their_order_and_no_pattern_keeps_all() -> None:
    items = ["note b", "note a", "note c"]
    assert [item for item, _ in filter_items("note", items, str)] == items
    assert [item for item, _ in filter_items("", items, str)] == items


def test_long_patterns_and_texts_are_bounded() -> None:
    assert match("a" * 100_000, "a" * 100_000) is not None
    assert match("a" * MAX_PATTERN, "a" * (MAX_PATTERN - 1)) is None


@given(st.text(max_size=30), st.text(max_size=60))
def test_positions_are_places_of_the_letters_typed(pattern: str, text: str) -> None:
    found = match(pattern, text)
    letters = set(fold(pattern)) - set(" \t\n\r\x0b\x0c")
    if found is not None:
        assert list(found.positions) == sorted(set(found.positions))
        assert all(fold(text)[place] in fold(pattern) for place in found.positions)
    else:
        assert letters


@given(st.text(max_size=60))
def test_folding_keeps_every_place(text: str) -> None:
    assert len(fold(text)) == len(text)


@given(st.text(alphabet="ab-A ", min_size=1, max_size=6), st.text(alphabet="ab-A c", max_size=12))
def test_it_matches_exactly_when_every_word_is_in_there_in_order(pattern: str, text: str) -> None:
    def is_in(word: str) -> bool:
        rest = iter(text.lower())
        return all(letter in rest for letter in word)

    expected = all(is_in(word) for word in pattern.lower().split())
    assert (match(pattern, text) is not None) == expected


def test_a_long_list_of_long_texts_takes_no_time() -> None:
    """A tenth of a second; half a minute where each text gets the best match there is."""
    texts = ["a" * 200] * 5000
    begun = time.thread_time()
    found = filter_items("a" * MAX_PATTERN, texts, str)
    assert time.thread_time() - begun < allowed(1.0)
    assert len(found) == 5000


@given(st.lists(st.text("ab_ B", max_size=12), max_size=30), st.text("ab", min_size=1, max_size=4))
def test_the_first_match_is_one_and_never_better_than_the_best(
    texts: list[str], pattern: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fuzzy, "EFFORT", 0)
        quick = [match(pattern, text) for text in texts]
    for text, first in zip(texts, quick, strict=True):
        best = match(pattern, text)
        assert (first is None) is (best is None)
        if first is not None and best is not None:
            assert "".join(fold(text)[place] for place in first.positions) == pattern
            assert first.score <= best.score
            assert first.positions != best.positions or first.score == best.score
