"""What counts as an app, and whether its description of itself fits what it can do.

`_loading` turns a folder, a file or a module into one, or into the reason why it is broken.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import UnionType

from tuihost.commands.table import check_commands
from tuihost.core.accepts import Accepts
from tuihost.errors import AppLoadError
from tuihost.host.plugins import _loading
from tuihost.phrases import nearest
from tuihost.plugin import NAME, App, FunctionApp, first_line


def load_path(path: Path) -> App:
    """The app in a folder or in a file. Raises `AppLoadError`; leaves no half of it imported."""
    return _loading.load_path(APP, path)


def load_object(value: object, name: str) -> App:
    """The app that `value` is, makes or holds; `name` is its name if it gives itself none."""
    return _loading.load_object(APP, value, name)


def _prepare(app: App, name: str) -> None:
    """Fills in what the app leaves empty. Raises `AppLoadError` if it can never work."""
    app.name = app.name or name
    if not isinstance(app.name, str) or not NAME.fullmatch(app.name):
        raise AppLoadError(
            f"{app.name!r} cannot be an app's name: lower-case letters, digits and '-' only, "
            "a letter first, 32 at most",
            _part(app),
        )
    app.title = app.title or app.name.replace("-", " ").capitalize()
    if not isinstance(app, FunctionApp):
        app.description = app.description or first_line(type(app).__doc__)
    check_hooks(app)
    check_commands(app)


def module_of(app: App) -> str:
    """The name of the module that an app is written in."""
    return app._talk.__module__ if isinstance(app, FunctionApp) else type(app).__module__


APP = _loading.Kind("app", App, "an App", "subclass of App", _prepare, module_of)


# ------------------------------------------------------------------------------- the checks


@dataclass(frozen=True, slots=True)
class Check:
    """A mistake that an app can have: whether it has it, the sentence on it (a format that is given
    the `app`), and the method whose line is told; the class's where that is empty."""

    wrong: Callable[[App], bool]
    sentence: str
    method: str = ""


def _has(app: App, hook: str) -> bool:
    return getattr(type(app), hook) is not getattr(App, hook)


def _is_async(app: App, hook: str) -> bool:
    return inspect.iscoroutinefunction(getattr(type(app), hook))


def _names_options(known: object) -> bool:
    if isinstance(known, Mapping):
        return all(isinstance(kind, type) for kind in known.values())
    return known is None or isinstance(known, tuple | list | set | frozenset)


def _has_nothing_to_open(app: App) -> bool:
    accepted = app.accepts.forwards or app.accepts.listens
    hooks = ("build", "talk", "subsystem", "files")
    return not (accepted or any(_has(app, hook) for hook in hooks) or app.command_methods())


_ATTRIBUTES: tuple[tuple[str, type | UnionType, str], ...] = (
    ("title", str, "a text"),
    ("description", str, "a text"),
    ("group", str, "a text"),
    ("icon", str, "a text"),
    ("default_command", str, "a text"),
    ("order", int | float, "a number"),
    ("hidden", bool, "True or False"),
)
"""What the host reads of an app to list it: a slip in one would break the list of all."""

_PARAMETERS = {
    "start": "self",
    "stop": "self",
    "build": "self, session",
    "talk": "self, session",
    "subsystem": "self, session, name",
    "files": "self, session",
    "x11": "self, session, display",
    "forward": "self, forward",
    "listen": "self, listening",
}
"""The parameters of each hook that the host calls."""


def _of_kind(name: str, kind: type | UnionType, words: str) -> Check:
    return Check(
        lambda app: not isinstance(getattr(app, name), kind),
        f"`{name}` should be {words}, not {{app.{name}!r}}",
    )


def _not_async(hook: str) -> Check:
    return Check(
        lambda app: _is_async(app, hook),
        f"`{hook}` cannot be an `async def`: only `talk` and commands can",
        hook,
    )


def _called_with(hook: str, parameters: str) -> Check:
    def wrong(app: App) -> bool:
        try:
            inspect.signature(getattr(app, hook)).bind(*[None] * parameters.count(","))
        except (TypeError, ValueError):  # ValueError: it does not even take `self`
            return True
        return False

    return Check(wrong, f"`{hook}` should take ({parameters})", hook)


CHECKS = (
    Check(
        lambda app: not isinstance(app.accepts, Accepts),
        "`accepts` is a {app.accepts.__class__.__name__}, not an Accepts",
    ),
    *(_of_kind(*row) for row in _ATTRIBUTES),
    Check(
        lambda app: not _names_options(app.known_options),
        "`known_options` should be a tuple of names, or a table of names and types, "
        "not {app.known_options!r}",
    ),
    Check(
        lambda app: app.loop not in ("light", "selector"),
        "`loop` should be 'light' or 'selector', not {app.loop!r}",
    ),
    Check(
        lambda app: _has(app, "talk") and not _is_async(app, "talk"),
        "`talk` has to be an `async def`",
        "talk",
    ),
    Check(
        lambda app: _is_async(app, "build"),
        "`build` returns an Application: it cannot be an `async def`",
        "build",
    ),
    *(_not_async(hook) for hook in _PARAMETERS if hook not in ("talk", "build")),
    *(_called_with(hook, parameters) for hook, parameters in _PARAMETERS.items()),
    Check(
        lambda app: bool(app.accepts.subsystems) and not _has(app, "subsystem"),
        "accepts subsystems, but has no method `subsystem`",
    ),
    Check(
        lambda app: bool(app.accepts.forwards) and not _has(app, "forward"),
        "accepts forwards, but has no method `forward`",
    ),
    Check(
        lambda app: bool(app.accepts.listens) and not _has(app, "listen"),
        "accepts listens, but has no method `listen`",
    ),
    Check(_has_nothing_to_open, "has nothing to open: no `build`, no `talk`, no command"),
)
"""In this order: a later one relies on what an earlier one has made sure of."""


def check_hooks(app: App) -> None:
    """Raises `AppLoadError` if what the app says of itself does not fit what it can do."""
    for name, method in _own_methods(app):
        if near := nearest(name, _HOOKS, 0.85):
            raise AppLoadError(f"nothing calls the method {name!r}; did you mean {near!r}?", method)
    for check in CHECKS:
        if check.wrong(app):
            raise AppLoadError(check.sentence.format(app=app), _part(app, check.method))


def _part(app: App, method: str = "") -> object:
    if isinstance(app, FunctionApp):
        return app._talk
    return getattr(type(app), method) if method else type(app)


_HOOKS = sorted(
    name for name, member in vars(App).items() if callable(member) and not name.startswith("_")
)


def _own_methods(app: App) -> Iterator[tuple[str, object]]:
    """The methods that the author wrote and that nobody else can know of: no hook, no command."""
    kind = type(app)
    written = [cls for cls in kind.__mro__ if cls not in App.__mro__ and cls is not FunctionApp]
    for name in dict.fromkeys(name for cls in written for name in vars(cls)):
        method = inspect.getattr_static(kind, name)
        if name.startswith("_") or name in _HOOKS or not inspect.isfunction(method):
            continue
        if not hasattr(method, "__tuihost_command__"):
            yield name, method
