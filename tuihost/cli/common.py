"""What several subcommands do alike: read the settings, set up the log, run the host."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from wcwidth import wcswidth

from tuihost import logs
from tuihost.host.plugins.app_catalog import Catalog
from tuihost.host.server.server import Server
from tuihost.settings.loading import load
from tuihost.settings.models import Settings

SETTINGS_FILE = "tuihost.toml"

config_option = click.option(
    "--config",
    "-c",
    type=click.Path(path_type=Path),
    envvar="TUIHOST_CONFIG",
    help=f"The settings file; ./{SETTINGS_FILE} where there is one.",
)


def read_settings(config: Path | None, overrides: Mapping[str, Any] | None = None) -> Settings:
    """The settings of this call. Raises `SettingsError`."""
    if config is None and Path(SETTINGS_FILE).exists():
        config = Path(SETTINGS_FILE)
    return load(config, os.environ, overrides)


def open_log(settings: Settings, level: str | None = None) -> logs.EventLog:
    """The log as the settings want it; `level` goes before theirs."""
    chosen = settings.logs
    stream = None
    if chosen.file is not None:
        try:
            # Open for as long as the process lives: there is no better moment to close a log.
            stream = chosen.file.open("a", encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise click.ClickException(
                f"the log file {chosen.file} cannot be opened: {error.strerror or error}"
            ) from None
    logs.configure(as_json=chosen.format == "json", level=level or chosen.level, stream=stream)
    return logs.event_log()


def bind(settings: Settings, catalog: Catalog, log: logs.EventLog) -> Server:
    """A server that listens, and minds signals from now on. A port that cannot be had is one
    sentence and exit status 1."""
    server = Server(settings, catalog, log)
    try:
        server.start()
    except OSError as error:
        raise click.ClickException(_why_not(error, settings)) from None
    server.install_signals()
    return server


def serve_until_told(server: Server) -> None:
    """Serves until a signal asks for the end, then shows everybody out. A second signal during
    that ends it at once."""
    try:
        server.serve_forever()
    finally:
        server.stop()


def _why_not(error: OSError, settings: Settings) -> str:
    host, port = settings.server.host, settings.server.port
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine."
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} on {host} is in use already; take another one with --port."
        case errno.EACCES if error.filename is None:
            return f"Port {port} may not be used by this account; take one above 1023 with --port."
    return f"The host cannot start: {error}"


def rows(table: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table, its columns aligned, its last column as long as it is."""
    lines = list(table)
    widths = [max(_width(cell) for cell in column) for column in zip(*lines, strict=True)]
    return [
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    ]


def _width(text: str) -> int:
    return max(0, wcswidth(text))
