"""Keys for text that is typed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tui.screen import make_session, play
from tests.tui.widgets.screens import asking
from tuihost.tui.characters import one_line


@pytest.mark.parametrize(
    ("pasted", "line"),
    [
        ("KEY\n", "KEY"),
        ("KEY\r\n", "KEY"),
        ("a\nb", "a b"),
        ("a\r\nb\rc\n", "a b c"),
        ("\ufeffKEY", "KEY"),
        ("a\ufeffb", "a\ufeffb"),
        ("", ""),
        ("\n", ""),
    ],
)
def test_a_paste_into_one_line_is_one_line(pasted: str, line: str) -> None:
    assert one_line(pasted) == line
    session = make_session()
    answers: list[Any] = []
    with play(asking(session, lambda screen: screen.prompt("Key"), answers), session) as me:
        me.press("a")
        me.paste(pasted)
        assert line[:1] in me.text
        me.press("enter")
    assert answers == [line]


def test_a_prompt_deletes_a_family_as_one() -> None:
    session = make_session()
    answers: list[Any] = []
    with play(asking(session, lambda screen: screen.prompt("Name"), answers), session) as me:
        me.press("a")
        me.paste("x👨\u200d👩\u200d👧")
        me.press("backspace", "enter")
    assert answers == ["x"]
