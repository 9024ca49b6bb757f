"""OpenSSH in a real terminal: the first screen, walking the menu, the theme, the size."""

from __future__ import annotations

import pytest
from conftest import Open
from e2e_tmux import WELL


def test_first(visit: Open) -> None:
    for size in ((40, 12), (80, 24), (200, 60)):
        terminal = visit("ada", *size)
        terminal.wait_for("Probe")
        print("\n".join("|" + line for line in terminal.lines))
        print(terminal.flags())
        terminal.press("q").wait_shell(0)
        print(terminal.text)
        assert terminal.flags() == WELL
