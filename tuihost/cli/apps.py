"""`tuihost apps`: what was found, where, and whether it works."""

from __future__ import annotations

from pathlib import Path

import click

from tuihost import logs
from tuihost.cli.common import config_option, read_settings, rows
from tuihost.host.plugins.app_catalog import Catalog
from tuihost.text import clean


@click.command()
@config_option
def apps(config: Path | None) -> None:
    """List the apps: name, title, state, where it came from, and why it does not work."""
    settings = read_settings(config)
    logs.configure(level="critical")  # the table says it all
    catalog = Catalog.load(settings, log=logs.event_log())
    table = [("NAME", "TITLE", "STATE", "SOURCE", "REASON")]
    for name, loaded in sorted(catalog.apps.items()):
        table.append((name, clean(loaded.app.title), "ready", clean(loaded.source), ""))
    for one in catalog.broken:
        table.append((clean(one.name), "", "broken", clean(one.source), one.reason))
    for line in rows(table):
        click.echo(line)
