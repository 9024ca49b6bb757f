"""`tuihost run APP`: one app in this terminal, without SSH."""

from __future__ import annotations

from pathlib import Path

import click

from tuihost.cli.common import config_option, own_user, read_settings, settings_file


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@config_option
@click.option("--verbose", "-v", is_flag=True, help="Log to standard error, with every detail.")
@click.option("--role", "-r", "roles", multiple=True, help="A role to have; may be repeated.")
@click.argument("app")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[ARGS]...")
@click.pass_context
def run(
    context: click.Context,
    config: Path | None,
    verbose: bool,
    roles: tuple[str, ...],
    app: str,
    words: tuple[str, ...],
) -> None:
    """Run APP in this terminal as it would run over SSH; with ARGS, run its command.

    The exit status is the app's.
    """
    from tuihost.cli.serving import open_log
    from tuihost.local import run_app

    settings = read_settings(config)
    open_log(settings, "debug" if verbose else "error", file=settings_file(config))
    context.exit(run_app(app, words, settings, user=own_user(), roles=roles))
