"""What somebody is asked who leaves while others can reach their machine."""

from __future__ import annotations

import pytest

from tuihost.tui.running.leaving import close_what, still_open


@pytest.mark.parametrize(
    ("addresses", "said", "asked"),
    [
        (["a:1"], "a:1 is still open for visitors.", "Close it and leave?"),
        (["a:1", "b:2"], "a:1 and b:2 are still open for visitors.", "Close them and leave?"),
        (list("abc"), "a and 2 more are still open for visitors.", "Close them and leave?"),
    ],
)
def test_it_says_what_closes(addresses: list[str], said: str, asked: str) -> None:
    assert still_open(addresses) == said
    assert close_what(addresses) == asked
