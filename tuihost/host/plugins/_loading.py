"""Turns a module, a file, a folder or an entry point into a plugin, or says in a sentence why not.

One set of rules for every kind of plugin. The plugin of a module is what it calls by the kind's
name (`app`, `step`, `delivery`), or the one object or class of that kind that is written in it.

Each module of a folder is loaded under a private name that is never used twice: nothing called
`apps` is imported, two folders may hold files of one name, and a folder can be loaded again.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import itertools
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.machinery import ModuleSpec
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar, cast

from tuihost.errors import AppLoadError
from tuihost.files.secret_files import NotPrivate, check_tree_trusted, check_trusted
from tuihost.host.plugins._load_errors import PRIVATE, mistakes_told, top_of

T = TypeVar("T")
Found = TypeVar("Found", covariant=True)

_numbers = itertools.count(1)


def _made_by_its_class(plugin: object) -> str:
    return type(plugin).__module__


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """One kind of plugin. `name` is what a module calls it, `base` the class that every one has.
    In sentences, `noun` continues "is not …" and `class_noun` "defines no …".

    `prepare` is given what was found and the name of its file, and raises `AppLoadError` if it
    can never work. `module_of` says in which module a plugin was written.
    """

    name: str
    base: type[Any]
    noun: str
    class_noun: str
    prepare: Callable[[T, str], None] = lambda plugin, name: None
    module_of: Callable[[T], str] = _made_by_its_class

    def holds(self, value: object) -> bool:
        return isinstance(value, self.base)

    def is_class_of(self, value: object) -> bool:
        return isinstance(value, type) and issubclass(value, self.base)


@dataclass(frozen=True, slots=True)
class Broken:
    """A plugin that cannot be used, and why, in one line."""

    name: str
    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Candidate(Generic[Found]):
    """Something that is meant as a plugin, before any of its code has run. `load` raises
    `AppLoadError` with one sentence."""

    name: str
    source: str
    load: Callable[[], Found]


# ------------------------------------------------------------------------------- the sources


def all_candidates(
    kind: Kind[T], modules: Iterable[str], folders: Iterable[Path], group: str
) -> Iterator[Candidate[T]]:
    """All that is meant as a plugin, in order of precedence: references to modules, folders, and
    entry points of the `group`. Imports nothing."""
    for reference in modules:
        name = dashed(reference.partition(":")[0].rpartition(".")[2])
        yield Candidate(name, reference, partial(load_reference, kind, reference))
    for folder in folders:
        yield from in_folder(kind, folder)
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        yield Candidate(point.name, _origin(point), partial(load_entry_point, kind, point))


def in_folder(kind: Kind[T], folder: Path, *, bundled: bool = False) -> Iterator[Candidate[T]]:
    """What in `folder` is meant as a plugin; a folder that cannot be read, or in which others can
    put code, is a broken one. What is `bundled` is trusted as the program itself is."""
    try:
        paths = candidates(folder)
        if not bundled:
            check_trusted(folder)
    except (OSError, NotPrivate) as error:
        yield Candidate(name_of(folder), str(folder), partial(_unreadable, kind.name, error))
        return
    for path in paths:
        load = load_path if bundled else _load_trusted
        yield Candidate(name_of(path), str(path), partial(load, kind, path))


def candidates(folder: Path) -> list[Path]:
    """What in `folder` is meant as a plugin, by name: packages, and single files."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(("_", ".")):
            continue
        try:
            is_package = path.is_dir() and (any(path.glob("*.py")) or _package_in(path) != path)
        except PermissionError:  # the one who loads it is told
            is_package = True
        if is_package or (path.suffix == ".py" and path.is_file()):
            found.append(path)
    return found


def name_of(path: Path) -> str:
    """The name of a plugin that gives itself none: `my_app.py` is `my-app`."""
    return dashed(path.name.removesuffix(".py"))


def dashed(name: str) -> str:
    return name.replace("_", "-").lower()


def _unreadable(kind: str, error: OSError | NotPrivate) -> Any:
    if isinstance(error, NotPrivate):
        raise AppLoadError(f"the folder of {kind}s is not used: {error}")
    raise AppLoadError(f"the folder of {kind}s cannot be read: {error.strerror or error}")


def _load_trusted(kind: Kind[T], path: Path) -> T:
    """The plugin in a folder or in a file that nobody else can change. Raises `AppLoadError`."""
    try:
        check_tree_trusted(path)
    except (NotPrivate, OSError) as error:
        raise AppLoadError(str(error)) from None
    return load_path(kind, path)


def _origin(point: EntryPoint) -> str:
    package = f" of {point.dist.name}" if point.dist is not None else ""
    return f"entry point {point.value}{package}"


# ------------------------------------------------------------------------------- loading


def load_path(kind: Kind[T], path: Path) -> T:
    """The plugin in a folder or in a file. Raises `AppLoadError`; leaves no half of it imported."""
    own_name = re.sub(r"\W", "_", path.name.removesuffix(".py"))  # a dot would be a package's
    private = f"_tuihost_{kind.name}_{next(_numbers)}_{own_name}"
    try:
        with mistakes_told(private):  # which looks for lines in the modules that go below
            module = _import_path(kind, path, private)
            return _prepared(kind, _found_in(kind, module), name_of(path))
    except BaseException:
        forget(private)
        raise


def forget(private: str) -> None:
    """Takes out of the process what was loaded under this private name."""
    for name in [name for name in sys.modules if top_of(name) == private]:
        del sys.modules[name]


