"""What people without an account read here: what an account is good for, and how to get one."""

from __future__ import annotations

from typing import Any

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from tuihost import Session, clean

NO_ACCOUNT = "You are a guest here, and guests have no account."


def sentences(session: Session, how: str) -> list[str]:
    """The explanation, a paragraph each. `how` is what the operator says about getting one."""
    if not session.account.guest:
        return ["Accounts belong to a host that people log in to. Open this over ssh."]
    name, host = clean(session.user, limit=40), clean(session.host.name, limit=40)
    return [
        f"You are a guest on {host}. Nobody asked you to prove that you are {name}: anyone who "
        "gives that name finds what you leave here.",
        "With an account the name is yours. You log in with your keys, or with a password and "
        "a second factor, and what apps keep for you is kept for you alone.",
        clean(how, limit=500)
        or "Ask the people who run this host for an invitation. It says which name to log in as; "
        "the host then asks for its code, and lets you choose your own name and a password.",
    ]


def keyless(session: Session, how: str) -> str:
    """What somebody reads who wants to add a key, as `ssh-copy-id` does, and has no account."""
    return (
        f"{NO_ACCOUNT} You need no key to come in. To use a key, name your account: "
        f"ssh-copy-id {_with_user(session.host.ssh_target)}. {clean(how, limit=500)}"
    ).rstrip()


def _with_user(target: str) -> str:
    options, _, host = target.rpartition(" ")
    return f"{options} NAME@{host}".lstrip()


def page(session: Session, how: str) -> Any:
    """The same as a page."""
    title = "You are a guest" if session.account.guest else "No accounts here"
    parts: list[Any] = [Text(title, "title"), Text()]
    for sentence in sentences(session, how):
        parts += [Text(sentence), Text()]
    return Padding(Group(*parts), (1, 3, 0, 3))
