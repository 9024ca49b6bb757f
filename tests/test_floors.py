"""The rules of the house: who may import whom, and how large a room may grow."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import FLOORS, ROOT, House, circles, floor_of

HOUSE = House(ROOT)

# What comes from outside, and which rooms alone may import it. Anything else may not be imported.
OUTSIDERS = {
    "paramiko": ("ssh", "testing"),
    "argon2": ("host",),
    "cryptography": ("ssh", "host"),
    "segno": ("login", "cli", "session"),
    "prompt_toolkit": ("tui", "host", "theme", "local", "testing", "widgets"),
    "rich": ("tui", "host", "theme", "cli", "local", "testing", "widgets"),
    "pygments": ("tui", "theme"),
    "wcwidth": ("tui", "theme", "cli", "testing"),
    "click": ("commands", "cli", "local"),
    "pydantic": ("settings",),
    "pydantic_core": ("settings",),
    "tomlkit": ("settings",),
    "platformdirs": ("settings", "cli"),
    "pyte": ("testing",),
    "pytest": ("testing",),
    "h11": ("session",),
    "msgspec": ("host",),
}

MODULES_IN_A_ROOM = 12
OF_ONE_KIND = {
    "tuihost.cli": "subcommands",
    "tuihost.login.steps": "login steps",
    "tuihost.tui.widgets": "widgets",
    "tuihost.testing": "parts of the test kit, which its `__init__` exports",
}
"""Rooms whose modules are all of the one kind: they may be many, and none of them is private."""

# What a bundled app may import: what any author's app may.
PUBLIC = ("tuihost", "tuihost.widgets", "tuihost.testing")
FOR_APPS = ("prompt_toolkit", "rich", "h11", "markdown_it", "pygments", "re2", "Xlib")


def part_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def mistakes(module: str, path: Path) -> Iterator[str]:
    for imported in HOUSE.imports(path, module):
        where = f"{path.relative_to(ROOT)}:{imported.line}: {module} imports {imported.module}"
        top = imported.module.partition(".")[0]
        if top in sys.stdlib_module_names:
            continue
        if top != "tuihost":
            allowed = OUTSIDERS.get(top, ())
            if part_of(module) not in allowed and not imported.typing_only:
                yield f"{where}, which only {', '.join(allowed) or 'nobody'} may"
            continue
        if imported.module == "tuihost":
            continue  # `__version__`
        if {part_of(module), part_of(imported.module)} == {"ssh", "tui"}:
            yield f"{where}: ssh and tui never see each other"
        elif floor_of(imported.module) > floor_of(module):
            yield f"{where}: from floor {floor_of(module)} up to {floor_of(imported.module)}"


def test_modules_import_only_from_their_own_floor_and_below() -> None:
    found = [
        mistake
        for module, path in HOUSE.modules.items()
        if module != "tuihost"  # names what every floor gives to authors
        for mistake in mistakes(module, path)
    ]
    assert not found, "\n".join(found)


def test_values_and_core_are_pure() -> None:
    """The two lowest floors need only the standard library; settings are the exception."""
    for module, path in HOUSE.modules.items():
        if floor_of(module) <= 1 and part_of(module) != "settings":
            for imported in HOUSE.imports(path, module):
                top = imported.module.partition(".")[0]
                known = top in sys.stdlib_module_names or top == "tuihost"
                assert known or imported.typing_only, f"{module} imports {imported.module}"


def test_no_room_and_no_module_leads_back_to_itself() -> None:
    assert circles(HOUSE.arrows) == []
    assert circles(HOUSE.module_arrows) == []


def test_a_room_can_be_taken_in_at_a_glance() -> None:
    for room, inside in HOUSE.rooms.items():
        if room not in OF_ONE_KIND:
            assert len(inside) <= MODULES_IN_A_ROOM, f"{room} has {len(inside)} modules"
    top = [path for path in HOUSE.package.glob("*.py") if not path.name.startswith("__")]
    assert len(top) <= MODULES_IN_A_ROOM


def test_a_room_says_what_is_inside() -> None:
    for room in HOUSE.rooms:
        said = HOUSE.promise(room)
        assert said.endswith("."), f"{room} should say in its first line what it is"


def test_what_is_private_is_used_inside_its_room_only_and_the_rest_is_used_outside() -> None:
    users: dict[str, set[str]] = {module: set() for module in HOUSE.modules}
    for module in HOUSE.modules:
        for imported in HOUSE.inner_imports(module):
            users[imported.module].add(HOUSE.room_of(module))
    for exported in HOUSE.imports(HOUSE.package / "__init__.pyi", "tuihost"):
        users[exported.module].add("tuihost")
    for room, inside in HOUSE.rooms.items():
        if room in OF_ONE_KIND or inside == (room,):
            continue
        for module in inside:
            private = module.rpartition(".")[2].startswith("_")
            outside = sorted(users[module] - {room})
            if private:
                assert not outside, f"{module} is private, and {', '.join(outside)} import it"
            else:
                assert outside, f"nothing outside of {room} imports {module}: name it `_…`"


@pytest.mark.parametrize("path", sorted((ROOT / "apps").rglob("*.py")), ids=str)
def test_bundled_apps_use_the_public_interface_only(path: Path) -> None:
    inside = path.relative_to(ROOT).with_suffix("").parts
    for imported in HOUSE.imports(path, ".".join(inside)):
        top = imported.module.partition(".")[0]
        own = imported.module.startswith(".".join(inside[:2]))
        allowed = (
            imported.module in PUBLIC or top in FOR_APPS or own or top in sys.stdlib_module_names
        )
        where = f"{path}:{imported.line}"
        assert allowed, f"{where} imports {imported.module}, which authors' apps may not"


def test_the_table_of_floors_names_only_what_there_is() -> None:
    gone = [name for name in FLOORS if name != "tuihost" and not HOUSE.is_module(name)]
    assert gone == []


def test_circles_are_seen() -> None:
    assert circles([("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")]) == [("a", "b", "c")]
    assert circles([("a", "b"), ("a", "c"), ("b", "c")]) == []


def test_the_reader_of_imports_sees_them_all(tmp_path: Path) -> None:
    path = tmp_path / "file.py"
    path.write_text(
        "import a.b\nfrom c import d\nfrom . import e\nfrom .f import g\n"
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import h\n"
        "def function():\n    from tuihost import errors\n"
    )
    assert [(found.module, found.typing_only) for found in HOUSE.imports(path, "x.file")] == [
        ("a.b", False),
        ("c", False),
        ("x", False),
        ("x.f", False),
        ("typing", False),
        ("h", True),
        ("tuihost.errors", False),
    ]
