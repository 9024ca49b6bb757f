"""The house as its imports draw it: rooms, floors and arrows.

    python -m tests.house                  # the drawing, as `make map` prints it
    python -m tests.house --write          # the same, into docs/map.md
    python -m tests.house --numbers PATH   # how many rooms and arrows another checkout has

A room is a folder of modules, or a module at the top of the package. An arrow leads from the room
that imports to the room that is imported, also where the import is there for type checkers only.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[1]
MAP = ROOT / "docs" / "map.md"

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


@dataclass(frozen=True, slots=True)
class Count:
    """How much there is to see at one level: `places` and the arrows between them."""

    places: int
    arrows: int
    circles: int
    largest: int
    """Modules in the largest folder."""

    def row(self) -> str:
        return f"{self.places} | {self.arrows} | {self.circles} | {self.largest}"


@dataclass(frozen=True)
class House:
    """The package of one checkout."""

    root: Path
    _imports: dict[str, tuple[Import, ...]] = field(default_factory=dict, repr=False)

    @property
    def package(self) -> Path:
        return self.root / "tuihost"

    @cached_property
    def modules(self) -> Mapping[str, Path]:
        """Every module of the package, by name; a folder's `__init__` under the folder's name."""
        found = {}
        for path in sorted(self.package.rglob("*.py")):
            parts = path.relative_to(self.root).with_suffix("").parts
            if "_bundled" not in parts:
                found[".".join(parts).removesuffix(".__init__")] = path
        return found

    def is_module(self, name: str) -> bool:
        path = self.root.joinpath(*name.split("."))
        return name.startswith("tuihost.") and (path.is_dir() or path.with_suffix(".py").is_file())

    def imports(self, path: Path, module: str) -> Iterator[Import]:
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
                submodules = [name for name in names if self.is_module(name)]
                for name in submodules or [base]:
                    yield Import(name, node.lineno, unseen)

    def inner_imports(self, module: str) -> tuple[Import, ...]:
        """What a module imports of the package itself."""
        if module not in self._imports:
            self._imports[module] = tuple(
                imported
                for imported in self.imports(self.modules[module], module)
                if imported.module in self.modules
            )
        return self._imports[module]

    def room_of(self, module: str) -> str:
        """The folder that a module stands in; the module itself at the top of the package."""
        if self.modules[module].name == "__init__.py":
            return module
        folder = module.rpartition(".")[0]
        return module if folder == "tuihost" else folder

    @cached_property
    def rooms(self) -> Mapping[str, tuple[str, ...]]:
        """The modules of each room that has any besides its `__init__`."""
        found: dict[str, list[str]] = {}
        for module, path in self.modules.items():
            if path.name != "__init__.py":
                found.setdefault(self.room_of(module), []).append(module)
        return {room: tuple(inside) for room, inside in found.items()}

    @cached_property
    def module_arrows(self) -> frozenset[tuple[str, str]]:
        """From module to module. The package's own `__init__` names every public name, and is left
        out."""
        return frozenset(
            (module, imported.module)
            for module in self.modules
            if module != "tuihost"
            for imported in self.inner_imports(module)
            if imported.module not in ("tuihost", module)
        )

    @cached_property
    def arrows(self) -> frozenset[tuple[str, str]]:
        """From room to room."""
        pairs = ((self.room_of(start), self.room_of(end)) for start, end in self.module_arrows)
        return frozenset((start, end) for start, end in pairs if start != end)

    def promise(self, room: str) -> str:
        """The first line of a room's docstring."""
        tree = ast.parse(self.modules[room].read_text("utf-8"))
        return (ast.get_docstring(tree) or "").partition("\n")[0]

    def inside(self, folder: str) -> Count:
        """The parts that stand directly in a folder, each with all that is in it."""
        depth = folder.count(".") + 2
        prefix = f"{folder}."

        def part(module: str) -> str:
            return ".".join(module.split(".")[:depth])

        parts = {part(module) for module in self.modules if module.startswith(prefix)}
        pairs = {
            (part(start), part(end))
            for start, end in self.module_arrows
            if start.startswith(prefix) and end.startswith(prefix) and part(start) != part(end)
        }
        sizes = [
            len(modules)
            for room, modules in self.rooms.items()
            if modules != (room,) and f"{room}.".startswith(prefix)
        ]
        if folder == "tuihost":
            sizes.append(sum(modules == (room,) for room, modules in self.rooms.items()))
        return Count(len(parts), len(pairs), len(circles(pairs)), max(sizes))

    def between_files(self) -> Count:
        """All modules of the package."""
        found = circles(self.module_arrows)
        largest = self.between_rooms().largest
        return Count(len(self.modules) - 1, len(self.module_arrows), len(found), largest)

    def between_rooms(self) -> Count:
        """All rooms of the package."""
        top = sum(modules == (room,) for room, modules in self.rooms.items())
        sizes = (len(modules) for modules in self.rooms.values())
        found = circles(self.arrows)
        return Count(len(self.rooms), len(self.arrows), len(found), max(top, *sizes))


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


