"""The login steps of a host: every one that was found, and every one that could not be loaded.

If two steps have one name, the first that was found is used, in this order: modules that the
settings name, the operator's folders, entry points of installed packages, bundled steps. A broken
step is logged, and no other takes its place: a login that needs it is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tuihost.core.login.chains import INTERACTIVE, NONE, PUBLICKEY
from tuihost.errors import AppLoadError
from tuihost.host.plugins._load_errors import trace_of
from tuihost.host.plugins._loading import (
    Broken,
    Candidate,
    Kind,
    all_candidates,
    load_object,
)
from tuihost.login import Step
from tuihost.login.steps import bundled_steps
from tuihost.logs import Event, EventLog
from tuihost.plugin import NAME
from tuihost.settings.models import Settings

ENTRY_POINTS = "tuihost.steps"
_RESERVED = (NONE, PUBLICKEY, INTERACTIVE)  # `password` is a factor that a step may ask for, too
_BUNDLED = "bundled"


def _prepare(step: Step, name: str) -> None:
    """Gives the step its name. Raises `AppLoadError` if it cannot have it."""
    step.name = step.name or name
    if not isinstance(step.name, str) or not NAME.fullmatch(step.name) or step.name in _RESERVED:
        raise AppLoadError(f"{step.name!r} cannot be a step's name")


STEP: Kind[Step] = Kind("step", Step, "a Step", "subclass of Step", _prepare)


@dataclass(slots=True)
class StepCatalog:
    """Steps by name. Thread: one fills it; afterwards any may read."""

    log: EventLog
    steps: dict[str, Step] = field(default_factory=dict)
    broken: tuple[Broken, ...] = ()

    @classmethod
    def load(
        cls, *, log: EventLog, modules: Iterable[str] = (), folders: Iterable[Path] = ()
    ) -> StepCatalog:
        """Finds and imports every step: `modules` are `package.module:attr`. Never raises for a
        broken one."""
        catalog = cls(log)
        for candidate in [*all_candidates(STEP, modules, folders, ENTRY_POINTS), *_bundled()]:
            catalog._add(candidate)
        return catalog

    @classmethod
    def of(cls, settings: Settings, log: EventLog) -> StepCatalog:
        """The steps of the host with these settings."""
        login = settings.login
        return cls.load(log=log, modules=login.steps, folders=login.step_folders)

    def _add(self, candidate: Candidate[Step]) -> None:
        try:
            step = candidate.load()
        except AppLoadError as error:
            self._break(candidate.name, candidate.source, str(error), trace_of(error))
            return
        if step.name not in self.steps and not any(step.name == each.name for each in self.broken):
            self.steps[step.name] = step
        elif candidate.source != _BUNDLED:  # a bundled step gives way without a word
            reason = f"another step is called {step.name!r}, and was found first"
            self._break(step.name, candidate.source, reason)

    def _break(
        self, name: str, source: str, reason: str, trace: BaseException | None = None
    ) -> None:
        self.broken += (Broken(name, source, reason),)
        self.log.error(Event.STEP_BROKEN, trace=trace, step=name, source=source, reason=reason)


def _bundled() -> Iterator[Candidate[Step]]:
    for step in bundled_steps():
        yield Candidate(step.name, _BUNDLED, partial(load_object, STEP, step, step.name))
