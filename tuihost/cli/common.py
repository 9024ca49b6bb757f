"""What most subcommands share: the settings, and how tables and JSON are shown.

It imports only what `--help` needs.
"""

from __future__ import annotations

import getpass
import json
import os
import shlex
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tuihost.errors import SettingsError
from tuihost.files.secret_files import NotPrivate, check_trusted
from tuihost.text import clean

if TYPE_CHECKING:
    from tuihost.settings.loading import Draft
    from tuihost.settings.models import Settings

SETTINGS_FILE = "tuihost.toml"

config_option = click.option(
    "--config",
    "-c",
    type=click.Path(path_type=Path),
    envvar="TUIHOST_CONFIG",
    help=f"The settings file; by default ./{SETTINGS_FILE}, if there is one.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def read_settings(config: Path | None, overrides: Mapping[str, Any] | None = None) -> Settings:
    """The settings of this call. Raises `SettingsError`."""
    from tuihost.settings.loading import load

    return load(settings_file(config), os.environ, overrides)


def draft_settings(config: Path | None) -> Draft:
    """The settings of a host as far as they are right, with their mistakes; their file is told on
    standard error. Raises `SettingsError` if the file is missing or cannot be read."""
    from tuihost.settings.loading import draft

    file = hosts_file(config)
    say_settings(file)
    return draft(file, os.environ)


def placed(
    problems: Sequence[str], file: Path | None, overrides: Mapping[str, Any] | None = None
) -> tuple[str, ...]:
    """Sentences about settings with the place of each, in the order of the file."""
    if not problems:
        return ()
    from tuihost.settings.loading import draft
    from tuihost.settings.mistakes import in_order

    origins = draft(file, os.environ, overrides).origins
    return in_order(origins.placed(problem) for problem in problems)


def settings_file(config: Path | None) -> Path | None:
    """The settings file of this call; None if there is none."""
    return Path(SETTINGS_FILE) if config is None and os.path.exists(SETTINGS_FILE) else config


def say_settings_found(config: Path | None) -> None:
    """Tells on standard error which settings a call uses that names none."""
    if config is None:
        found = settings_file(config)
        say_settings(f"the defaults; there is no {SETTINGS_FILE} here" if found is None else found)


def say_settings(where: Path | str) -> None:
    """Tells on standard error which settings a call uses."""
    click.echo(f"Settings: {where}", err=True)


def hosts_file(config: Path | None) -> Path:
    """The settings file of a host. Raises `SettingsError` if there is none: nobody should open a
    host by calling a command in the wrong folder."""
    found = settings_file(config)
    if found is None:
        reason = f"There is no settings file: no --config, and no {SETTINGS_FILE} in this folder."
        cure = "To write one: tuihost init. To try tuihost out: tuihost demo."
        raise SettingsError((f"{reason} {cure}",))
    try:
        if found.exists():
            check_trusted(found)
    except NotPrivate as problem:
        raise SettingsError((f"{found}: {problem}",)) from None
    return found


def own_user() -> str:
    """The name of the user that calls; `uid-1000` if the machine does not know them, as in a
    container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # OSError from Python 3.13 on
        return f"uid-{os.getuid()}"


def called() -> str:
    """What to type for `tuihost` here: its path, if the shell would not find this one."""
    path = Path(sys.argv[0])
    found = shutil.which("tuihost")
    if path.name != "tuihost" or (found is not None and Path(found).resolve() == path.resolve()):
        return "tuihost"
    return shlex.quote(os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path))


def say_json(value: Any) -> None:
    # Whatever it holds, it is ASCII: nothing in it can steer a terminal.
    click.echo(json.dumps(value, indent=2))


def say_table(head: Sequence[str], table: Iterable[Sequence[str]]) -> None:
    """Columns under their headings."""
    for line in rows([head, *table]):
        click.echo(line)


def rows(table: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table with aligned columns. What it shows is made harmless."""
    from wcwidth import wcswidth

    cells = [[clean(cell) for cell in row] for row in table]
    widths = [max(wcswidth(cell) for cell in column) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            cell + " " * (width - wcswidth(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in cells
    ]
