"""What is wrong with a host beyond its single settings: all that `serve` would stumble over.

It imports the whole host, and opens no port. Nothing on disk is changed.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tuihost.core.login.rights import GUEST, USER, FileRight, rights_of, target_problem
from tuihost.database import DatabaseError
from tuihost.errors import SettingsError
from tuihost.files.secret_files import HOST_LOCK, NotPrivate, check_trusted
from tuihost.host.gate.gate import GateRules
from tuihost.host.login.services import login_mistakes
from tuihost.host.plugins.app_catalog import Catalog
from tuihost.host.plugins.step_catalog import StepCatalog
from tuihost.host.server.server import limits_of
from tuihost.host.store.preferences import preference_file
from tuihost.login.approvals import APPROVERS
from tuihost.logs import EventLog
from tuihost.phrases import nearest
from tuihost.plugin import App
from tuihost.settings.environment import options_of
from tuihost.settings.mistakes import shown
from tuihost.settings.models import Role, Settings
from tuihost.ssh.keys.host_keys import HostKeys

FILES = "files"
"""The app that shows the files of all apps, and does nothing else."""


def mistakes(
    settings: Settings, catalog: Catalog, steps: StepCatalog, log: EventLog
) -> Iterator[str]:
    """A sentence for each, that begins with the name of the setting if it is about one."""
    yield from tolerated(settings, catalog)
    yield from _folders(settings)
    yield from _log_file(settings)
    yield from _address(settings)
    yield from login_mistakes(settings, steps.steps, log)
    parts: list[Callable[[], object]] = [
        lambda: GateRules.of(settings, limits_of(settings)),
        lambda: preference_file(settings.server.state_dir / "host.sqlite3").check(),
    ]
    for part in parts:
        try:
            part()
        except SettingsError as error:
            yield from error.problems
        except DatabaseError as error:
            yield str(error)
    yield from _host_keys(settings)


def tolerated(settings: Settings, catalog: Catalog) -> Iterator[str]:
    """Those with which a host runs all the same, though not as its operator means it."""
    yield from _names(settings, catalog)
    yield from _roles(settings, catalog)
    yield from _unreadable("themes.folders", settings.themes.folders)


# ------------------------------------------------------------------------------- names


def _names(settings: Settings, catalog: Catalog) -> Iterator[str]:
    server, apps = settings.server, settings.apps
    working = sorted(catalog.apps)
    if server.default_app not in catalog.apps:
        what = f"no app called {server.default_app!r} works here"
        yield f"server.default_app: {what}{_near(server.default_app, working)}"
    if server.theme not in catalog.themes:
        what = f"there is no theme {server.theme!r}"
        yield f"server.theme: {what}{_near(server.theme, catalog.themes)}"
    is_default = server.script == type(server).model_fields["script"].default
    if not is_default and (reason := _wrong_script(server.script, catalog)):
        yield f"server.script: {reason}"
    for setting, patterns in (("enabled", apps.enabled), ("disabled", apps.disabled)):
        for name in _unknown(patterns, catalog.found):
            yield f"apps.{setting}: {_no_app(name, catalog)}"
    for name in _unknown(settings.login.app_chains, catalog.found):
        yield f"login.app_chains.{name}: {_no_app(name, catalog)}"
    for name, options in settings.app.items():
        if name not in catalog.found:
            yield f"app.{name}: {_no_app(name, catalog)}"
        elif name in catalog.apps:
            app, known = catalog.apps[name].app, _known_roles(settings, catalog)
            for option, reason in _option_mistakes(app, name, options, known):
                yield f"app.{name}.{option}: {reason}"


_KINDS = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}


def _option_mistakes(
    app: App, name: str, options: Mapping[str, Any], roles: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Each option of an app that is wrong, and why."""
    known, right = app.known_options, {}
    for option, value in options_of(known, options).items():
        if known is not None and option not in known:
            yield option, _no_option(name, option, tuple(known))
            continue
        kind = known.get(option) if isinstance(known, Mapping) else None
        if kind is not None and not _is_a(value, kind):
            yield option, f"should be {_KINDS.get(kind, kind.__name__)}, not {shown(value)}"
            continue
        right[option] = value
    try:
        wrong = tuple(app.option_mistakes(right))
        yield from wrong
        for option, _ in wrong:
            right.pop(option, None)
        for option, role in dict.fromkeys(app.roles_in(right)):
            if role not in roles:
                yield option, _no_role(role, roles)
    except Exception as error:  # noqa: BLE001 - the boundary between an app and the host
        yield "*", f"cannot be checked: {type(error).__name__}: {error}"


