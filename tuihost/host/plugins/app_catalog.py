"""What can be opened here: every app that was found, and every one that could not be loaded.

If two apps have one name, the first that was found is used, in this order: modules that the
settings name, the operator's folders, entry points of installed packages, bundled apps.
"""

from __future__ import annotations

import re
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType
from typing import Self

from tuihost.errors import AppLoadError
from tuihost.host.plugins._load_errors import (
    PRIVATE,
    load_error,
    operator_interrupts,
    top_of,
    trace_of,
)
from tuihost.host.plugins._loading import (
    Broken,
    Candidate,
    all_candidates,
    forget,
    in_folder,
    same_folder,
)
from tuihost.host.plugins.app_checks import APP, module_of
from tuihost.host.plugins.bundled import bundled_folder
from tuihost.logs import Event, EventLog
from tuihost.plugin import App
from tuihost.session.host_view import AppCard, Preferences, by_recency
from tuihost.settings.environment import options_of
from tuihost.settings.models import Settings
from tuihost.text import clean
from tuihost.theme.theme import Theme, find_themes

ENTRY_POINTS = "tuihost.apps"

STOP_SECONDS = 10.0
"""How long the `stop` of one app may take before the host's own stop goes on without it."""

# Where on the machine a file lies is the operator's business, not a visitor's.
_FOLDERS = re.compile(r"(?:/[^\s/'\"()]+)*/(?=[^\s/])")


@dataclass(frozen=True, slots=True)
class Loaded:
    """An app that works, and where it came from."""

    app: App
    source: str


