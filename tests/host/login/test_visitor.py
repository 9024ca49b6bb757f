"""What a login comes to: decided once, and kept."""

from __future__ import annotations

from typing import Any

import pytest

from tuihost import Accepts
from tuihost.core.login.chains import LoginChains
from tuihost.host.login.visitor import Visitor, original_command
from tuihost.settings.loading import load
from tuihost.wire import ExecRequest, Identity, Restrictions, ShellRequest, SubsystemRequest

APPS = {
    "menu": Accepts(),
    "notes": Accepts(guests=False),
    "vault": Accepts(),
    "desk": Accepts(roles=frozenset({"staff"})),
}
CHAINS = LoginChains((("publickey",),), {"vault": (("publickey", "totp"),)})


def visitor(**about: Any) -> Visitor:
    given = {"user": "ada", "guest": False, "factors": ("publickey",), **about}
    return Visitor.of(Identity(**given), load(None, {}, {}), CHAINS, APPS, 7)


@pytest.mark.parametrize(
    ("about", "apps"),
    [
        ({}, {"menu", "notes"}),
        ({"guest": True, "factors": ("none",)}, {"menu"}),
        ({"roles": frozenset({"staff"})}, {"menu", "notes", "desk"}),
        ({"factors": ("publickey", "totp")}, {"menu", "notes", "vault"}),
        ({"restrictions": Restrictions(command="notes list")}, {"notes"}),
        ({"restrictions": Restrictions(command="'unclosed")}, set[str]()),
        ({"restrictions": Restrictions(command="")}, set[str]()),
    ],
)
def test_what_they_may_open(about: dict[str, Any], apps: set[str]) -> None:
    here = visitor(**about)
    assert here.apps == apps
    assert {name for name in APPS if here.may_open(name)} == apps


def test_a_name_may_be_seen_that_cannot_be_opened() -> None:
    here = visitor()
    assert here.may_see("broken")
    assert not here.may_open("broken")
    assert not here.may_run("broken", "anything")
    confined = visitor(restrictions=Restrictions(command="notes list"))
    assert not confined.may_see("broken")


def test_the_line_of_a_key_is_kept_only_where_it_gives_everything() -> None:
    assert visitor(key="ssh-ed25519 AAAA").key_line == "ssh-ed25519 AAAA"
    assert visitor(key="ssh-ed25519 AAAA", restrictions=Restrictions()).key_line is not None
    assert visitor(key="ssh-ed25519 AAAA", restrictions=Restrictions(pty=False)).key_line is None


@pytest.mark.parametrize(
    ("asked", "env"),
    [
        (ExecRequest("rm -r /"), {"SSH_ORIGINAL_COMMAND": "rm -r /"}),
        (SubsystemRequest("sftp"), {"SSH_ORIGINAL_COMMAND": "sftp"}),
        (ShellRequest(), {}),
    ],
)
def test_a_keys_command_is_told_what_was_asked_for(asked: Any, env: dict[str, str]) -> None:
    assert original_command(asked) == env
