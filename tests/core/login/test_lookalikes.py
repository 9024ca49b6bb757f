"""The table of letters that look like Latin ones."""

from __future__ import annotations

import unicodedata

from tuihost.core.login._lookalikes import LOOKS_LIKE, PLAIN_LATIN
from tuihost.core.login.account_names import name_problem


def test_each_is_a_letter_or_digit_that_looks_like_a_plain_one() -> None:
    for letter, looks in LOOKS_LIKE.items():
        assert unicodedata.category(letter) in ("Ll", "Lu", "Lo", "Nd"), letter
        assert looks.isascii()
        assert looks.isalnum()
        assert letter != looks
        assert all(piece not in LOOKS_LIKE or piece == "I" for piece in looks)


def test_the_letters_of_languages_can_be_in_names() -> None:
    for letter in PLAIN_LATIN:
        assert unicodedata.name(letter).startswith("LATIN ")
        assert not unicodedata.normalize("NFD", letter).isascii()
        assert name_problem(letter) is None
