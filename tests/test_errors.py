"""The errors: what each is, and what it tells."""

from __future__ import annotations

import re

import pytest

from tuihost import errors
from tuihost.errors import Disconnected, NoTerminal, SettingsError, TuihostError, new_incident


def test_all_errors_are_of_one_tree() -> None:
    found = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    assert len(found) >= 8
    assert all(issubclass(kind, TuihostError) for kind in found)


def test_settings_tell_every_mistake() -> None:
    error = SettingsError(("a:1: wrong", "a:2: wrong too"))
    assert (str(error), error.problems) == ("a:1: wrong\na:2: wrong too", error.problems)


def test_who_reads_at_the_end_of_a_line_may_catch_the_end_of_a_file() -> None:
    with pytest.raises(EOFError):
        raise Disconnected


def test_a_question_that_nobody_can_answer_is_named() -> None:
    assert "'Your name?'" in str(NoTerminal("Your name? "))


def test_an_incident_can_be_read_out_and_is_new_each_time() -> None:
    made = {new_incident() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"[0-9A-F]{4}-[0-9A-F]{4}", name) for name in made)
