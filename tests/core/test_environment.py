"""Which variables of a client are kept, and which an app sees."""

from __future__ import annotations

import pytest

from tuihost.core.accepts import Accepts
from tuihost.core.environment import env_allowed, env_for


@pytest.mark.parametrize(
    ("name", "allowed"),
    [("LC_ALL", True), ("LC_", True), ("lc_all", False), ("LANG", True), ("LANGUAGE", False)],
)
def test_a_variable_is_kept_by_its_name(name: str, allowed: bool) -> None:
    assert env_allowed(name, ("LANG", "LC_*")) is allowed
    assert not env_allowed(name, ())


def test_an_app_sees_what_a_terminal_needs_and_what_it_asks_for() -> None:
    sent = {"LANG": "C", "TZ": "UTC", "GIT_DIR": "x", "GIT_EDITOR": "y", "LD_PRELOAD": "z"}
    assert env_for(sent, Accepts()) == {"LANG": "C", "TZ": "UTC"}
    assert env_for(sent, Accepts(env=("GIT_D*",))) == {"LANG": "C", "TZ": "UTC", "GIT_DIR": "x"}