def _is_a(value: Any, kind: type) -> bool:
    """Whether a value of the settings is of that kind. True is not a number, and 1 is one."""
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)


def _no_app(name: str, catalog: Catalog) -> str:
    return f"no app is called {name!r}{_near(name, catalog.found)}"


def _no_option(app: str, option: str, known: Sequence[str]) -> str:
    if not known:
        return f"the app {app!r} has no options"
    return f"the app {app!r} has no such option{_near(option, known)}"


def _wrong_script(script: str, catalog: Catalog) -> str | None:
    app, _, words = script.partition(" ")
    if not app or (app in catalog.apps and not words):
        return None
    return _wrong_command(f"{app} {words.split()[0]}" if words.split() else app, catalog)


# ------------------------------------------------------------------------------- roles


def _roles(settings: Settings, catalog: Catalog) -> Iterator[str]:
    known = _known_roles(settings, catalog)
    for name, role in settings.roles.items():
        for setting, patterns in (
            ("apps", role.apps),
            ("read_files", role.read_files or ()),
            ("write_files", role.write_files or ()),
        ):
            for pattern in _unknown(patterns, catalog.found):
                yield f"roles.{name}.{setting}: {_no_app(pattern, catalog)}"
        for pattern in role.commands:
            if reason := _wrong_command(pattern, catalog) or _closed(pattern, name, settings):
                yield f"roles.{name}.commands: {reason}"
        for setting, patterns in (("forwards", role.forwards), ("listens", role.listens)):
            for pattern in patterns:
                if reason := target_problem(pattern):
                    yield f"roles.{name}.{setting}: {pattern!r}: {reason}"
        if FILES in catalog.apps and (leads := _without_files(name, role, settings)):
            yield (
                f"roles.{name}.{leads}: the app {FILES!r} shows no files to people with this "
                "role; set read_files or write_files, too"
            )
    for name, group in settings.groups.items():
        for given in group.roles:
            if given == GUEST:
                yield f"groups.{name}.roles: the role {GUEST!r} is for people without an account"
            elif given not in known:
                yield f"groups.{name}.roles: {_no_role(given, known)}"


def _known_roles(settings: Settings, catalog: Catalog) -> frozenset[str]:
    """The roles that accounts can have, and that mean something."""
    named = (loaded.app.accepts.roles for loaded in catalog.apps.values())
    roles = {USER, *settings.roles, *APPROVERS, *(role for roles in named for role in roles)}
    return frozenset(roles)


def _no_role(role: str, known: Iterable[str]) -> str:
    return f"there is no role {role!r} that accounts can have{_near(role, known)}"


def _closed(pattern: str, role: str, settings: Settings) -> str | None:
    """What is wrong with a command of an app that nobody with the role may open. People with an
    account may have any other role, too, which may open it."""
    app = pattern.partition(" ")[0]
    rights = rights_of(settings.roles, guest=role == GUEST, roles=settings.roles)
    if not _is_literal(app) or rights.app(app):
        return None
    return f"{pattern!r} needs the app {app!r}, which nobody with this role may open; see `apps`"


def _without_files(name: str, role: Role, settings: Settings) -> str | None:
    """The setting by which a role leads to the app Files, if it says nothing of files and gives
    none: all that this app does is about files."""
    if role.read_files is not None or role.write_files is not None:
        return None
    rights = rights_of(settings.roles, guest=name == GUEST, roles={name})
    if not rights.app(FILES) or rights.files(FILES) is not FileRight.NONE:
        return None
    if any(pattern.partition(" ")[0] == FILES for pattern in role.commands):
        return "commands"
    return "apps" if FILES in role.apps else None


def _wrong_command(pattern: str, catalog: Catalog) -> str | None:
    """What is wrong with a pattern of commands, `app command`; None if nothing can be known."""
    app, _, command = pattern.partition(" ")
    if not _is_literal(app):
        return None
    if app not in catalog.found:
        return _no_app(app, catalog)
    if app not in catalog.apps or not _is_literal(command):
        return None
    methods = catalog.apps[app].app.command_methods()
    if not command and methods:
        return f"should be `app command`; did you mean '{app} *'?"
    if command in methods:
        return None
    return f"there is no command {pattern!r}{_near(command, methods)}"


def _is_literal(pattern: str) -> bool:
    return not set(pattern) & set("*?[")


def _unknown(patterns: Iterable[str], names: Iterable[str]) -> Iterator[str]:
    """The names among the patterns that nothing has. Others may be for what is still to come."""
    known = frozenset(names)
    yield from (name for name in patterns if _is_literal(name) and name not in known)