@dataclass(slots=True)
class Catalog:
    """The apps and the themes of one host.

    Thread: the main one loads, starts and stops; after `start` any thread may read.
    """

    settings: Settings
    log: EventLog
    apps: dict[str, Loaded] = field(default_factory=dict)
    broken: tuple[Broken, ...] = ()
    themes: dict[str, Theme] = field(default_factory=dict)
    broken_themes: tuple[str, ...] = ()
    found: set[str] = field(default_factory=set)
    """The names of all apps that there are, those that are not enabled included."""
    _started: list[App] = field(default_factory=list)

    def app_in(self, module: str) -> str:
        """The name of the app that the module of this name belongs to; empty if to none."""
        for name, loaded in list(self.apps.items()):
            home = module_of(loaded.app)
            if module == home or same_folder(module, home):
                return name
        return ""

    def app_of(self, error: BaseException) -> str:
        """The name of the app whose code raised it or called what did; empty if none did."""
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        modules = (frame.f_globals.get("__name__", "") for frame in reversed(frames))
        return next(filter(None, map(self.app_in, modules)), "")

    @classmethod
    def load(cls, settings: Settings, *, log: EventLog) -> Self:
        """Finds and imports every enabled app and reads every theme. Never raises for a broken
        one: it is listed, and logged."""
        catalog = cls(settings, log)
        given = settings.apps
        for candidate in [
            *all_candidates(APP, given.modules, given.folders, ENTRY_POINTS),
            *in_folder(APP, bundled_folder("apps"), bundled=True),
        ]:
            catalog.found.add(candidate.name)
            if _enabled(candidate.name, settings):
                catalog._add(candidate)
        folders = [*settings.themes.folders, bundled_folder("themes")]
        catalog.themes, catalog.broken_themes = find_themes(folders)
        for reason in catalog.broken_themes:
            log.warning(Event.THEME_BROKEN, reason=reason)
        return catalog

    def start(self, state_dir: Path) -> None:
        """Gives every app its folder and its options, and starts it. One that fails is moved to
        `broken`. `OSError` if the folders cannot be made: then no app can work."""
        for name, loaded in list(self.apps.items()):
            app = loaded.app
            app.data = _own_folder(state_dir, name)
            given = self.settings.app.get(name, {})
            app.options = MappingProxyType(options_of(app.known_options, given))
            with operator_interrupts() as pressed:
                try:
                    app.start()
                except AppLoadError as error:
                    self._break(name, loaded.source, str(error))
                except BaseException as error:  # one app's fault, with its trace in the log
                    if pressed:
                        raise
                    reason = load_error(error, type(app).__module__.partition(".")[0])
                    self._break(name, loaded.source, f"start failed: {reason}", error)
                else:
                    self._started.append(app)
                    continue
            del self.apps[name]

    def stop(self) -> None:
        """Stops what was started, last first, each on a thread of its own: one that takes more than
        `STOP_SECONDS` is left behind. Call after the last session."""
        while self._started:
            app = self._started.pop()
            thread = threading.Thread(
                target=self._stop, args=(app,), name=f"stop of {app.name}", daemon=True
            )
            thread.start()
            thread.join(STOP_SECONDS)
            if thread.is_alive():
                self.log.error(Event.APP_ABANDONED, thread=thread.name)

    def forget_modules(self) -> None:
        """Takes the modules of apps from folders out of the process, for one that goes on: with
        their objects they would keep this host for ever. Call after `stop`."""
        for loaded in self.apps.values():
            if PRIVATE.match(module := module_of(loaded.app)):
                forget(top_of(module))

    def _stop(self, app: App) -> None:
        try:
            app.stop()
        except BaseException as error:  # noqa: BLE001 - the others are stopped all the same
            self.log.error(Event.APP_ERROR, trace=error, app=app.name, during="stop")

    def cards(
        self, preferences: Preferences, may_see: Callable[[str], bool]
    ) -> tuple[AppCard, ...]:
        """The apps that somebody may see, by name, most recently used first, broken ones last."""
        cards = by_recency(
            _card(loaded.app, preferences)
            for name, loaded in self.apps.items()
            if not loaded.app.hidden and may_see(name)
        )
        broken = {
            app.name: app
            for app in reversed(self.broken)
            if app.name not in self.apps and may_see(app.name)
        }
        return cards + tuple(
            AppCard(name=name, title=name, broken=_FOLDERS.sub("", broken[name].reason))
            for name in sorted(broken)
        )

    def env_patterns(self) -> tuple[str, ...]:
        """Names of environment variables that some app wants."""
        wanted = (name for loaded in self.apps.values() for name in loaded.app.accepts.env)
        return tuple(dict.fromkeys(wanted))

    def _add(self, candidate: Candidate[App]) -> None:
        try:
            app = candidate.load()
        except AppLoadError as error:
            self._break(candidate.name, candidate.source, str(error), trace_of(error))
            return
        self.found.add(app.name)
        if not _enabled(app.name, self.settings):
            return
        first = self.apps.get(app.name)
        if first is not None:
            both = f"{first.source} and {candidate.source}"
            reason = f"two apps are called {app.name!r}: {both}; the first is used"
            self._break(app.name, candidate.source, reason)
            return
        self.apps[app.name] = Loaded(app, candidate.source)

    def _break(
        self, name: str, source: str, reason: str, trace: BaseException | None = None
    ) -> None:
        reason = clean(" ".join(reason.split()), limit=500)
        self.broken += (Broken(name, source, reason),)
        self.log.error(Event.APP_BROKEN, trace=trace, app=name, source=source, reason=reason)


def note_use(preferences: Preferences, name: str, now: float) -> None:
    """Remembers that the account opened the app `name` at the Unix time `now`."""
    with suppress(ValueError):  # apps have taken all the names: it opens all the same
        preferences.set(_use_key(name), f"{now:.0f}")


def _use_key(name: str) -> str:
    return f"used.{name}"


def _card(app: App, preferences: Preferences) -> AppCard:
    try:
        used = float(preferences.get(_use_key(app.name)) or 0)
    except ValueError:
        used = 0
    return AppCard(
        name=app.name,
        title=app.title,
        description=app.description,
        group=app.group,
        icon=app.icon,
        order=app.order,
        last_used=used or None,
        commands=tuple(app.command_methods()),
    )


def _enabled(name: str, settings: Settings) -> bool:
    def listed(patterns: tuple[str, ...]) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in patterns)

    return listed(settings.apps.enabled) and not listed(settings.apps.disabled)


def _own_folder(state_dir: Path, name: str) -> Path:
    """`state_dir/apps/NAME`, for nobody else to read."""
    folder = state_dir / "apps" / name
    for path in (state_dir, folder.parent, folder):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder
