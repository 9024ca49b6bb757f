"""Turns a file, a folder or a module into an app, or into one sentence on why it is none.

Every module of a folder is loaded under a private name that is never used twice: nothing called
`apps` is imported, two folders may hold files of one name, and a folder can be loaded again.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import itertools
import re
import sys
import traceback
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from tuihost.commands import check_commands
from tuihost.core.accepts import Accepts
from tuihost.errors import AppLoadError
from tuihost.plugin import NAME, App, FunctionApp, first_line
from tuihost.text import clean

_PRIVATE = "_tuihost_app_"
_numbers = itertools.count(1)

_HOOKS = sorted(
    name for name, member in vars(App).items() if callable(member) and not name.startswith("_")
)


def name_of(path: Path) -> str:
    """The name of the app in `path` unless it gives itself one: `my_app.py` is `my-app`."""
    return _dashed(path.name.removesuffix(".py"))


def _dashed(name: str) -> str:
    return name.replace("_", "-").lower()


def candidates(folder: Path) -> list[Path]:
    """What in `folder` is meant as an app, by name: packages, and single files."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(("_", ".")):
            continue
        is_package = path.is_dir() and any(path.glob("*.py"))
        if is_package or (path.suffix == ".py" and path.is_file()):
            found.append(path)
    return found


def load_path(path: Path) -> App:
    """The app in a folder or in a file. Raises `AppLoadError`; leaves no half of it imported."""
    private = f"{_PRIVATE}{next(_numbers)}_{path.stem.replace('-', '_')}"
    try:
        return _prepared(_app_in(_import_path(path, private)), name_of(path))
    except (Exception, SystemExit) as error:  # whatever somebody's module does
        for name in [name for name in sys.modules if name.partition(".")[0] == private]:
            del sys.modules[name]
        raise _as_load_error(error, path) from error


def load_module(reference: str) -> App:
    """The app at `package.module:attr`, or the one app in `package.module`."""
    module_name, _, attribute = reference.partition(":")
    try:
        module = importlib.import_module(module_name)
        if not attribute:
            found = _app_in(module)
        elif not hasattr(module, attribute):
            raise AppLoadError(f"module {module_name} has no {attribute!r}")
        else:
            found = _as_app(getattr(module, attribute))
        return _prepared(found, _dashed(module_name.rpartition(".")[2]))
    except (Exception, SystemExit) as error:  # whatever somebody's module does
        raise _as_load_error(error) from error


def load_object(value: object, name: str) -> App:
    """The app that an entry point called `name` led to."""
    try:
        found = _app_in(value) if isinstance(value, ModuleType) else _as_app(value)
        return _prepared(found, name)
    except (Exception, SystemExit) as error:  # whatever somebody's class does
        raise _as_load_error(error) from error


# ------------------------------------------------------------------------------- importing


def _import_path(path: Path, private: str) -> ModuleType:
    if path.is_file():
        return _execute(importlib.util.spec_from_file_location(private, path))
    start = path / "__init__.py"
    if start.is_file():
        package = _execute(
            importlib.util.spec_from_file_location(
                private, start, submodule_search_locations=[str(path)]
            )
        )
        if not (path / "app.py").is_file() or _exports(package) is not None:
            return package
    elif (path / "app.py").is_file():
        spec = ModuleSpec(private, None, is_package=True)
        spec.submodule_search_locations = [str(path)]
        sys.modules[private] = importlib.util.module_from_spec(spec)
    else:
        raise AppLoadError("the folder has neither an app.py nor an __init__.py")
    return importlib.import_module(f"{private}.app")


def _execute(spec: ModuleSpec | None) -> ModuleType:
    if spec is None or spec.loader is None:
        raise AppLoadError("is not a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _as_load_error(error: BaseException, path: Path | None = None) -> AppLoadError:
    if isinstance(error, AppLoadError):
        return error
    if isinstance(error, SyntaxError) and error.filename:
        place = f" ({Path(error.filename).name}:{error.lineno})"
        text = error.msg
    else:
        place = _line_in(error, path)
        text = str(error)
    text = re.sub(rf"{_PRIVATE}\d+_", "", text)
    reason = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return AppLoadError(clean(" ".join(reason.split()), limit=300) + place)


def _line_in(error: BaseException, path: Path | None) -> str:
    """The last line of the app's own that the error went through."""
    if path is None:
        return ""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).is_relative_to(path):
            return f" ({Path(frame.filename).name}:{frame.lineno})"
    return ""


# ----------------------------------------------------------------------- finding and judging