def _near(name: str, known: Iterable[str]) -> str:
    """`; did you mean …?`, or all of them if none is near."""
    names = sorted(known)
    near = nearest(name, names)
    if near is not None:
        return f"; did you mean {near!r}?"
    return f"; there are {', '.join(names)}" if len(names) > 1 else ""


# ------------------------------------------------------------------------------- the machine


def _folders(settings: Settings) -> Iterator[str]:
    yield from _unreadable("apps.folders", settings.apps.folders)
    yield from _unreadable("login.step_folders", settings.login.step_folders)
    made = {
        "server.state_dir": settings.server.state_dir / "apps",
        "server.host_keys": settings.server.host_keys[0].parent,
    }
    for setting, folder in made.items():
        if reason := _cannot_be_made(folder):
            yield f"{setting}: the folder {folder} cannot be made: {reason}"
    state = settings.server.state_dir
    try:
        check_trusted(state)
    except NotPrivate as problem:
        yield f"server.state_dir: {state}: {problem}"
    except OSError:
        return  # it is not there yet, or the folder in it cannot be made, as is said above
    lock = state / HOST_LOCK
    if reason := _cannot_be_held(lock):
        yield f"server.state_dir: {lock}: {reason}"


def _cannot_be_held(lock: Path) -> str | None:
    """Why a host cannot hold its folder by this file; None if it can."""
    try:
        if not lock.exists():
            return "is a link to nothing" if lock.is_symlink() else None
        if not lock.is_file():
            return "is not a file"
    except OSError as error:
        return str(error.strerror)
    return None if os.access(lock, os.R_OK | os.W_OK) else "may not be written to"


def _unreadable(setting: str, folders: Iterable[Path]) -> Iterator[str]:
    for folder in folders:
        try:
            os.listdir(folder)
            check_trusted(folder)
        except OSError as error:
            yield f"{setting}: {folder}: {error.strerror}"
        except NotPrivate as problem:
            yield f"{setting}: {folder}: {problem}"


def _cannot_be_made(folder: Path) -> str | None:
    """Why the folder can neither be used nor be made; None if it can."""
    try:
        while not folder.exists():
            if folder.is_symlink():
                return f"{folder} is a link to nothing"
            folder = folder.parent
        if not folder.is_dir():
            return f"{folder} is not a folder"
    except OSError as error:
        return str(error.strerror)
    return None if os.access(folder, os.W_OK | os.X_OK) else f"{folder} may not be written to"


def _log_file(settings: Settings) -> Iterator[str]:
    path = settings.logs.file
    if path is None:
        return
    try:
        exists = path.exists()
        # Without O_CREAT: a log that is not there yet is made when the host starts.
        flags = os.O_WRONLY | os.O_NONBLOCK if exists else os.O_RDONLY
        os.close(os.open(path if exists else path.parent, flags))
        if exists:
            check_trusted(path)
            return
        if os.access(path.parent, os.W_OK | os.X_OK):
            return
        reason = f"{path.parent} may not be written to"
    except OSError as error:
        reason = str(error.strerror)
    except NotPrivate as problem:
        reason = str(problem)
    yield f"logs.file: {path} cannot be opened: {reason}"


def _host_keys(settings: Settings) -> Iterator[str]:
    first, *others = settings.server.host_keys
    for key in (first, *others):
        try:
            key.lstat()
        except (FileNotFoundError, NotADirectoryError):
            if key is not first:  # which is made when the host starts: not now
                yield f"server.host_keys: {key}: there is no such file"
            continue
        except OSError as error:
            yield f"server.host_keys: {key}: {error.strerror}"
            continue
        try:
            HostKeys.load_or_create(key)
        except SettingsError as error:
            for problem in error.problems:
                yield f"server.host_keys: {problem.removeprefix('host key ')}"


def _address(settings: Settings) -> Iterator[str]:
    """Whether the address is one of this machine. A port that is in use is not a mistake: the host
    may be running."""
    host, port = settings.server.host, settings.server.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        yield f"server.host: {host!r} is not an address of this machine"
        return
    for family, _, _, _, address in dict.fromkeys(found):
        with socket.socket(family, socket.SOCK_STREAM) as sock, suppress(FileNotFoundError):
            try:
                sock.bind(address)
            except OSError as error:
                if error.errno == errno.EACCES:
                    yield f"server.port: {port} needs more rights than you have"
                elif error.errno != errno.EADDRINUSE:
                    yield f"server.host: {host!r} is not an address of this machine"
