"""`tuihost demo`: a host that anyone on this machine may enter."""

from __future__ import annotations

import ipaddress
import os
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import click
import platformdirs
from rich.console import Console
from rich.text import Text

import tuihost
from tuihost.cli.common import called
from tuihost.cli.demo_accounts import ADA, NEW, DemoAccounts, current_code, picture, prepare
from tuihost.cli.serving import bind, open_log, serve_until_told
from tuihost.host.plugins.app_catalog import Catalog
from tuihost.phrases import counted
from tuihost.plugin import App
from tuihost.session.host_view import HostKeyCard
from tuihost.settings.loading import load
from tuihost.settings.models import Settings
from tuihost.wire import TcpAddress

_INDENT = 2
_HOW = (
    f"To make one, log in as {NEW} with the invitation that `tuihost demo` shows. "
    f"Or log in as {ADA}: it shows her password and code, too."
)
"""What guests read in the app `account`."""
_GRACE = 180.0
"""Seconds for a login: people who see it for the first time read before they type."""


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
    verbose: bool,
    qr: bool | None,
    code: bool,
) -> None:
    """Start a host that anyone on this machine may enter as a guest.

    It has an account, ada, with a password and a second factor, and an invitation for somebody
    new. Its host key is kept, so ssh asks about it only the first time. Ctrl-C stops it.
    """
    settings = _settings(host, port, theme, folders)
    if code:
        for line in current_code(settings, with_picture=bool(qr)):
            click.echo(line)
        return
    log = open_log(settings, "info" if verbose else "warning")
    catalog = Catalog.load(settings, log=log)
    if settings.server.theme not in catalog.themes:
        known = ", ".join(sorted(catalog.themes))
        raise click.ClickException(
            f"There is no theme {settings.server.theme!r}; there are {known}."
        )
    accounts = prepare(settings)
    server = bind(settings, catalog, log)
    page = start_page(settings, catalog, server.address, server.keys.cards()[0], accounts)
    console = Console(highlight=False, soft_wrap=True)
    if accounts.ada is not None:
        rows = console.height if console.is_terminal else 0
        page.append(below(page, picture(accounts.ada, settings), rows, qr))
    console.print(page, end="")
    serve_until_told(server)
    click.echo("\n  Goodbye.")


def _settings(
    host: str | None, port: int | None, theme: str | None, folders: Iterable[Path]
) -> Settings:
    overrides: dict[str, object] = {
        "server.host": host,
        "server.port": port,
        "server.theme": theme,
        "login.guests": True,
        "app.account": {"how": _HOW},
        "app.windows": {"programs": _windows()},
        "app.tunnels": {"listen": _tunnels_address(host)},
        "apps.folders": tuple(folders) or None,
    }
    if "TUIHOST_SERVER__STATE_DIR" not in os.environ:
        # Apart from a real host: a demo's key must not be able to pass for the real host's.
        folder = platformdirs.user_state_path("tuihost") / "demo"
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


def start_page(
    settings: Settings,
    catalog: Catalog,
    address: TcpAddress,
    key: HostKeyCard,
    accounts: DemoAccounts,
) -> Text:
    """The page for the person who started the demo: what to type, and how to recognise the host."""
    page = Text()

    def line(*parts: str | tuple[str, str]) -> None:
        page.append(" " * _INDENT)
        for part in parts:
            page.append(*((part,) if isinstance(part, str) else part))
        page.append("\n")

    page.append("\n")
    line((f"tuihost {tuihost.__version__}", "bold"), (f"  listening on {address}", "dim"))
    page.append("\n")
    line("Type in another terminal:")
    page.append("\n")
    ways = _ways(settings, catalog, accounts, address.host, address.port)
    width = max(len(typed) for typed, _ in ways)
    for typed, what in ways:
        line("  ", (f"{typed:<{width}}", "bold cyan"), (f"   {what}", "dim"))
    page.append("\n")
    for label, value, about in _proofs(accounts):
        line((f"{label:<11}", "dim"), (f"{value:<19}", "bold"), (f"   {about}", "dim"))
    line(("Host key   ", "dim"), key.sha256)
    line(("Inside     ", "dim"), _inside(catalog))
    line(("Open to    ", "dim"), _open_to(settings.server.host))
    line(("Stop       ", "dim"), "Ctrl-C")
    page.append("\n")
    return page


def below(page: Text, lines: Sequence[str], rows: int, wanted: bool | None) -> str:
    """The QR code, if it is wanted or fits below the page in a terminal of so many rows; otherwise
    how to see it."""
    fits = page.plain.count("\n") + len(lines) + 1 < rows
    if wanted is False or (wanted is None and not fits):
        lines = (f"As a QR code: {called()} demo --code --qr",)
    return "".join(f"{' ' * _INDENT}{line}\n" for line in lines) + "\n"


def _proofs(accounts: DemoAccounts) -> list[tuple[str, str, str]]:
    """What the demo's accounts log in with: label, value, remark."""
    lines = []
    if accounts.ada is not None:
        code, left = accounts.ada.code(time.time())
        lines.append(("Password", accounts.ada.password, f"of {ADA}"))
        lines.append(("Code", code, f"valid for {left} s; the next: {called()} demo --code"))
    if accounts.invitation is not None:
        lines.append(("Invitation", accounts.invitation, "works once"))
    return lines


def _ways(
    settings: Settings, catalog: Catalog, accounts: DemoAccounts, address: str, port: int
) -> list[tuple[str, str]]:
    """Command lines for what is really there, and what each leads to."""
    option, name = f"-p {port} " if port != 22 else "", _reachable(address)
    at = f"{option}{name}"
    default = settings.server.default_app
    ways = [(f"ssh {at}", "the menu" if default == "menu" else default)]
    apps = [loaded.app for name, loaded in catalog.apps.items() if name != default]
    if screen := _first(apps, "notes", lambda app: app.has_screen or app.has_talk):
        ways.append((f"ssh -t {at} {screen.name}", f"{screen.title}, directly"))
    if tool := _first(apps, "status", lambda app: bool(app.command_methods())):
        ways.append((f"ssh {at} {tool.name}", f"{tool.title}, as a command"))
    if accounts.ada is not None:
        ways.append((f"ssh {option}{ADA}@{name}", "an account, with password and code"))
    if accounts.invitation is not None:
        ways.append((f"ssh {option}{NEW}@{name}", "make your own account, with an invitation"))
    return ways


def _first(apps: Iterable[App], favourite: str, fits: Callable[[App], bool]) -> App | None:
    fitting = [app for app in apps if fits(app) and not app.hidden]
    return min(fitting, key=lambda app: (app.name != favourite, app.order, app.name), default=None)


def _reachable(address: str) -> str:
    """What to type for `address`: `localhost` if it is this machine."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    return "localhost" if ip.is_loopback or ip.is_unspecified else address


def _open_to(host: str) -> str:
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
        parts.append(f"{broken} that could not be loaded (see tuihost apps, tuihost themes)")
    return ", ".join(parts)
