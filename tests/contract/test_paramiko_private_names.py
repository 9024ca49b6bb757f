"""Every private name of paramiko that is used here stands in a contract test, so that a version
without it speaks up there first."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import paramiko
from paramiko import auth_handler, channel, packet, sftp, sftp_attr, sftp_server, transport

ROOT = Path(__file__).parents[2]
THEIRS = (transport, channel, packet, auth_handler, sftp, sftp_attr, sftp_server)

# Names that classes of ours give to things of their own, and that other classes there have too.
OURS = {"_closed", "_lock", "_name", "_read", "_send", "_size", "_window_adjust", "_write"}


def private_names_of_paramiko() -> set[str]:
    """Methods, class attributes and attributes that its objects are given."""
    names: set[str] = set()
    for module in THEIRS:
        names |= set(re.findall(r"\bself\.(_\w+)", inspect.getsource(module)))
        for _, kind in inspect.getmembers(module, inspect.isclass):
            names |= {name for name in vars(kind) if re.fullmatch(r"_[a-z]\w*", name)}
    return names


def names_used_here() -> dict[str, str]:
    """Private attributes in tuihost/ssh, with the place of each."""
    used: dict[str, str] = {}
    for path in sorted((ROOT / "tuihost" / "ssh").rglob("*.py")):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and re.fullmatch(r"_[a-z]\w*", node.attr):
                used.setdefault(node.attr, f"{path.name}:{node.lineno}")
            elif isinstance(node, ast.FunctionDef) and re.fullmatch(r"_[a-z]\w*", node.name):
                used.setdefault(node.name, f"{path.name}:{node.lineno}")
    return used


def test_each_has_its_contract() -> None:
    contracts = "".join(
        path.read_text() for path in Path(__file__).parent.glob("test_paramiko_*.py")
    )
    theirs = private_names_of_paramiko()
    missing = [
        f"{name} ({place})"
        for name, place in names_used_here().items()
        if name in theirs - OURS and not re.search(rf"\b{name}\b", contracts)
    ]
    assert theirs, "nothing was read"
    assert missing == []


def test_nobody_else_touches_paramiko() -> None:
    users = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "tuihost").rglob("*.py"))
        if re.search(r"^\s*(?:import|from) paramiko\b", path.read_text(), re.MULTILINE)
    ]
    assert paramiko.__version__.startswith("5.1.")
    assert all(user.startswith(("tuihost/ssh/", "tuihost/testing/")) for user in users), users
