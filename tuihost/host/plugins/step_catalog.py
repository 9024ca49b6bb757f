"""The login steps of a host: every one that was found, and every one that could not be loaded.

Where two steps have one name the first found stands, in this order: modules that the settings
name, folders of the operator's, entry points of installed packages, what comes along. A broken
step is logged and never takes another's place: whoever a chain asks for it is refused.
"""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from tuihost.core.login.factors import INTERACTIVE, NONE, PUBLICKEY
from tuihost.errors import AppLoadError
from tuihost.host.plugins.app_loading import candidates, name_of
from tuihost.login import Step
from tuihost.login.steps import bundled_steps
from tuihost.logs import Event, EventLog
from tuihost.plugin import NAME
from tuihost.settings.models import Settings
from tuihost.text import clean

ENTRY_POINTS = "tuihost.steps"
_RESERVED = (NONE, PUBLICKEY, INTERACTIVE)  # `password` is a factor that a step may ask for, too
_PRIVATE = "_tuihost_step_"
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class BrokenStep:
    """A step that cannot be asked, and why, in one line."""

    name: str
    source: str
    reason: str


@dataclass(slots=True)
class StepCatalog:
    """Steps by name. Thread: one fills it; afterwards any may read."""

    log: EventLog
    steps: dict[str, Step] = field(default_factory=dict)
    broken: tuple[BrokenStep, ...] = ()

    @classmethod
    def load(
        cls, *, log: EventLog, modules: Iterable[str] = (), folders: Iterable[Path] = ()
    ) -> StepCatalog:
        """Finds and imports every step: `modules` are `package.module:attr`. Never raises for one
        that is broken."""
        catalog = cls(log)
        for name, source, load in _finds(modules, folders):
            catalog._add(name, source, load)
        return catalog

    @classmethod
    def of(cls, settings: Settings, log: EventLog) -> StepCatalog:
        """The steps of the host with these settings."""
        login = settings.login
        return cls.load(log=log, modules=login.steps, folders=login.step_folders)

    def get(self, name: str) -> Step:
        """The step of that name. AppLoadError with one sentence where there is none that works."""
        step = self.steps.get(name)
        if step is not None:
            return step
        reason = next((one.reason for one in self.broken if one.name == name), "there is none")
        raise AppLoadError(f"the login step {name!r} cannot be asked: {reason}")

    def unknown(self, chains: Iterable[Iterable[str]]) -> tuple[str, ...]:
        """Factors of `chains` that nothing here can settle, each once."""
        known = {*self.steps, NONE, PUBLICKEY, "password"}
        factors = (factor for chain in chains for factor in chain)
        return tuple(dict.fromkeys(factor for factor in factors if factor not in known))

    def _add(self, name: str, source: str, load: Callable[[], Step]) -> None:
        try:
            step = load()
            name = step.name or name
            if not NAME.fullmatch(name) or name in _RESERVED:
                raise AppLoadError(f"{name!r} cannot be a step's name")
            if name in self.steps or any(one.name == name for one in self.broken):
                if source != _BUNDLED:  # one that comes along gives way without a word
                    raise AppLoadError(f"another step is called {name!r}, and was found first")
                return
        except (Exception, SystemExit) as error:  # noqa: BLE001  (whatever somebody's module does)
            own = isinstance(error, AppLoadError)
            text = str(error) if own else f"{type(error).__name__}: {error}"
            reason = clean(" ".join(text.split()), limit=300)
            self.broken += (BrokenStep(name, source, reason),)
            trace = None if own else error
            self.log.error(Event.STEP_BROKEN, trace=trace, step=name, source=source, reason=reason)
            return
        self.steps[name] = step


# ------------------------------------------------------------------------------- the sources

_BUNDLED = "bundled"


def _finds(
    modules: Iterable[str], folders: Iterable[Path]
) -> Iterator[tuple[str, str, Callable[[], Step]]]:
    """Everything that is meant as a step: name, source, and what loads it."""
    for reference in modules:
        name = reference.partition(":")[0].rpartition(".")[2].replace("_", "-").lower()
        yield name, reference, partial(_load_module, reference)
    for folder in folders:
        yield from _in_folder(folder)
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        yield point.name, f"entry point {point.value}", partial(_load_value, point.load)
    for step in bundled_steps():
        yield step.name, _BUNDLED, partial(_as_step, step)


def _in_folder(folder: Path) -> Iterator[tuple[str, str, Callable[[], Step]]]:
    try:
        paths = candidates(folder)
    except OSError as error:
        yield name_of(folder), str(folder), partial(_unreadable, error)
        return
    for path in paths:
        yield name_of(path), str(path), partial(_load_path, path)


def _unreadable(error: OSError) -> Step:
    raise AppLoadError(f"the folder of steps cannot be read: {error.strerror or error}")


def _load_module(reference: str) -> Step:
    module_name, _, attribute = reference.partition(":")
    module = importlib.import_module(module_name)
    if not attribute:
        return _step_in(module)
    if not hasattr(module, attribute):
        raise AppLoadError(f"module {module_name} has no {attribute!r}")
    return _as_step(getattr(module, attribute))


def _load_value(load: Callable[[], object]) -> Step:
    value = load()
    return _step_in(value) if isinstance(value, ModuleType) else _as_step(value)


def _load_path(path: Path) -> Step:
    """The step in a file or a package, imported under a private name that is never used twice."""
    start = path if path.is_file() else path / "__init__.py"
    private = f"{_PRIVATE}{next(_numbers)}_{path.stem.replace('-', '_')}"
    inside = None if path.is_file() else [str(path)]
    spec = importlib.util.spec_from_file_location(private, start, submodule_search_locations=inside)
    if spec is None or spec.loader is None or not start.is_file():
        raise AppLoadError("is neither a Python file nor a folder with an __init__.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[private] = module
    try:
        spec.loader.exec_module(module)
        return _step_in(module)
    except BaseException:
        for name in [name for name in sys.modules if name.partition(".")[0] == private]:
            del sys.modules[name]
        raise


def _step_in(module: ModuleType) -> Step:
    """What the module calls `step`, or the one subclass of Step that is written in it."""
    names: Mapping[str, object] = vars(module)
    if "step" in names and not isinstance(names["step"], ModuleType):
        return _as_step(names["step"])
    written = [
        value
        for value in names.values()
        if isinstance(value, type)
        and issubclass(value, Step)
        and value.__module__ == module.__name__
    ]
    bases = {base for one in written for base in one.__mro__[1:]}
    match [one for one in written if one not in bases]:
        case [one]:
            return _as_step(one)
        case []:
            raise AppLoadError("has no `step` and defines no subclass of Step")
        case _:
            raise AppLoadError("defines more than one step: call one of them `step`")


def _as_step(value: object) -> Step:
    if isinstance(value, Step):
        return value
    if isinstance(value, type) and issubclass(value, Step) and value is not Step:
        return value()
    raise AppLoadError(f"a {type(value).__name__} is no Step")
