"""`tuihost demo`: a host that anyone on this machine may enter."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from tuihost.host.plugins.app_catalog import Catalog
    from tuihost.host.server.server import Server
    from tuihost.logs import EventLog
    from tuihost.settings.models import Settings

_GRACE = 180.0
"""Seconds for a login: people who see it for the first time read before they type."""


class _Folder(click.Path):
    """A path that is not empty: that would be the folder that somebody stands in."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("It is empty.", param, ctx)
        return super().convert(value, param, ctx)


@click.command()
@click.option("--host", help="Address to listen on; by default 127.0.0.1.")
@click.option(
    "--port", "-p", type=click.IntRange(0, 65535), help="Port to listen on; by default 8022."
)
@click.option("--theme", help="The theme for people who have not chosen one; see `tuihost themes`.")
@click.option(
    "--apps",
    "folders",
    type=click.Path(path_type=Path, exists=True, file_okay=False, resolve_path=True),
    multiple=True,
    help="A folder with apps of your own; may be repeated.",
)
@click.option(
    "--state-dir",
    type=_Folder(path_type=Path, file_okay=False, resolve_path=True),
    help="The folder for everything that the demo keeps; a second demo needs its own.",
)
@click.option("--verbose", "-v", is_flag=True, help="Log who comes and goes.")
@click.option(
    "--qr/--no-qr",
    default=None,
    help="Show the QR code of ada's second factor; by default if there is room for it.",
)
@click.option(
    "--code", is_flag=True, help="Print the current code of ada's second factor, and exit."
)
def demo(
    host: str | None,
    port: int | None,
    theme: str | None,
    folders: tuple[Path, ...],
    state_dir: Path | None,
    verbose: bool,
    qr: bool | None,
    code: bool,
) -> None:
    """Start a host that anyone on this machine may enter as a guest.

    It has an account, ada, with a password and a second factor, and an invitation for somebody
    new. Its host key is kept, so ssh asks about it only the first time. Ctrl-C stops it.
    """
    leave_at_once()
    settings = _settings(host, port, theme, folders, state_dir)
    if code:
        _show_code(settings, with_picture=bool(qr))
    else:
        _serve(settings, verbose=verbose, qr=qr)


def _serve(settings: Settings, *, verbose: bool, qr: bool | None) -> None:
    """All of the demo, from its page to its end."""
    # All of the host; the help is quicker without.
    from rich.console import Console

    from tuihost.cli.demo_accounts import code_command, picture, prepare
    from tuihost.cli.demo_page import below, start_page
    from tuihost.cli.serving import open_log, serve_until_told
    from tuihost.host.plugins.app_catalog import Catalog

    log = open_log(settings, "info" if verbose else "warning")
    catalog = Catalog.load(settings, log=log)
    _check_theme(settings.server.theme, catalog.themes)
    server = _listening(settings, catalog, log)
    try:
        # Once the folder is this demo's, and before anybody is let in.
        accounts = prepare(settings)
    except BaseException:  # Ctrl-C too: it listens already, and nobody else would stop it
        server.stop()
        raise
    page = start_page(settings, catalog, server.address, server.keys.cards()[0], accounts)
    console = Console(highlight=False, soft_wrap=True)
    if accounts.ada is not None:
        rows = console.height if console.is_terminal else 0
        page.append(below(page, picture(accounts.ada, settings), rows, qr, code_command(settings)))
    console.print(page, end="")
    with suppress(KeyboardInterrupt):  # somebody could not wait
        serve_until_told(server)
    goodbye()


def _listening(settings: Settings, catalog: Catalog, log: EventLog) -> Server:
    """The server, which listens already."""
    from tuihost.cli.serving import as_option, bind
    from tuihost.host.server.server import FolderInUse

    try:
        return bind(settings, catalog, log)
    except FolderInUse:
        raise click.ClickException(
            f"Another demo uses the folder {settings.server.state_dir} already. Stop that one, or "
            f"choose another folder and port: {as_option('--state-dir FOLDER --port 0')}"
        ) from None


def _show_code(settings: Settings, *, with_picture: bool) -> None:
    from tuihost.cli.demo_accounts import current_code

    current, valid, *lines = current_code(settings, with_picture=with_picture)
    click.echo(current)
    click.echo(valid, err=True)  # the code alone can be piped
    for line in lines:
        click.echo(line)


def _check_theme(name: str, themes: Collection[str]) -> None:
    if name not in themes:
        known = ", ".join(sorted(themes))
        raise click.ClickException(f"There is no theme {name!r}; there are {known}.")


def leave_at_once() -> None:
    """Has the signals that end the demo end it already while it starts."""

    def leave(number: int, frame: FrameType | None) -> None:
        goodbye()
        os._exit(0)  # what is imported at this moment must not see an exception

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, leave)
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)


def goodbye() -> None:
    click.echo("\n  Goodbye.")
    sys.stdout.flush()


def _settings(
    host: str | None,
    port: int | None,
    theme: str | None,
    folders: Iterable[Path],
    state_dir: Path | None,
) -> Settings:
    from tuihost.cli.demo_accounts import ADA, NEW, demo_folder
    from tuihost.settings.loading import load

    how = (
        f"To make one, log in as {NEW} with the invitation that `tuihost demo` shows. "
        f"Or log in as {ADA}: it shows her password and code, too."
    )
    overrides: dict[str, object] = {
        "server.host": host,
        "server.port": port,
        "server.theme": theme,
        "login.guests": True,
        "app.account": {"how": how},
        "app.windows": {"programs": _windows()},
        "app.tunnels": {"listen": _tunnels_address(host)},
        "apps.folders": tuple(folders) or None,
    }
    if state_dir is not None or "TUIHOST_SERVER__STATE_DIR" not in os.environ:
        folder = state_dir or demo_folder()
        overrides["server.state_dir"] = folder
        overrides["accounts.url"] = f"sqlite:///{folder / 'accounts.sqlite3'}"
    if "TUIHOST_LOGIN__GRACE" not in os.environ:
        overrides["login.grace"] = _GRACE
    return load(None, os.environ, overrides)


def _tunnels_address(host: str | None) -> str:
    """Where browsers reach people's tunnels: to a browser, `NAME.localhost` is this machine."""
    return f"[{host}]:0" if host and ":" in host else f"{host or '127.0.0.1'}:0"


def _windows() -> dict[str, str]:
    """The programs with windows that this machine has, and their command lines."""
    lines = {"xclock": "xclock -update 1", "xeyes": "xeyes"}
    return {name: line for name, line in lines.items() if shutil.which(name)}
