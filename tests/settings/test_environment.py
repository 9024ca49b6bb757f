"""Options of apps from the environment, which has nothing but text."""

from __future__ import annotations

from typing import Any

import pytest

from tuihost.settings.environment import EnvironmentText, options_of


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (int, "200", 200),
        (int, "2.5", "2.5"),
        (float, "2.5", 2.5),
        (float, "much", "much"),
        (bool, "No", False),
        (bool, "on", True),
        (bool, "2", "2"),
        (list, "a, b,", ["a", "b"]),
        (str, "200", "200"),
        (dict, "x", "x"),
    ],
)
def test_text_of_the_environment_becomes_what_the_option_is(
    kind: type, text: str, value: Any
) -> None:
    assert options_of({"it": kind}, {"it": EnvironmentText(text)}) == {"it": value}
    assert options_of({"it": kind}, {"it": text}) == {"it": text}, "in the file it is text"


def test_without_types_it_stays_text() -> None:
    for known in (None, ("it",), {"other": int}):
        (value,) = options_of(known, {"it": EnvironmentText("200")}).values()
        assert (type(value), value) == (str, "200")
