"""`tuihost init`: a folder with all that a host needs."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click

from tuihost.cli.common import SETTINGS_FILE, called

_HELLO = '''\
"""The smallest app: `ssh -t -p 8022 localhost hello`."""

from tuihost import app


@app("hello")
async def hello(session):
    """Says hello."""
    name = await session.ask("Your name? ")
    await session.say(f"Hello, {name}!")
'''

_VALUES = {
    "server.state_dir": "state",
    "apps.folders": ["apps"],
    "themes.folders": ["themes"],
}


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".")
def init(folder: Path) -> None:
    """Write a settings file, a host key and a first app into FOLDER, by default this one.

    Files that exist are never overwritten.
    """
    from tuihost.settings.loading import load
    from tuihost.settings.pages import example
    from tuihost.ssh.keys.host_keys import HostKeys

    file = folder / SETTINGS_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_new(file, example(_VALUES))
        for name in ("apps", "themes"):
            (folder / name).mkdir(exist_ok=True)
        hello = folder / "apps" / "hello.py"
        if not hello.exists():
            _write_new(hello, _HELLO)
    except FileExistsError as error:
        raise click.ClickException(
            f"{error.filename} already exists, and is left as it is."
        ) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None
    key_path = load(file).server.host_keys[0]
    card = HostKeys.load_or_create(key_path).cards()[0]
    click.echo(f"Settings   {file}")
    click.echo(f"Apps       {hello.parent}{os.sep}   (hello.py is one)")
    click.echo(f"Host key   {key_path}")
    click.echo(f"           {card.sha256}")
    click.echo(f"\nNow: {called()} serve --config {shlex.quote(str(file))}")


def _write_new(path: Path, text: str) -> None:
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
