"""A step at work, taken from question to question."""

from __future__ import annotations

import pytest

from tuihost.core.login.verdicts import Became, Conversation, Ended, Prompt, Query, resumed

QUERY = Query("?", (Prompt("? "),))


def step(questions: int, result: bool | Became) -> Conversation:
    for number in range(questions):
        answers = yield QUERY
        assert answers == (f"answer {number}",)
    return result


@pytest.mark.parametrize("result", [True, False, Became("ada")])
@pytest.mark.parametrize("questions", [0, 1, 3])
def test_a_step_asks_and_then_ends(questions: int, result: bool | Became) -> None:
    conversation = step(questions, result)
    found = resumed(conversation, None)
    for number in range(questions):
        assert found == QUERY
        found = resumed(conversation, (f"answer {number}",))
    assert found == Ended(result)


def test_a_step_that_is_over_stays_over_and_says_nothing() -> None:
    conversation = step(0, True)
    resumed(conversation, None)
    assert resumed(conversation, ("more",)) == Ended(None)


def test_what_a_step_raises_passes_through() -> None:
    def broken() -> Conversation:
        yield QUERY
        raise OSError("the disk is gone")

    conversation = broken()
    resumed(conversation, None)
    with pytest.raises(OSError, match="the disk is gone"):
        resumed(conversation, ("x",))
