"""`tuihost serve`: runs the host that the settings describe."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import click

from tuihost.cli.common import config_option, hosts_file, placed, read_settings, say_settings


@contextmanager
def _signals_while_it_starts() -> Iterator[None]:
    """SIGINT, SIGTERM and SIGQUIT end the process with status 0, as they do later; SIGHUP, SIGUSR1
    and SIGUSR2 do nothing. If the host does not start, they are what they were."""
    ending = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)
    # What is imported at this moment must not see an exception.
    own = {
        **dict.fromkeys(ending, lambda *_: os._exit(0)),
        **dict.fromkeys((signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2), lambda *_: None),
    }
    with ExitStack() as former:
        for number, handler in own.items():
            former.callback(signal.signal, number, signal.signal(number, handler))
        yield
        former.pop_all()  # the host has started, and handles them itself


@click.command()
@config_option
@click.option("--host", help="Address to listen on.")
@click.option("--port", "-p", type=click.IntRange(0, 65535), help="Port to listen on.")
@click.option("--verbose", "-v", is_flag=True, help="Log everything.")
def serve(config: Path | None, host: str | None, port: int | None, verbose: bool) -> None:
    """Run the host until it is told to stop (SIGTERM, SIGQUIT or Ctrl-C).

    SIGHUP opens the file of the log again, after logrotate has moved it away.
    """
    with _signals_while_it_starts():
        from tuihost.cli.host_mistakes import tolerated
        from tuihost.cli.serving import (
            bind,
            end_process,
            open_log,
            reopen_log,
            serve_until_told,
        )
        from tuihost.host.plugins.app_catalog import Catalog
        from tuihost.logs import Event

        file, options = hosts_file(config), {"server.host": host, "server.port": port}
        settings = read_settings(file, options)
        log = open_log(settings, "debug" if verbose else None, file=file, overrides=options)
        if settings.logs.file is not None:  # else standard error is the log's, line by line
            say_settings(file)
        log.info(Event.SETTINGS_READ, file=str(file))
        catalog = Catalog.load(settings, log=log)
        problems = tuple(tolerated(settings, catalog))  # before it listens: they take a moment
        server = bind(settings, catalog, log, partial(reopen_log, settings))
    if settings.logs.file is not None:
        click.echo(f"Listening on {server.address}; the log is {settings.logs.file}", err=True)
    for problem in placed(problems, file, options):
        log.warning(Event.SETTINGS_DOUBTFUL, reason=problem)
        if settings.logs.file is not None:
            click.echo(problem, err=True)
    serve_until_told(server)
    end_process()
