"""The exit statuses that the host and the bundled apps end with are those of docs/commands.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import ROOT
from tuihost.commands.running import USAGE
from tuihost.core import exit_statuses
from tuihost.host.transfers import rsync

APPS = sorted((ROOT / "apps").rglob("*.py"))


def documented() -> set[int]:
    """The numbers at the start of the rows of the table."""
    page = (ROOT / "docs" / "commands.md").read_text().partition("## How it ends")[2]
    first_cells = re.findall(r"^\| ([\d, ]+) \|", page, re.MULTILINE)
    return {int(number) for cell in first_cells for number in cell.split(",")}


def of_the_host() -> set[int]:
    named = vars(exit_statuses)
    own = {value for name, value in named.items() if name.isupper() and isinstance(value, int)}
    return {*own, USAGE, rsync.ENDED, rsync.NOT_ALL}


def returned(path: Path) -> Iterator[int]:
    """What functions that give an int return as a plain number, or under a name of their module."""
    tree = ast.parse(path.read_text())
    names = {
        target.id: value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target, value in _pairs(node)
        if isinstance(value, ast.Constant)
    }
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if not any(ast.unparse(each).startswith("command") for each in function.decorator_list):
            continue
        for node in ast.walk(function):
            if not isinstance(node, ast.Return) or node.value is None:
                continue
            for part in ast.walk(node.value):
                value = part.value if isinstance(part, ast.Constant) else None
                if isinstance(part, ast.Name):
                    value = names.get(part.id)
                if type(value) is int:
                    yield value


def _pairs(node: ast.Assign) -> Iterator[tuple[ast.Name, ast.expr]]:
    for target in node.targets:
        if isinstance(target, ast.Name):
            yield target, node.value
        elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            for name, value in zip(target.elts, node.value.elts, strict=True):
                if isinstance(name, ast.Name):
                    yield name, value


def test_each_status_of_the_host_is_in_the_table_and_no_other() -> None:
    assert documented() == of_the_host()


@pytest.mark.parametrize("path", APPS, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_status_of_a_bundled_app_is_in_the_table(path: Path) -> None:
    assert set(returned(path)) <= {0, *documented()}


def test_the_apps_are_read() -> None:
    assert {1, 2, 69} <= {status for path in APPS for status in returned(path)}
