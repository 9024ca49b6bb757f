"""`tuihost check`: what is wrong with a host, as far as can be seen without opening a port."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from tuihost import logs
from tuihost.cli.common import config_option, read_settings
from tuihost.errors import SettingsError
from tuihost.host.gate.gate import GateRules
from tuihost.host.login.services import LoginServices
from tuihost.host.plugins.app_catalog import Catalog
from tuihost.host.plugins.step_catalog import StepCatalog
from tuihost.host.server.server import limits_of
from tuihost.phrases import counted
from tuihost.settings.models import Settings
from tuihost.ssh.keys.host_keys import HostKeys


@click.command()
@config_option
@click.pass_context
def check(context: click.Context, config: Path | None) -> None:
    """Say what is wrong with settings, apps, login steps, themes and host keys.

    It opens no port. Exit status: 0 if all is well, 1 if something is broken, 78 if the settings
    are wrong.
    """
    settings = read_settings(config)
    logs.configure(level="critical")  # the lines below say it all
    catalog = Catalog.load(settings, log=logs.event_log())
    steps = StepCatalog.of(settings, logs.event_log())
    wrong = _wrong_settings(settings, catalog, steps)
    broken = [f"app {app.name}: {app.reason} ({app.source})" for app in catalog.broken]
    broken += [f"login step {step.name}: {step.reason} ({step.source})" for step in steps.broken]
    broken += [f"theme {reason}" for reason in catalog.broken_themes]
    for line in [*wrong, *broken]:
        click.echo(line, err=True)
    if wrong:
        raise SettingsError(())
    where = f"{settings.server.host}:{settings.server.port}"
    counts = f"{counted(len(catalog.apps), 'app')}, {counted(len(catalog.themes), 'theme')}"
    state = f"{counted(len(broken), 'mistake')}" if broken else "all is well"
    click.echo(f"{where}, {counts}: {state}")
    context.exit(1 if broken else 0)


def _wrong_settings(settings: Settings, catalog: Catalog, steps: StepCatalog) -> list[str]:
    """Settings that are valid by themselves, but do not fit what there is on this host."""
    wrong = []
    default, theme = settings.server.default_app, settings.server.theme
    keys = settings.server.host_keys
    if default not in catalog.apps:
        wrong.append(f"server.default_app: there is no app {default!r} that works")
    if theme not in catalog.themes:
        known = ", ".join(sorted(catalog.themes))
        wrong.append(f"server.theme: there is no theme {theme!r}; there are {known}")
    wrong += [f"app.{name}: there is no app of that name" for name in catalog.unused_options()]
    checks: list[Callable[[], object]] = [
        lambda: GateRules.of(settings, limits_of(settings)),
        lambda: LoginServices(settings, steps.steps, logs.event_log()).close(),  # it opens no store
    ]
    # A key that does not exist yet is made when the host starts: not now.
    checks += [partial(HostKeys.load_or_create, path) for path in keys if path.exists()]
    for check in checks:
        try:
            check()
        except SettingsError as error:
            wrong += error.problems
    return wrong
