"""`tuihost themes`: shows the themes, and makes themes of other programs' colour schemes."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuihost.cli.common import config_option, read_settings
from tuihost.terminal_facts import Colors, colors_of, speaks_unicode

if TYPE_CHECKING:
    from rich.text import Text

    from tuihost.theme.theme import Theme


@click.group(invoke_without_command=True)
@config_option
@click.pass_context
def themes(context: click.Context, config: Path | None) -> None:
    """List, show and import themes."""
    if context.invoked_subcommand is not None:
        return
    from tuihost.host.plugins.bundled import bundled_folder

    folders = [*read_settings(config).themes.folders, bundled_folder("themes")]
    colors, unicode, width = local_terminal()
    shown, broken = list_themes(folders, colors=colors, unicode=unicode, width=width)
    sys.stdout.buffer.write(shown)
    sys.stdout.flush()
    for problem in broken:
        click.echo(problem, err=True)
    if broken:
        context.exit(1)


@themes.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path),
    default=Path(),
    help="The file to write, or its folder; by default this one.",
)
@click.option("--scheme", help="Which one of a settings.json with several schemes.")
def import_(file: Path, out: Path, scheme: str | None) -> None:
    """Make a theme from a base16 scheme (YAML) or from one of Windows Terminal (JSON).

    Colours that are too faint to read are changed as far as WCAG AA asks; the new file says
    which.
    """
    path, moved = import_theme(file, out, scheme=scheme)
    click.echo(f"Wrote {path}.")
    if moved:
        click.echo(f"Changed to be readable: {', '.join(moved)}.")


@themes.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_context
def check(context: click.Context, file: Path) -> None:
    """Say what is wrong with a theme: mistakes, and words that are too faint to read."""
    from tuihost.theme.contrast import too_faint
    from tuihost.theme.theme import load_theme

    faint = too_faint(load_theme(file))
    for pair in faint:
        click.echo(f"{file}: {pair}")
    if faint:
        context.exit(1)
    click.echo(f"{file} is fine: every word has a contrast of at least 4.5 to 1.")


def import_theme(path: Path, out: Path, *, scheme: str | None = None) -> tuple[Path, list[str]]:
    """Writes a theme made from the scheme in `path` to `out`, a file or a folder; returns where it
    is and which colours were changed. Never overwrites. Raises `ThemeError`."""
    from tuihost.theme.schemes import convert, read_scheme
    from tuihost.theme.theme import ThemeError, valid_name

    made = convert(read_scheme(path, scheme))
    target = out / f"{made.name}.toml" if out.is_dir() else out
    if target.suffix != ".toml" or not valid_name(target.stem):
        raise ThemeError(
            [
                f"{target}: a theme's file is NAME.toml; "
                "NAME has lower-case letters, digits and '-' only"
            ]
        )
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(made.toml)
    except FileExistsError:
        raise ThemeError([f"{target}: already exists; choose another name with --out"]) from None
    except OSError as error:
        raise ThemeError([f"{target}: cannot be written: {error.strerror}"]) from None
    return target, list(made.moved)


def list_themes(
    folders: Iterable[Path], *, colors: Colors, unicode: bool, width: int
) -> tuple[bytes, tuple[str, ...]]:
    """A preview of every theme as bytes for a terminal, and a sentence for each broken one."""
    from tuihost.theme.theme import find_themes
    from tuihost.tui.layout.renderables import render_ansi

    found, broken = find_themes(folders)
    shown = b"".join(
        render_ansi(
            preview(theme, width, colors, unicode),
            width=width,
            colors=colors,
            unicode=unicode,
            theme=theme,
            inline=False,
        )
        for theme in found.values()
    )
    return shown, broken


def preview(theme: Theme, width: int, colors: Colors, unicode: bool) -> list[Text]:
    """A few lines in the looks of `theme`: its name, its emphasis, its states."""
    from rich.text import Text

    wide = max(20, min(width, 76))
    marks = {name: theme.glyph(name, unicode) for name in ("bar", "rule", "check", "warn", "cross")}

    def line(*parts: tuple[str, str], ground: str = "text") -> Text:
        text = Text.assemble(*((part, role) for part, role in parts), no_wrap=True)
        text.truncate(wide, pad=True)
        text.stylize_before(ground)
        return text

    tone = "dark" if theme.dark else "light"
    return [
        line((f" {theme.title}", "title"), (f"  {theme.name}, {tone}", "muted")),
        line((f" {theme.description}", "muted")),
        line((" " + marks["rule"] * (wide - 2) + " ", "border")),
        line(
            (f"{marks['bar']}The current row", "selection"),
            ("  and less", "selection.muted"),
            (" a match", "match.selection"),
            ground="selection",
        ),
        line(
            *(("  words  ", "text"), ("muted", "muted"), ("  ", "text"), ("accent", "accent")),
            *(("  ", "text"), ("match", "match"), ("  ", "text"), ("link", "link")),
            *(("  ", "text"), (" code ", "code"), ("  ", "text"), (" typed ", "input")),
            *(("  ", "text"), (" Button ", "button.focused")),
        ),
        line(
            *(("  ", "text"), (f"{marks['check']} well", "success")),
            *(("  ", "text"), (f"{marks['warn']} careful", "warning")),
            *(("  ", "text"), (f"{marks['cross']} wrong", "error")),
            *(("  ", "text"), ("q", "key"), (" leave", "bar")),
        ),
        Text(""),
    ]


def local_terminal() -> tuple[Colors, bool, int]:
    """The colours of this program's own terminal, whether it speaks Unicode, and its width."""
    term, width = os.environ.get("TERM", ""), shutil.get_terminal_size().columns
    unicode = speaks_unicode(term, os.environ)
    if not sys.stdout.isatty():
        return Colors.MONO, unicode, width
    return colors_of(term, os.environ), unicode, width
