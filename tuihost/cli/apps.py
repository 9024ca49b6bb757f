"""`tuihost apps`: the apps that were found, where, and whether they work."""

from __future__ import annotations

from pathlib import Path

import click

from tuihost.cli.common import config_option, read_settings, say_settings_found, say_table


@click.command()
@config_option
def apps(config: Path | None) -> None:
    """List the apps, where each comes from, and why one does not work."""
    from tuihost import logs
    from tuihost.host.plugins.app_catalog import Catalog

    say_settings_found(config)
    settings = read_settings(config)
    logs.configure(level="critical")  # the table says it all
    catalog = Catalog.load(settings, log=logs.event_log())
    table = [
        (name, loaded.app.title, "ready", loaded.source, "")
        for name, loaded in sorted(catalog.apps.items())
    ]
    table += [(app.name, "", "broken", app.source, app.reason) for app in catalog.broken]
    say_table(("NAME", "TITLE", "STATE", "SOURCE", "REASON"), table)
