"""What most subcommands share: the settings, and how tables and JSON are shown.

It imports only what `--help` needs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tuihost.text import clean

if TYPE_CHECKING:
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

    if config is None and Path(SETTINGS_FILE).exists():
        config = Path(SETTINGS_FILE)
    return load(config, os.environ, overrides)


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
