"""Text in ASCII keeps its shape, whatever it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.utils import get_cwidth

from tuihost.tui.terminal.ascii import _SIGNS, to_ascii


def test_every_sign_stands_for_characters_of_its_own_width_and_each_once() -> None:
    every = "".join(_SIGNS.values())
    assert len(set(every)) == len(every)
    assert [char for char in every if get_cwidth(char) != 1] == []
    assert [sign for sign in _SIGNS if len(sign) != 1 or not sign.isascii()] == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("┌─ Menü ─┐", "+- Menu -+"),
        ("│ ✓ → 漢 … │", "| v > ?? . |"),
        ("▁▂▃▄▅▆▇█", "_.-~=+*#"),
        ("½ kg", "? kg"),  # not 1 kg
        ("№ ⑩ ™", "? ? ?"),
        ("e\u0301", "e"),
    ],
)
def test_a_text_keeps_its_shape(text: str, shown: str) -> None:
    assert to_ascii(text) == shown


@given(st.text(max_size=40))
def test_ascii_is_as_wide_as_what_it_stands_for(text: str) -> None:
    shown = "".join(char for char in text if char.isprintable())
    assert to_ascii(shown).isascii()
    assert len(to_ascii(shown)) == sum(get_cwidth(char) for char in shown)