def _exports(module: ModuleType) -> object | None:
    """What the module calls `app`, where that is not tuihost's own decorator or a submodule."""
    value: object | None = vars(module).get("app")
    own = inspect.isfunction(value) and value.__module__ == "tuihost.plugin"
    return None if own or isinstance(value, ModuleType) else value


def _app_in(module: ModuleType) -> App:
    exported = _exports(module)
    if exported is not None:
        return _as_app(exported)
    mine = [value for value in vars(module).values() if _made_in(value) == module.__name__]
    instances = [value for value in mine if isinstance(value, App)]
    classes = [value for value in mine if isinstance(value, type)]
    # A class that others build on, or that an instance was made of, is not meant by itself.
    bases = {base for one in classes for base in one.__mro__[1:]} | {type(one) for one in instances}
    match [*dict.fromkeys(instances), *dict.fromkeys(one for one in classes if one not in bases)]:
        case [one]:
            return _as_app(one)
        case []:
            raise AppLoadError("has no `app` and defines no subclass of App")
        case found:
            names = ", ".join(_called(one) for one in found)
            raise AppLoadError(f"defines more than one app ({names}): call one of them `app`")


def _called(value: object) -> str:
    if isinstance(value, type):
        return value.__name__
    return getattr(value, "name", "") or type(value).__name__


def _made_in(value: object) -> str:
    """The module in which an app was written; empty for whatever is none."""
    match value:
        case FunctionApp():
            return value._talk.__module__
        case App():
            return type(value).__module__
        case type() if issubclass(value, App):
            return value.__module__
        case _:
            return ""


def _as_app(value: object) -> App:
    if isinstance(value, App):
        return value
    if isinstance(value, type) and issubclass(value, App):
        if value is App:
            raise AppLoadError("`app` is App itself, not a subclass of it")
        return value()
    raise AppLoadError(f"`app` is a {type(value).__name__}, not an App")


def _prepared(app: App, name: str) -> App:
    """The app with its empty names filled in. Raises `AppLoadError` where it can never work."""
    app.name = app.name or name
    if not isinstance(app.name, str) or not NAME.fullmatch(app.name):
        raise AppLoadError(
            f"{app.name!r} cannot be an app's name: small letters, digits and '-' only, "
            "a letter first, 32 at most"
        )
    app.title = app.title or app.name.replace("-", " ").capitalize()
    if not isinstance(app, FunctionApp):
        app.description = app.description or first_line(type(app).__doc__)
    _check_hooks(app)
    check_commands(app)
    return app


def _check_hooks(app: App) -> None:
    """Raises where what the app says of itself and what it has do not go together."""
    kind = type(app)
    own = [one for one in kind.__mro__ if one not in App.__mro__ and one is not FunctionApp]
    for name in dict.fromkeys(name for one in own for name in vars(one)):
        member = inspect.getattr_static(kind, name)
        if name.startswith("_") or name in _HOOKS or not inspect.isfunction(member):
            continue
        if hasattr(member, "__tuihost_command__"):
            continue
        if close := difflib.get_close_matches(name, _HOOKS, n=1, cutoff=0.85):
            raise AppLoadError(f"nothing calls the method {name!r}; did you mean {close[0]!r}?")
    if not isinstance(app.accepts, Accepts):
        raise AppLoadError(f"`accepts` is a {type(app.accepts).__name__}, not an Accepts")
    if app.loop not in ("light", "selector"):
        raise AppLoadError(f"`loop` should be 'light' or 'selector', not {app.loop!r}")
    if app.has_talk and not inspect.iscoroutinefunction(kind.talk):
        raise AppLoadError("`talk` has to be an `async def`")
    if app.has_screen and inspect.iscoroutinefunction(kind.build):
        raise AppLoadError("`build` returns an Application: it cannot be an `async def`")
    has_subsystem = kind.subsystem is not App.subsystem
    if app.accepts.subsystems and not has_subsystem:
        raise AppLoadError("accepts subsystems, but has no method `subsystem`")
    if app.accepts.forwards and kind.forward is App.forward:
        raise AppLoadError("accepts forwards, but has no method `forward`")
    if app.accepts.listens and kind.listen is App.listen:
        raise AppLoadError("accepts listens, but has no method `listen`")
    has_work = has_subsystem or app.has_files or app.accepts.forwards or app.accepts.listens
    if not (app.has_screen or app.has_talk or has_work or app.command_methods()):
        raise AppLoadError("has nothing to open: no `build`, no `talk`, no command")
