"""Driving a login step without a server."""

from __future__ import annotations

import pytest

from tuihost.login import Attempt, Conversation, Prompt, Query, Step
from tuihost.testing.steps import drive


class Careless(Step):
    def __init__(self, query: object) -> None:
        self.query = query

    def ask(self, attempt: Attempt) -> Conversation:
        yield self.query  # type: ignore[misc]
        return True


@pytest.mark.parametrize(
    ("query", "answers"),
    [
        ("text", []),
        (Query("Größe"), []),
        (Query(instruction="█"), []),
        (Query(prompts=(Prompt(""),)), ["x"]),
        (Query(prompts=(Prompt("?"),)), []),
        (Query(prompts=(Prompt("?"),)), [("x", "y")]),
        (Query(prompts=(Prompt("?"),)), ["x", "y"]),
    ],
)
def test_drive_says_what_is_wrong_with_a_step(query: object, answers: list[str]) -> None:
    with pytest.raises(AssertionError):
        drive(Careless(query), answers)


def test_drive_shows_what_a_step_showed() -> None:
    driven = drive(Careless(Query("One", (Prompt("Two? "),), "Three")), ["x"])
    assert driven
    assert driven.text == "One\nThree\nTwo? "
