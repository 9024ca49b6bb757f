"""Keys for text that is typed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.screen import make_session, play
from tests.tui.widgets.screens import asking
from tuihost.tui.widgets.text_keys import cluster_after, cluster_before, one_line


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


@given(st.text(alphabet="ab\n\u0301\u200d👩👧🇩🇪각\u1100\u1161\ufe0f", max_size=30))
def test_forth_and_back_stop_at_the_same_places(text: str) -> None:
    forth = [0]
    while forth[-1] < len(text):
        forth.append(cluster_after(text, forth[-1]))
    back = [len(text)]
    while back[-1] > 0:
        back.append(cluster_before(text, back[-1]))
    assert forth == back[::-1]


def test_a_prompt_deletes_a_family_as_one() -> None:
    session = make_session()
    answers: list[Any] = []
    with play(asking(session, lambda screen: screen.prompt("Name"), answers), session) as me:
        me.press("a")
        me.paste("x👨\u200d👩\u200d👧")
        me.press("backspace", "enter")
    assert answers == ["x"]
