"""`tuihost check`: what is wrong with a host, as far as can be seen without opening a port."""

from __future__ import annotations

import os
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuihost.cli.common import config_option, draft_settings
from tuihost.errors import SettingsError
from tuihost.phrases import counted

if TYPE_CHECKING:  # the help of the command line is quicker without
    from tuihost.host.plugins.app_catalog import Catalog
    from tuihost.host.plugins.step_catalog import StepCatalog
    from tuihost.settings.mistakes import Origins
    from tuihost.settings.models import Settings


@click.command()
@config_option
@click.pass_context
def check(context: click.Context, config: Path | None) -> None:
    """Say what is wrong with settings, apps, login steps, themes, host keys and stores.

    Whatever would keep `tuihost serve` from starting is found, except a port that is in use.
    So is what it would start with all the same, but hardly as it is meant, such as a role that
    names an app that is not there. Accounts that people may confuse are named, too. It opens no
    port. Exit status: 0 if all is well, 1 if something is broken, 78 if the settings are wrong or
    hardly as they are meant.
    """
    from tuihost import logs
    from tuihost.cli.accounts import look_alike
    from tuihost.cli.file_uses import shared_files
    from tuihost.cli.host_mistakes import mistakes
    from tuihost.host.login.services import open_accounts
    from tuihost.host.plugins.app_catalog import Catalog
    from tuihost.host.plugins.step_catalog import StepCatalog
    from tuihost.settings.mistakes import in_order

    draft = draft_settings(config)
    settings = draft.settings
    logs.configure(level="critical")  # the lines below say it all
    log = logs.event_log()
    catalog = Catalog.load(settings, log=log)
    steps = StepCatalog.of(settings, log)
    found = mistakes(settings, catalog, steps, log)
    shared = shared_files(settings, draft.origins.path)
    wrong = in_order(
        [*draft.problems, *(draft.origins.placed(problem) for problem in chain(found, shared))]
    )
    broken = _broken(settings, catalog, steps, draft.origins)
    for line in [*wrong, *broken]:
        click.echo(line, err=True)
    if wrong:
        raise SettingsError(())
    with closing(open_accounts(settings)) as store:
        for names in store.look_alikes():
            click.echo(look_alike(names), err=True)
    where = f"{settings.server.host}:{settings.server.port}"
    counts = f"{counted(len(catalog.apps), 'app')}, {counted(len(catalog.themes), 'theme')}"
    state = f"{counted(len(broken), 'mistake')}" if broken else "all is well"
    click.echo(f"{where}, {counts}: {state}")
    context.exit(1 if broken else 0)


def _broken(
    settings: Settings, catalog: Catalog, steps: StepCatalog, origins: Origins
) -> list[str]:
    """A line for each app, login step and theme that is broken, and each damaged file of an app."""
    from tuihost.database import is_damaged

    named = {
        **{("app", module): ("apps", "modules") for module in settings.apps.modules},
        **{("login step", module): ("login", "steps") for module in settings.login.steps},
    }
    # A folder that cannot be read is among the settings that are wrong, with its line.
    folders = {str(path) for path in (*settings.apps.folders, *settings.login.step_folders)}
    plugins = [
        ": ".join(
            [
                *(origins.of(path) for path in [named.get((kind, plugin.source))] if path),
                f"{kind} {plugin.name}",
                f"{plugin.reason} ({plugin.source})",
            ]
        )
        for kind, plugins in (("app", catalog.broken), ("login step", steps.broken))
        for plugin in plugins
        if plugin.source not in folders
    ]
    state = settings.server.state_dir / "apps"
    plugins += [
        f"app {name}: {path} is damaged"
        for name in (sorted(catalog.apps) if os.access(state, os.X_OK) else ())
        for path in sorted((state / name).glob("*.sqlite3"))
        if path.is_file() and is_damaged(path)
    ]
    return plugins + [f"theme {reason}" for reason in catalog.broken_themes]
