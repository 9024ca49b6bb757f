"""`tuihost demo`: a host on this machine that anyone here may enter, in one line."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import click
import platformdirs
from rich.console import Console
from rich.text import Text

import tuihost
from tuihost.app import App
from tuihost.cli.common import bind, counted, open_log, serve_until_told
from tuihost.host.catalog import Catalog
from tuihost.session import HostKeyCard
from tuihost.settings import Settings, load

_INDENT = 2


@click.command()
@click.option("--host", help="Address to listen on; 127.0.0.1 if left out.")
@click.option("--port", "-p", type=click.IntRange(0, 65535), help="Port; 8022 if left out.")
@click.option("--theme", help="The theme of who has not chosen one; `tuihost themes` lists them.")
@click.option(
    "--apps",
    "folders",
    type=click.Path(path_type=Path, exists=True, file_okay=False, resolve_path=True),
    multiple=True,
    help="A folder of apps of your own; may be given more than once.",
)
@click.option("--verbose", "-v", is_flag=True, help="Log who comes and goes.")
def demo(
    host: str | None, port: int | None, theme: str | None, folders: tuple[Path, ...], verbose: bool
) -> None:
    """Start a host that anyone on this machine may enter as a guest.

    Its host key is kept, so that ssh asks about it only the first time. Ctrl-C stops it.
    """
    settings = _settings(host, port, theme, folders)
    log = open_log(settings, "info" if verbose else "warning")
    catalog = Catalog.load(settings, log=log)
    if settings.server.theme not in catalog.themes:
        known = ", ".join(sorted(catalog.themes))
        raise click.ClickException(
            f"There is no theme {settings.server.theme!r}; there are {known}."
        )
    server = bind(settings, catalog, log)
    page = start_page(settings, catalog, server.address, server.keys.cards()[0])
    Console(highlight=False, soft_wrap=True).print(page, end="")
    serve_until_told(server)
    click.echo("\n  Good-bye.")


def _settings(
    host: str | None, port: int | None, theme: str | None, folders: Iterable[Path]
) -> Settings:
    overrides: dict[str, object] = {
        "server.host": host,
        "server.port": port,
        "server.theme": theme,
        "login.guests": True,
        "apps.folders": tuple(folders) or None,
    }
    if "TUIHOST_SERVER__STATE_DIR" not in os.environ:
        # Apart from a host that is run in earnest: a demo's key must not be able to pass for it.
        overrides["server.state_dir"] = platformdirs.user_state_path("tuihost") / "demo"
    return load(None, os.environ, overrides)


def start_page(
    settings: Settings, catalog: Catalog, where: tuple[str, int], key: HostKeyCard
) -> Text:
    """What the person who started the demo reads: what to type, and how to know the host."""
    address, port = where
    page = Text()

    def line(*parts: str | tuple[str, str]) -> None:
        page.append(" " * _INDENT)
        for part in parts:
            page.append(*((part,) if isinstance(part, str) else part))
        page.append("\n")

    page.append("\n")
    line((f"tuihost {tuihost.__version__}", "bold"), (f"  listening on {address}:{port}", "dim"))
    page.append("\n")
    line("Type in another terminal:")
    page.append("\n")
    ways = _ways(settings, catalog, address, port)
    width = max(len(typed) for typed, _ in ways)
    for typed, what in ways:
        line("  ", (f"{typed:<{width}}", "bold cyan"), (f"   {what}", "dim"))
    page.append("\n")
    line(("Host key   ", "dim"), key.sha256)
    line(("Inside     ", "dim"), _inside(catalog))
    line(("Who        ", "dim"), _who(settings.server.host))
    line(("Stop       ", "dim"), "Ctrl-C")
    page.append("\n")
    return page


def _ways(settings: Settings, catalog: Catalog, address: str, port: int) -> list[tuple[str, str]]:
    """Lines to type, each for something that is really there."""
    at = f"-p {port} {_reachable(address)}" if port != 22 else _reachable(address)
    default = settings.server.default_app
    ways = [(f"ssh {at}", "the menu" if default == "menu" else default)]
    apps = [one.app for name, one in catalog.apps.items() if name != default]
    if screen := _first(apps, "notes", lambda app: app.has_screen or app.has_talk):
        ways.append((f"ssh -t {at} {screen.name}", f"{screen.title}, at once"))
    if tool := _first(apps, "status", lambda app: bool(app.command_methods())):
        ways.append((f"ssh {at} {tool.name}", f"{tool.title}, as a command"))
    return ways


def _first(apps: Iterable[App], favourite: str, fits: Callable[[App], bool]) -> App | None:
    fitting = [app for app in apps if fits(app) and not app.hidden]
    return min(fitting, key=lambda app: (app.name != favourite, app.order, app.name), default=None)


def _reachable(address: str) -> str:
    """What to type for `address`: this machine's own name for itself, where that will do."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    return "localhost" if ip.is_loopback or ip.is_unspecified else address


def _who(host: str) -> str:
    try:
        local = host == "localhost" or ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        local = False
    if local:
        return "anyone on this machine, as a guest"
    return "ANYONE who can reach this machine, as a guest, without a password"


def _inside(catalog: Catalog) -> str:
    parts = [counted(len(catalog.apps), "app"), counted(len(catalog.themes), "theme")]
    broken = len(catalog.broken) + len(catalog.broken_themes)
    if broken:
        parts.append(f"{broken} that could not be loaded (tuihost apps, tuihost themes)")
    return ", ".join(parts)