def floor_of(module: str) -> int:
    """The floor on which a module of this checkout stands."""
    part = ".".join(module.split(".")[:2])
    assert part in FLOORS, f"{module} stands on no floor: give it one in tests/house.py"
    return FLOORS[part]


# ------------------------------------------------------------------------------------ drawing

LEVELS = ("tuihost", "tuihost.host", "tuihost.tui", "tuihost.ssh")
BEFORE: Mapping[str, Count] = {
    "tuihost": Count(places=37, arrows=146, circles=1, largest=42),
    "tuihost.host": Count(places=42, arrows=75, circles=0, largest=42),
    "tuihost.tui": Count(places=20, arrows=27, circles=0, largest=19),
    "tuihost.ssh": Count(places=20, arrows=37, circles=1, largest=20),
    "rooms": Count(places=38, arrows=151, circles=2, largest=42),
    "files": Count(places=186, arrows=740, circles=2, largest=42),
}
"""The same counts while each folder held all of its modules side by side."""


def short(room: str) -> str:
    return room.removeprefix("tuihost.").replace(".", "/")


def rows(house: House) -> Iterator[tuple[int, str, str, tuple[str, ...]]]:
    """The rooms from the top floor down: floor, name with its size, what it is, and what it imports
    above the floor of values, which everybody may."""
    for floor in range(len(FLOOR_NAMES) - 1, -1, -1):
        for room in sorted(house.rooms):
            if floor_of(room) != floor:
                continue
            modules = house.rooms[room]
            size = "" if modules == (room,) else f"/ ({len(modules)})"
            targets = sorted(short(end) for start, end in house.arrows if start == room)
            above = tuple(name for name in targets if floor_of(f"tuihost.{name.split('/')[0]}"))
            yield floor, f"{short(room)}{size}", house.promise(room), above


def drawing(house: House) -> str:
    """For a terminal."""
    lines, last = [], -1
    for floor, name, promise, targets in rows(house):
        if floor != last:
            lines += ["", f"{floor} {FLOOR_NAMES[floor]}"]
        last = floor
        lines.append(f"  {name:<24} {promise}")
        if targets:
            lines.append(f"  {'':<24} -> {', '.join(targets)}")
    count = house.between_rooms()
    lines += ["", f"{count.places} rooms, {count.arrows} arrows, {count.circles} circles"]
    return "\n".join(lines).strip() + "\n"


def page_of_rooms(house: House) -> str:
    """For docs/map.md."""
    lines, last = [], -1
    for floor, name, promise, targets in rows(house):
        if floor != last:
            lines += [
                "",
                f"### {floor} {FLOOR_NAMES[floor]}",
                "",
                "| room | what it is | imports |",
            ]
            lines.append("|---|---|---|")
        last = floor
        imported = ", ".join(f"`{target}`" for target in targets)
        lines.append(f"| `{name.partition(' ')[0]}` | {promise} | {imported} |")
    return "\n".join(lines).strip()


def page_of_numbers(house: House) -> str:
    """For docs/map.md."""
    lines = [
        "| | rooms | arrows | circles | largest | before: rooms | arrows | circles | largest |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for level in LEVELS:
        said = "the parts of the package" if level == "tuihost" else f"inside `{short(level)}/`"
        lines.append(f"| {said} | {house.inside(level).row()} | {BEFORE[level].row()} |")
    lines.append(f"| all rooms | {house.between_rooms().row()} | {BEFORE['rooms'].row()} |")
    lines.append(f"| all files | {house.between_files().row()} | {BEFORE['files'].row()} |")
    return "\n".join(lines)


PARTS = {"rooms": page_of_rooms, "numbers": page_of_numbers}


def with_drawing(page: str, house: House) -> str:
    """The page with what is drawn between its markers."""
    for name, draw in PARTS.items():
        start, end = f"<!-- {name}: make docs -->\n", f"<!-- end of {name} -->"
        head, _, rest = page.partition(start)
        _, found, tail = rest.partition(end)
        assert found, f"the page has no markers for {name}"
        page = f"{head}{start}\n{draw(house)}\n\n{end}{tail}"
    return page


def main(words: Sequence[str]) -> None:
    match words:
        case []:
            sys.stdout.write(drawing(House(ROOT)))
        case ["--write"]:
            MAP.write_text(with_drawing(MAP.read_text("utf-8"), House(ROOT)), "utf-8")
        case ["--numbers", root]:
            house = House(Path(root).resolve())
            for level in LEVELS:
                sys.stdout.write(f'"{level}": {house.inside(level)},\n')
            sys.stdout.write(f'"rooms": {house.between_rooms()},\n')
            sys.stdout.write(f'"files": {house.between_files()},\n')
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
