"""What the subcommands that run a host share: the log, the listening socket, the end.

It imports the whole host: subcommands that do without it stay quick.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import click

from tuihost import logs
from tuihost.cli.common import placed
from tuihost.cli.file_uses import shared_files
from tuihost.errors import SettingsError
from tuihost.files.secret_files import NotPrivate, check_trusted
from tuihost.host.budget.descriptors import raise_soft_limit
from tuihost.host.plugins.app_catalog import Catalog
from tuihost.host.server.server import Server
from tuihost.settings.models import Settings

CALLED_BY = "TUIHOST_CALLED_BY"
"""The variable that says what started the program, if that takes its options in another form."""


def open_log(
    settings: Settings,
    level: str | None = None,
    *,
    file: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> logs.EventLog:
    """The log that the settings describe; `level` takes precedence over theirs. `file` and
    `overrides` are where they came from. Raises `SettingsError` if two of them name one file for
    different uses: nothing has been written to any by then."""
    if problems := tuple(shared_files(settings, file)):
        raise SettingsError(placed(problems, file, overrides))
    chosen = settings.logs
    as_json = chosen.format == "json"
    try:
        if chosen.file is not None and chosen.file.exists():
            check_trusted(chosen.file)
        logs.configure(as_json=as_json, level=level or chosen.level, file=chosen.file)
    except (OSError, NotPrivate) as error:
        reason = getattr(error, "strerror", None) or error
        raise click.ClickException(
            f"The log file {chosen.file} cannot be opened: {reason}"
        ) from None
    return logs.event_log()


def reopen_log(settings: Settings) -> None:
    """Goes on in the file that has the name of the log now. Raises `OSError`, and stays where it
    was, if there can be none, or if others can write to it."""
    file = settings.logs.file
    try:
        if file is not None and file.exists():
            check_trusted(file)
    except NotPrivate as problem:
        raise PermissionError(f"{file}: {problem}") from None
    logs.reopen()


def bind(
    settings: Settings,
    catalog: Catalog,
    log: logs.EventLog,
    hang_up: Callable[[], None] | None = None,
) -> Server:
    """A server that listens and heeds signals; SIGHUP calls `hang_up`. If it cannot have the port
    or the folder for its data, the command ends with one sentence and status 1."""
    _make_state_folder(settings.server.state_dir)
    raise_soft_limit()
    threading.excepthook = lambda args: _log_end(args, catalog, log)
    server = Server(settings, catalog, log)
    server.install_signals(hang_up)  # first: a signal may come as soon as anybody can connect
    try:
        server.start()
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            raise  # `main` says what to do, as for every other command
        raise click.ClickException(_why_not(error, settings)) from None
    return server


def _make_state_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        check_trusted(folder)
        return
    except FileExistsError:
        reason = "it is not a folder"
    except (OSError, NotPrivate) as error:
        reason = getattr(error, "strerror", None) or str(error)
    raise click.ClickException(
        f"The folder {folder}, where the host keeps its data, cannot be used: {reason}. "
        "Mend that, or choose another with `server.state_dir` (the demo: --state-dir)."
    )


def _log_end(ended: threading.ExceptHookArgs, catalog: Catalog, log: logs.EventLog) -> None:
    """A thread was ended by an exception that nobody caught: the host's own, or one that an app
    began by itself."""
    error, name = ended.exc_value, ended.thread.name if ended.thread is not None else ""
    if error is None or isinstance(error, SystemExit):
        return
    app = catalog.app_of(error)
    if app:
        log.error(logs.Event.APP_ERROR, trace=error, app=app, during=name)
    else:
        log.error(logs.Event.HOST_ERROR, trace=error, where="thread", reason=name)


def serve_until_told(server: Server) -> None:
    """Serves until a signal asks for the end, then ends every session. Another signal, a second or
    more later, ends it at once."""
    try:
        server.serve_forever()
    finally:
        server.stop()


def port_option(port: int) -> str:
    """How to choose a port where this was started."""
    return as_option(f"--port {port}")


def as_option(text: str) -> str:
    """An option as it is typed where this was started."""
    return f'make demo ARGS="{text}"' if os.environ.get(CALLED_BY) == "make" else text


def end_process() -> NoReturn:
    """Ends the process, with status 0, once all is closed. Python would first free whatever people
    had it hold, one object after the other, which can take longer than a service manager waits."""
    logging.shutdown()
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    os._exit(0)


def _why_not(error: OSError, settings: Settings) -> str:
    host, port = settings.server.host, settings.server.port
    option = port_option(port + 1 if port < 65535 else 0)
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine."
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} on {host} is already in use. Choose another: {option}"
        case errno.EACCES if error.filename is None:
            return (
                f"Port {port} needs more rights than you have. Choose one above 1023: "
                f"{port_option(8022)}"
            )
    return f"The host cannot start: {error}"
