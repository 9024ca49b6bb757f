"""The page for the person who starts the demo: what to type, and how to recognise the host."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterable, Sequence

from rich.text import Text

import tuihost
from tuihost.cli.demo_accounts import ADA, NEW, DemoAccounts, code_command
from tuihost.host.plugins.app_catalog import Catalog
from tuihost.phrases import counted
from tuihost.plugin import App
from tuihost.session.host_view import HostKeyCard
from tuihost.settings.models import Settings
from tuihost.wire import TcpAddress

_INDENT = 2


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
    for label, value, about in _proofs(accounts, code_command(settings)):
        line((f"{label:<11}", "dim"), (f"{value:<19}", "bold"), (f"   {about}", "dim"))
    line(("Host key   ", "dim"), key.sha256)
    line(("Inside     ", "dim"), _inside(catalog))
    line(("Open to    ", "dim"), _open_to(settings.server.host))
    line(("Stop       ", "dim"), "Ctrl-C")
    page.append("\n")
    return page


def below(page: Text, lines: Sequence[str], rows: int, wanted: bool | None, command: str) -> str:
    """The QR code, if it is wanted or fits below the page in a terminal of so many rows; otherwise
    how to see it. `command` shows the current code."""
    fits = page.plain.count("\n") + len(lines) + 1 < rows
    if wanted is False or (wanted is None and not fits):
        lines = (f"As a QR code: {command} --qr",)
    return "".join(f"{' ' * _INDENT}{line}\n" for line in lines) + "\n"


def _proofs(accounts: DemoAccounts, command: str) -> list[tuple[str, str, str]]:
    """What the demo's accounts log in with: label, value, remark."""
    lines = []
    if accounts.ada is not None:
        code, left = accounts.ada.code(time.time())
        lines.append(("Password", accounts.ada.password, f"of {ADA}"))
        lines.append(("Code", code, f"valid for {left} s; the next: {command}"))
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
    apps = [loaded.app for loaded in catalog.apps.values()]
    # As many as the menu shows to a guest.
    shown = [
        app for app in apps if not app.hidden and app.accepts.may_use(guest=True, roles=frozenset())
    ]
    parts = [counted(len(shown), "app"), counted(len(catalog.themes), "theme")]
    broken = len(catalog.broken) + len(catalog.broken_themes)
    if broken:
        parts.append(f"{broken} that could not be loaded (see tuihost apps, tuihost themes)")
    return ", ".join(parts)