def load_reference(kind: Kind[T], reference: str) -> T:
    """The plugin at `package.module:attr`, or the one plugin in `package.module`."""
    module_name, _, attribute = reference.partition(":")
    with mistakes_told(top_of(module_name)):
        module = importlib.import_module(module_name)
        if not attribute:
            found = _found_in(kind, module)
        elif not hasattr(module, attribute):
            raise AppLoadError(f"module {module_name} has no {attribute!r}")
        else:
            found = _made(kind, getattr(module, attribute), attribute)
        return _prepared(kind, found, dashed(module_name.rpartition(".")[2]))


def load_entry_point(kind: Kind[T], point: EntryPoint) -> T:
    """The plugin that an installed package announces."""
    with mistakes_told(top_of(point.module)):
        return _from_object(kind, point.load(), point.name)


def load_object(kind: Kind[T], value: object, name: str) -> T:
    """The plugin that `value` is, makes or holds; `name` is its name where it has none."""
    module_name = value.__name__ if isinstance(value, ModuleType) else _made_by_its_class(value)
    with mistakes_told(top_of(module_name)):
        return _from_object(kind, value, name)


def _from_object(kind: Kind[T], value: object, name: str) -> T:
    if isinstance(value, ModuleType):
        return _prepared(kind, _found_in(kind, value), name)
    return _prepared(kind, _made(kind, value, kind.name), name)


def _prepared(kind: Kind[T], plugin: T, name: str) -> T:
    kind.prepare(plugin, name)
    return plugin


# ------------------------------------------------------------------------------- importing


def _import_path(kind: Kind[T], path: Path, private: str) -> ModuleType:
    if path.is_file():
        return _execute(importlib.util.spec_from_file_location(private, path))
    folder, inner = _package_in(path), f"{kind.name}.py"
    start = folder / "__init__.py"
    if start.is_file():
        package = _execute(
            importlib.util.spec_from_file_location(
                private, start, submodule_search_locations=[str(folder)]
            )
        )
        if not (folder / inner).is_file() or _named_in(kind, package) is not None:
            return package
    elif (folder / inner).is_file():
        spec = ModuleSpec(private, None, is_package=True)
        spec.submodule_search_locations = [str(folder)]
        sys.modules[private] = importlib.util.module_from_spec(spec)
    else:
        raise AppLoadError(f"the folder has neither __init__.py nor {inner}")
    return importlib.import_module(f"{private}.{kind.name}")


def _package_in(path: Path) -> Path:
    """The folder of the package: `path` itself, or the one inside that projects have it in."""
    package = path.name.replace("-", "_")
    for folder in (path / package, path / "src" / package):
        if (folder / "__init__.py").is_file() and not (path / "__init__.py").is_file():
            return folder
    return path


def _execute(spec: ModuleSpec | None) -> ModuleType:
    if spec is None or spec.loader is None:
        raise AppLoadError("is not a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


# ------------------------------------------------------------------------------- finding


def _named_in(kind: Kind[T], module: ModuleType) -> object | None:
    """What the module calls `app`, say: not tuihost's own decorator, nor a module."""
    value: object | None = vars(module).get(kind.name)
    decorator = inspect.isfunction(value) and top_of(value.__module__) == "tuihost"
    return None if decorator or isinstance(value, ModuleType) else value


def _found_in(kind: Kind[T], module: ModuleType) -> T:
    named = _named_in(kind, module)
    if named is not None:
        return _made(kind, named, kind.name)
    written = [value for value in vars(module).values() if _written_in(kind, value, module)]
    classes = [value for value in written if isinstance(value, type)]
    objects = [value for value in written if not isinstance(value, type)]
    # A class that others build on, or that an object was made of, is not meant by itself.
    bases = {base for cls in classes for base in cls.__mro__[1:]} | {type(obj) for obj in objects}
    match [*dict.fromkeys(objects), *dict.fromkeys(cls for cls in classes if cls not in bases)]:
        case [only]:
            return _made(kind, only, kind.name)
        case []:
            raise AppLoadError(f"has no `{kind.name}` and defines no {kind.class_noun}")
        case several:
            names = ", ".join(_called(value) for value in several)
            raise AppLoadError(
                f"defines more than one {kind.name} ({names}): call one of them `{kind.name}`",
                several[-1],
            )


def _written_in(kind: Kind[T], value: object, module: ModuleType) -> bool:
    """Whether `value` is a plugin that is written in the module, or in one inside its package."""
    if kind.is_class_of(value):
        home = cast("type[T]", value).__module__
    elif kind.holds(value):
        home = kind.module_of(cast(T, value))
    else:
        return False
    return home == module.__name__ or home.startswith(f"{module.__name__}.")


def _called(value: object) -> str:
    if isinstance(value, type):
        return value.__name__
    return getattr(value, "name", "") or type(value).__name__


def _made(kind: Kind[T], value: object, called: str) -> T:
    if value is kind.base:
        raise AppLoadError(f"`{called}` is {kind.base.__name__} itself, not a subclass of it")
    if kind.is_class_of(value):
        return _instance(cast("type[T]", value))
    if kind.holds(value):
        return cast(T, value)
    raise AppLoadError(f"`{called}` is {_a(type(value).__name__)}, not {kind.noun}")


def _instance(cls: type[T]) -> T:
    try:
        return cls()
    except TypeError as error:
        if error.__traceback__ is None or error.__traceback__.tb_next is not None:
            raise  # from inside: the traceback knows the line
        raise AppLoadError(f"TypeError: {error}", cls) from error


def _a(noun: str) -> str:
    return f"an {noun}" if noun[:1].lower() in "aeiou" else f"a {noun}"


def same_folder(module: str, other: str) -> bool:
    """Whether both were loaded from one folder, so that they belong to one plugin."""
    return PRIVATE.match(module) is not None and top_of(module) == top_of(other)
