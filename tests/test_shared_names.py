"""Tests that share a host share nobody in it: a name is in one test, and in one of its cases."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache, cached_property
from itertools import combinations
from pathlib import Path

import pytest

E2E = Path(__file__).parent / "e2e"
NAMED_BY = {"visit": 0, "member": 0, "authorize": 1, "said": 1, "connect": 1, "dial": 2}
"""Functions of these tests, and which of their arguments is somebody's name."""
AT_HOST = re.compile(r"([\w*-]+)(?:\+[\w*-]+)?@127\.0\.0\.1")
IN_EACH_HOST = {"guest"}
"""Who may come to any host without an account, and keeps nothing there."""


class Case:
    """One test function, and whom it names."""

    def __init__(self, file: Path, test: ast.FunctionDef, fixtures: dict[str, ast.FunctionDef]):
        self.file = file
        self.test = test
        self._fixtures = fixtures

    def __str__(self) -> str:
        return f"{self.file.name}::{self.test.name}"

    @cached_property
    def needs(self) -> set[str]:
        """The names of all fixtures that it uses, by way of others too."""
        found: set[str] = set()
        left = _arguments(self.test)
        while left:
            name = left.pop()
            found.add(name)
            if name in self._fixtures:
                left |= _arguments(self._fixtures[name]) - found
        return found

    @property
    def host(self) -> str:
        """The host that it shares with other tests, if it does."""
        if "host" in self.needs:
            return f"host of {self.file.name}"
        return next((name for name in ("demo", "house") if name in self.needs), "")

    @property
    def has_cases(self) -> bool:
        fixtures = [self._fixtures[name] for name in self.needs if name in self._fixtures]
        return any(
            "parametrize" in ast.unparse(mark) or "params=" in ast.unparse(mark)
            for function in (self.test, *fixtures)
            for mark in function.decorator_list
        )

    @cached_property
    def names(self) -> set[str]:
        """Whom it names; `*` stands for what depends on the case."""
        found: set[str] = set()
        for node in ast.walk(self.test):
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func
                called = called.id if isinstance(called, ast.Name) else called
                if isinstance(called, str) and len(node.args) > NAMED_BY.get(called, 99):
                    found |= set(self._texts(node.args[NAMED_BY[called]]))
            for text in self._texts(node) if isinstance(node, ast.Constant | ast.JoinedStr) else ():
                found |= set(AT_HOST.findall(text))
        return {name.partition("+")[0] for name in found} - IN_EACH_HOST - {"*"}

    def _texts(self, node: ast.expr) -> Iterator[str]:
        """What that expression may be."""
        match node:
            case ast.Constant(str(text)):
                yield text
            case ast.JoinedStr(parts):
                yield "".join(
                    str(part.value) if isinstance(part, ast.Constant) else "*" for part in parts
                )
            case ast.IfExp(body=body, orelse=other):
                yield from self._texts(body)
                yield from self._texts(other)
            case ast.Name(name):
                for value in self._values(name):
                    yield from self._texts(value)

    def _values(self, name: str) -> Iterator[ast.expr]:
        """What the test gives a variable of its own."""
        for node in ast.walk(self.test):
            match node:
                case ast.Assign([ast.Name(to)], value) if to == name:
                    yield value
                case ast.comprehension(
                    ast.Tuple([ast.Name(to), *_]), ast.Call(ast.Attribute(ast.Name(rows), "items"))
                ) if to == name:
                    for value in self._values(rows):
                        if isinstance(value, ast.Dict):
                            yield from filter(None, value.keys)
                case ast.Assign([ast.Tuple(targets)], ast.Tuple(values)):
                    for target, value in zip(targets, values, strict=True):
                        if isinstance(target, ast.Name) and target.id == name:
                            yield value


def _arguments(function: ast.FunctionDef) -> set[str]:
    return {argument.arg for argument in function.args.args}


def _functions(file: Path) -> list[ast.FunctionDef]:
    return [node for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef)]


def _fixtures(file: Path) -> dict[str, ast.FunctionDef]:
    return {
        function.name: function
        for function in _functions(file)
        if any("fixture" in ast.unparse(mark) for mark in function.decorator_list)
    }


@cache
def cases() -> list[Case]:
    shared = _fixtures(E2E / "conftest.py")
    found = [
        Case(file, function, shared | _fixtures(file))
        for file in sorted(E2E.glob("test_*.py"))
        for function in _functions(file)
        if function.name.startswith("test_")
    ]
    return [case for case in found if case.host]


def test_names_are_found() -> None:
    named = {name: case.host for case in cases() for name in case.names}
    assert len(named) > 80
    assert (named["ann-*"], named["bea"], named["rq"]) == (
        "house",
        "demo",
        "host of test_e2e_rsync.py",
    )


def test_nobody_is_in_two_tests_of_one_host() -> None:
    double = [
        f"{name} ({first.host}): {first}, {second}"
        for first, second in combinations(cases(), 2)
        if first.host == second.host
        for name in first.names
        for other in second.names
        if fnmatchcase(name, other) or fnmatchcase(other, name)
    ]
    assert double == []


def test_each_case_of_a_test_has_people_of_its_own() -> None:
    same = [
        f"{name}: {case}"
        for case in cases()
        if case.has_cases
        for name in case.names
        if "*" not in name
    ]
    assert same == []


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("visit('ann')", {"ann"}),
        ("house.member(f'ann-{kind}', key=key)", {"ann-*"}),
        ("ssh('-T', 'bob+menu@127.0.0.1')", {"bob"}),
        ("f'ssh -p {port} cat@127.0.0.1 about'", {"cat"}),
        ("name, key = f'dan-{kind}', 1; member(name)", {"dan-*"}),
        ("user = 'eve' if cases else 'fay'; visit(user)", {"eve", "fay"}),
        ("ways = {'gil': 1}; [member(name, x) for name, x in ways.items()]", {"gil"}),
        ("ssh('guest@127.0.0.1')", set()),
    ],
)
def test_a_name_is_read(line: str, names: set[str]) -> None:
    (function,) = ast.parse(f"def test_it(demo): {line}").body
    assert isinstance(function, ast.FunctionDef)
    assert Case(Path("x"), function, {}).names == names
