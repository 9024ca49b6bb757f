"""`help` and `whoami` for people whose roles give them few apps and commands, or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tuihost.testing import Outcome, hosted

BUNDLED = ["menu", "account", "notes", "reader", "shell"]


def answers(role: Mapping[str, Any], lines: Sequence[str]) -> list[Outcome]:
    with hosted(bundled=BUNDLED, settings={"roles": {"guest": role}}) as host:
        return [host.run(line, user="eve", stdin=b"help\n") for line in lines]


def rows(outcome: Outcome) -> list[str]:
    return [row.rstrip() for row in outcome.text.splitlines()]


@pytest.mark.parametrize(
    ("role", "told"),
    [
        ({"apps": ["notes"], "commands": ["notes list"]}, "notes list  List your"),
        (
            {"apps": ["notes", "shell"], "commands": ["notes list", "shell -c"]},
            "notes list  List your",
        ),
        ({"apps": ["reader"], "commands": []}, "reader  Read the handbook of this host"),
    ],
)
def test_help_lists_what_a_role_may_use(role: Mapping[str, Any], told: str) -> None:
    helped, who, alike = answers(role, ("help", "whoami", "man notes"))
    assert helped.text.startswith(told)
    assert (helped.status, helped.errors) == (0, "")
    assert rows(who) == ["eve (a guest)"]
    assert alike.text == helped.text


def test_a_line_for_the_shell_has_them_too() -> None:
    role = {"apps": ["notes", "shell"], "commands": ["notes list", "shell -c"]}
    helped, piped = answers(role, ("shell -c help", "shell -c 'whoami; help | nothing'"))
    assert helped.text.startswith("notes list  List your")
    assert rows(piped) == ["eve (a guest)"]


def test_who_may_use_nothing_is_told_so() -> None:
    (helped,) = answers({"apps": []}, ("help",))
    assert rows(helped) == ["No app here is open to you; the host's operator can change that."]
    assert helped.status == 0


@pytest.mark.parametrize(
    ("apps", "told"),
    [
        (
            ["notes", "reader"],
            "no app opens here by itself for you, so name one: there are notes, ",
        ),
        ([], "no app is open to you; the host's operator can change that."),
    ],
)
def test_nobody_is_told_of_an_app_that_they_did_not_ask_for(apps: list[str], told: str) -> None:
    settings = {"roles": {"guest": {"apps": apps}}}
    with (
        hosted(bundled=BUNDLED, settings=settings) as host,
        host.open(user="eve", size=(200, 24)) as pilot,
    ):
        pilot.wait_for(told)
        assert pilot.wait_end() == 127
