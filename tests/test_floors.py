"""The floors of the house: a module imports only from its own floor's folder and from below."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "tuihost"

# The floor of each family of modules: 0 words, 1 core, 2 plugins, 3 adapters, 4 host, 5 edges.
# A folder is one family, and so are the files that share what stands before an underline:
# `theme.py` and `theme_file.py`.
FLOORS = {
    "tuihost": 0,  # its names are imported when they are first used
    "tuihost.errors": 0,
    "tuihost.logs": 0,
    "tuihost.terminal": 0,
    "tuihost.text": 0,
    "tuihost.wire": 0,
    "tuihost.core": 1,
    "tuihost.settings": 1,
    "tuihost.accounts": 2,
    "tuihost.approvals": 2,
    "tuihost.app": 2,
    "tuihost.commands": 2,
    "tuihost.files": 2,
    "tuihost.forwarding": 2,
    "tuihost.login": 2,
    "tuihost.own_account": 2,
    "tuihost.progress": 2,
    "tuihost.reach": 2,
    "tuihost.session": 2,
    "tuihost.steps": 2,
    "tuihost.theme": 2,
    "tuihost.web": 2,
    "tuihost.ssh": 3,
    "tuihost.tui": 3,
    "tuihost.host": 4,
    "tuihost.__main__": 5,
    "tuihost.cli": 5,
    "tuihost.local": 5,
    "tuihost.testing": 5,
    "tuihost.widgets": 5,
}

# What comes from outside, and who alone may import it. What is not named here nobody may.
OUTSIDERS = {
    "paramiko": ("ssh", "testing"),
    "argon2": ("host",),
    "cryptography": ("ssh", "host"),
    "pyotp": ("steps", "host", "cli"),
    "segno": ("steps", "cli", "own_account"),
    "prompt_toolkit": ("tui", "host", "theme", "local", "testing", "widgets"),
    "rich": ("tui", "host", "theme", "cli", "local", "testing", "widgets"),
    "pygments": ("tui", "theme"),
    "wcwidth": ("tui", "theme", "cli", "testing"),
    "click": ("commands", "cli", "local"),
    "pydantic": ("settings",),
    "pydantic_core": ("settings",),
    "tomlkit": ("settings", "theme"),
    "platformdirs": ("settings", "cli"),
    "pyte": ("testing",),
    "pytest": ("testing",),
    "h11": ("web",),
}

# What a bundled app may import: what any author's app may.
PUBLIC = ("tuihost", "tuihost.widgets", "tuihost.testing")
FOR_APPS = ("prompt_toolkit", "rich", "h11", "regex", "Xlib")


@dataclass(frozen=True, slots=True)
class Import:
    """One name that a file imports. `typing_only`: nothing of it is there at run time."""

    module: str
    line: int
    typing_only: bool


def imports(path: Path, module: str) -> Iterator[Import]:
    """Every import in a file, wherever it stands; `from package import submodule` as both."""
    tree = ast.parse(path.read_text("utf-8"), str(path))
    typing_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(tree):
        unseen = node in typing_only
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, unseen)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                above = ".".join(parents[: len(parents) - node.level + 1])
                base = f"{above}.{base}".strip(".")
            names = [f"{base}.{alias.name}" for alias in node.names]
            # `from tuihost.tui import rows` is about `rows` and no more; but `from tuihost import
            # app` is the decorator of that name.
            submodules = [name for name in names if is_module(name) and name != "tuihost.app"]
            for name in submodules or [base]:
                yield Import(name, node.lineno, unseen)


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return name.startswith("tuihost.") and (path.is_dir() or path.with_suffix(".py").is_file())


def modules() -> list[tuple[str, Path]]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if "_bundled" not in parts:
            found.append((".".join(parts).removesuffix(".__init__"), path))
    return found


def family(module: str) -> str:
    """The entry of the table that a module falls under."""
    parts = module.split(".")
    for name in parts[1:2]:
        known = [one for one in (name, name.partition("_")[0]) if f"tuihost.{one}" in FLOORS]
        assert known, f"{module} stands on no floor: give it one in FLOORS"
        return f"tuihost.{known[0]}"
    return "tuihost"


def mistakes(module: str, path: Path) -> Iterator[str]:
    own = family(module)
    for one in imports(path, module):
        where = f"{path.relative_to(ROOT)}:{one.line}: {module} imports {one.module}"
        top = one.module.partition(".")[0]
        if top in sys.stdlib_module_names:
            continue
        if top != "tuihost":
            allowed = OUTSIDERS.get(top, ())
            if own.partition(".")[2] not in allowed and not one.typing_only:
                yield f"{where}, which only {', '.join(allowed) or 'nobody'} may"
            continue
        other = family(one.module)
        if {own, other} == {"tuihost.ssh", "tuihost.tui"}:
            yield f"{where}: ssh and tui never see each other"
        elif other != "tuihost" and FLOORS[other] > FLOORS[own] and not one.typing_only:
            yield f"{where}: from floor {FLOORS[own]} up to floor {FLOORS[other]}"


def test_modules_import_only_from_their_own_floor_and_below() -> None:
    found = [
        mistake
        for module, path in modules()
        # The package's own door names every floor, and imports each name when it is used.
        if module != "tuihost"
        for mistake in mistakes(module, path)
    ]
    assert not found, "\n".join(found)


def test_words_and_core_are_pure() -> None:
    """The two lowest floors need nothing but the standard library; settings are the exception."""
    for module, path in modules():
        if FLOORS[family(module)] <= 1 and "settings" not in module:
            for one in imports(path, module):
                top = one.module.partition(".")[0]
                known = top in sys.stdlib_module_names or top == "tuihost"
                assert known or one.typing_only, f"{module} imports {one.module}"


@pytest.mark.parametrize("path", sorted((ROOT / "apps").rglob("*.py")), ids=str)
def test_bundled_apps_use_the_public_interface_only(path: Path) -> None:
    inside = path.relative_to(ROOT).with_suffix("").parts
    for one in imports(path, ".".join(inside)):
        top = one.module.partition(".")[0]
        own = one.module.startswith(".".join(inside[:2]))
        allowed = one.module in PUBLIC or top in FOR_APPS or own or top in sys.stdlib_module_names
        assert allowed, f"{path}:{one.line} imports {one.module}, which authors' apps may not"


def test_the_table_names_only_what_there_is() -> None:
    gone = [name for name in FLOORS if name != "tuihost" and not is_module(name)]
    assert set(gone) <= {"tuihost.widgets"}, f"no such modules any more: {gone}"


def test_the_reader_of_imports_sees_them_all(tmp_path: Path) -> None:
    path = tmp_path / "file.py"
    path.write_text(
        "import a.b\nfrom c import d\nfrom . import e\nfrom .f import g\n"
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import h\n"
        "def function():\n    from tuihost import errors\n"
    )
    assert [(one.module, one.typing_only) for one in imports(path, "x.file")] == [
        ("a.b", False),
        ("c", False),
        ("x", False),
        ("x.f", False),
        ("typing", False),
        ("h", True),
        ("tuihost.errors", False),
    ]
