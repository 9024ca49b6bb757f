"""The house as its imports draw it: rooms, floors and arrows. `make map` prints it.

A room is a folder of modules, or a module at the top of the package. An arrow leads from the room
that imports to the room that is imported, also where the import is there for type checkers only.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "tuihost"

FLOORS: Mapping[str, int] = {
    "tuihost.errors": 0,
    "tuihost.logs": 0,
    "tuihost.phrases": 0,
    "tuihost.terminal_facts": 0,
    "tuihost.text": 0,
    "tuihost.wire": 0,
    "tuihost.core": 1,
    "tuihost.settings": 1,
    "tuihost.accounts": 2,
    "tuihost.commands": 2,
    "tuihost.database": 2,
    "tuihost.files": 2,
    "tuihost.login": 2,
    "tuihost.plugin": 2,
    "tuihost.session": 2,
    "tuihost.theme": 2,
    "tuihost.ssh": 3,
    "tuihost.tui": 3,
    "tuihost.host": 4,
    "tuihost": 5,
    "tuihost.__main__": 5,
    "tuihost.cli": 5,
    "tuihost.local": 5,
    "tuihost.testing": 5,
    "tuihost.widgets": 5,
}
"""The floor of each part of the package, with all the rooms in it."""

FLOOR_NAMES = ("values", "core", "plugins", "adapters", "host", "edges")


@dataclass(frozen=True, slots=True)
class Import:
    """One name that a file imports. `typing_only`: nothing of it is there at run time."""

    module: str
    line: int
    typing_only: bool


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return name.startswith("tuihost.") and (path.is_dir() or path.with_suffix(".py").is_file())


@cache
def modules() -> Mapping[str, Path]:
    """Every module of the package, by name; a folder's `__init__` under the folder's name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if "_bundled" not in parts:
            found[".".join(parts).removesuffix(".__init__")] = path
    return found


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
    package = module if path.stem == "__init__" else module.rpartition(".")[0]
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
            submodules = [name for name in names if is_module(name)]
            for name in submodules or [base]:
                yield Import(name, node.lineno, unseen)


def floor_of(module: str) -> int:
    """The floor on which a module stands."""
    part = ".".join(module.split(".")[:2])
    assert part in FLOORS, f"{module} stands on no floor: give it one in tests/house.py"
    return FLOORS[part]


def room_of(module: str) -> str:
    """The folder that a module stands in; the module itself at the top of the package."""
    path = modules()[module]
    if path.name == "__init__.py":
        return module
    folder = module.rpartition(".")[0]
    return module if folder == "tuihost" else folder


@cache
def rooms() -> Mapping[str, tuple[str, ...]]:
    """The modules of each room that has any besides its `__init__`."""
    found: dict[str, list[str]] = {}
    for module, path in modules().items():
        if path.name != "__init__.py":
            found.setdefault(room_of(module), []).append(module)
    return {room: tuple(inside) for room, inside in found.items()}


def inner_imports(module: str) -> Iterator[Import]:
    """What a module imports of the package itself."""
    for imported in imports(modules()[module], module):
        if imported.module.partition(".")[0] == "tuihost" and imported.module in modules():
            yield imported


@cache
def arrows() -> frozenset[tuple[str, str]]:
    """From room to room. The package's own `__init__` names every public name, and is left out."""
    return frozenset(
        (room_of(module), room_of(imported.module))
        for module in modules()
        if module != "tuihost"
        for imported in inner_imports(module)
        if imported.module != "tuihost" and room_of(module) != room_of(imported.module)
    )


def circles(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, ...]]:
    """The groups of places that lead back to themselves: strongly connected, more than one."""
    forward: dict[str, set[str]] = {}
    backward: dict[str, set[str]] = {}
    for start, end in pairs:
        forward.setdefault(start, set()).add(end)
        backward.setdefault(end, set()).add(start)

    def reached(start: str, ways: Mapping[str, set[str]]) -> set[str]:
        seen, waiting = {start}, [start]
        while waiting:
            for near in ways.get(waiting.pop(), set()) - seen:
                seen.add(near)
                waiting.append(near)
        return seen

    found, done = [], set[str]()
    for place in sorted(forward):
        if place not in done:
            group = reached(place, forward) & reached(place, backward)
            done |= group
            if len(group) > 1:
                found.append(tuple(sorted(group)))
    return found


def promise(room: str) -> str:
    """The first line of a room's docstring."""
    path = modules()[room]
    return (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").partition("\n")[0]


def drawing() -> str:
    """The rooms from the top floor down: what each is for, and what it imports."""
    lines = []
    for floor in range(len(FLOOR_NAMES) - 1, -1, -1):
        lines.append(f"floor {floor}: {FLOOR_NAMES[floor]}")
        for room in sorted(rooms()):
            if floor_of(room) != floor:
                continue
            count = len(rooms()[room])
            size = "" if rooms()[room] == (room,) else f" ({count} module{'s' * (count != 1)})"
            lines.append(f"  {short(room)}{size}: {promise(room)}")
            targets = sorted(short(end) for start, end in arrows() if start == room)
            if targets:
                lines.append(f"    -> {', '.join(targets)}")
    found = circles(arrows())
    up = [pair for pair in arrows() if floor_of(pair[1]) > floor_of(pair[0])]
    lines.append(
        f"{len(rooms())} rooms, {len(arrows())} arrows, {len(up)} up, {len(found)} circles"
    )
    return "\n".join(lines)


def short(room: str) -> str:
    return room.removeprefix("tuihost.").replace(".", "/")


if __name__ == "__main__":
    sys.stdout.write(drawing() + "\n")
