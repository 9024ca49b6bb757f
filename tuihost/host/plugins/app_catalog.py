"""What can be opened here: every app that was found, and every one that could not be loaded.

Where two apps have one name the first found stands, in this order: modules that the settings
name, folders of the operator's, entry points of installed packages, what comes along.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Self

from tuihost.errors import AppLoadError
from tuihost.host.plugins.app_loading import (
    candidates,
    load_module,
    load_object,
    load_path,
    name_of,
)
from tuihost.host.plugins.bundled import bundled_folder
from tuihost.logs import Event, EventLog
from tuihost.plugin import App
from tuihost.session.host_view import Account, AppCard, Preferences, by_recency
from tuihost.settings.models import Settings
from tuihost.text import clean
from tuihost.theme.theme import Theme, find_themes

ENTRY_POINTS = "tuihost.apps"

# Where on the machine a file lies is the operator's business, not a visitor's.
_FOLDERS = re.compile(r"(?:/[^\s/'\"()]+)*/(?=[^\s/])")


@dataclass(frozen=True, slots=True)
class Loaded:
    """An app that works, and where it came from."""

    app: App
    source: str


@dataclass(frozen=True, slots=True)
class Broken:
    """An app that cannot be opened, and why, in one line."""

    name: str
    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Find:
    """Something that is meant as an app, before any of its code has run."""

    name: str
    source: str
    load: Callable[[], App]


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
    _started: list[App] = field(default_factory=list)

    @classmethod
    def load(cls, settings: Settings, *, log: EventLog) -> Self:
        """Finds and imports every enabled app and reads every theme. Never raises for one that
        is broken: it is listed, and logged."""
        catalog = cls(settings, log)
        for find in _finds(settings):
            if _enabled(find.name, settings):
                catalog._add(find)
        folders = [*settings.themes.folders, bundled_folder("themes")]
        catalog.themes, catalog.broken_themes = find_themes(folders)
        for reason in catalog.broken_themes:
            log.warning(Event.THEME_BROKEN, reason=reason)
        return catalog

    def start(self, state_dir: Path) -> None:
        """Gives every app its folder and its options, and starts it. One that fails is moved to
        `broken`. `OSError` where the folders cannot be made: then no app can work."""
        for name, loaded in list(self.apps.items()):
            app = loaded.app
            app.data = _own_folder(state_dir, name)
            app.options = MappingProxyType(self.settings.app.get(name, {}))
            try:
                app.start()
            except AppLoadError as error:
                self._break(name, loaded.source, str(error))
            except Exception as error:  # noqa: BLE001 - one app's fault, with its trace in the log
                reason = f"start failed: {type(error).__name__}: {error}"
                self._break(name, loaded.source, reason, error)
            else:
                self._started.append(app)
                continue
            del self.apps[name]

    def stop(self) -> None:
        """Stops what was started, last first. Call after the last session."""
        while self._started:
            app = self._started.pop()
            try:
                app.stop()
            except Exception as error:  # noqa: BLE001 - the others are stopped all the same
                self.log.error(Event.APP_ERROR, trace=error, app=app.name, during="stop")

    def cards(self, account: Account, preferences: Preferences) -> tuple[AppCard, ...]:
        """What this account may see in the menu, most recently used first, broken ones last."""
        cards = by_recency(
            _card(loaded.app, preferences)
            for loaded in self.apps.values()
            if not loaded.app.hidden and may_use(loaded.app, account)
        )
        broken = {one.name: one for one in reversed(self.broken) if one.name not in self.apps}
        return cards + tuple(
            AppCard(name=name, title=name, broken=_FOLDERS.sub("", broken[name].reason))
            for name in sorted(broken)
        )

    def env_patterns(self) -> tuple[str, ...]:
        """Names of environment variables that some app wants."""
        patterns = (one for loaded in self.apps.values() for one in loaded.app.accepts.env)
        return tuple(dict.fromkeys(patterns))

    def unused_options(self) -> tuple[str, ...]:
        """Tables `[app.NAME]` of the settings for which there is no app."""
        known = {*self.apps, *(one.name for one in self.broken)}
        return tuple(name for name in self.settings.app if name not in known)

    def _add(self, find: _Find) -> None:
        try:
            app = find.load()
        except AppLoadError as error:
            self._break(find.name, find.source, str(error), error.__cause__)
            return
        if not _enabled(app.name, self.settings):
            return
        first = self.apps.get(app.name)
        if first is not None:
            reason = f"two apps are called {app.name!r}: {first.source} and {find.source}"
            self._break(app.name, find.source, f"{reason}; the first is used")
            return
        self.apps[app.name] = Loaded(app, find.source)

    def _break(
        self, name: str, source: str, reason: str, trace: BaseException | None = None
    ) -> None:
        reason = clean(" ".join(reason.split()), limit=400)
        self.broken += (Broken(name, source, reason),)
        self.log.error(Event.APP_BROKEN, trace=trace, app=name, source=source, reason=reason)


def may_use(app: App, account: Account) -> bool:
    """Whether this account may open the app at all."""
    return app.accepts.may_use(guest=account.guest, roles=account.roles)


def note_use(preferences: Preferences, name: str, now: float) -> None:
    """Remembers that the account opened the app `name` at the Unix time `now`."""
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


# ------------------------------------------------------------------------------- the sources


def _finds(settings: Settings) -> Iterator[_Find]:
    """Everything that is meant as an app, in order of precedence. Imports nothing."""
    for reference in settings.apps.modules:
        name = reference.partition(":")[0].rpartition(".")[2].replace("_", "-").lower()
        yield _Find(name, reference, partial(load_module, reference))
    for folder in settings.apps.folders:
        yield from _in_folder(folder)
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        yield _Find(point.name, _origin(point), partial(_load_point, point))
    yield from _in_folder(bundled_folder("apps"))


def _in_folder(folder: Path) -> Iterator[_Find]:
    try:
        paths = candidates(folder)
    except OSError as error:
        yield _Find(name_of(folder), str(folder), partial(_unreadable, error))
        return
    for path in paths:
        yield _Find(name_of(path), str(path), partial(load_path, path))


def _unreadable(error: OSError) -> App:
    raise AppLoadError(f"the folder of apps cannot be read: {error.strerror or error}")


def _origin(point: EntryPoint) -> str:
    package = f" of {point.dist.name}" if point.dist is not None else ""
    return f"entry point {point.value}{package}"


def _load_point(point: EntryPoint) -> App:
    try:
        value = point.load()
    except (Exception, SystemExit) as error:  # whatever somebody's package does
        reason = clean(f"{type(error).__name__}: {error}", limit=300)
        raise AppLoadError(" ".join(reason.split())) from error
    return load_object(value, point.name)
