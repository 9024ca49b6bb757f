"""A command line over everything that the apps can do.

notes list | grep -i soup | head -n 3 > found.txt
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rich.table import Table

from tuihost import App, FileError, Session, clean, command

from .engine import Line, call_of, runs, sentence
from .filters import Filters
from .language import Unclear, parse
from .outlets import CommandOutlet, Given
from .own import MAX_ALIAS, MAX_ALIASES, aliases_of, keep_aliases, typed_lines

if TYPE_CHECKING:
    from prompt_toolkit.application import Application

    from tuihost import CommandInfo

UNCLEAR, NOT_HERE = 2, 69
HOW = (
    "`help notes add` says how one is used. What stands behind | reads what is before it; "
    "> writes to a file of yours, < reads one."
)


class Shell(Filters, App):
    """A command line over everything that the apps can do."""

    name = "shell"
    title = "Shell"
    description = "A command line over everything here"
    group = "Everyday"
    icon = "❯"
    order = 60

    @cached_property
    def own(self) -> frozenset[str]:
        """The commands that need no app before them."""
        return frozenset(self.command_methods()) - {"-c", "script"}

    def build(self, session: Session) -> Application[Any]:
        from .screen import ShellScreen

        return ShellScreen(session, self.own).app

    async def talk(self, session: Session) -> int:
        await session.say("The shell needs a terminal, or lines to run: ssh HOST < FILE")
        return NOT_HERE

    # ------------------------------------------------------------------ lines to run

    @command(name="-c")
    def run_line(self, session: Session, line: str) -> int:
        """Run one line, as it would be typed."""
        return self._run(session, line, reads=True)

    @command
    def script(self, session: Session) -> int:
        """Run every line of standard input; `exit` ends it."""
        status = 0
        for line in session.lines():
            words = line.split()
            if words[:1] == ["exit"]:
                return int(words[1]) if words[1:] and words[1].isdecimal() else status
            status = self._run(session, line, reads=False) if words else status
        return status

    def _run(self, session: Session, line: str, *, reads: bool) -> int:
        other_apps, outlet, status = session.other_apps, CommandOutlet(session), 0
        assert other_apps is not None, "there are apps around"
        try:
            pipelines = parse(line, aliases_of(session))
        except Unclear as error:
            session.error(sentence(error))
            return UNCLEAR
        for pipeline in pipelines:
            if not runs(pipeline.when, status):
                continue
            try:
                given = Given(session) if reads else None
                status = Line(other_apps, pipeline, self.own, outlet, given).run()
            except FileError as error:
                session.error(sentence(error))
                status = 1
        return status

    # ------------------------------------------------------------------ its own commands

    @command
    def apps(self, session: Session) -> None:
        """The apps that there are, and what they are for."""
        table = Table(box=None, pad_edge=False, show_header=False)
        for card in session.host.apps(session.account):
            if card.broken is None:
                table.add_row(card.name, clean(card.description))
        session.print(table)

    @command
    def help(self, session: Session, *words: str) -> int:
        """What there is, or how one of it is used: `help notes add`."""
        other_apps = session.other_apps
        assert other_apps is not None, "there are apps around"
        if words:
            call = call_of(words, self.own)
            return other_apps.run(call.app, (*call.words, "--help"), CommandOutlet(session))
        for name, found in other_apps.apps().items():
            if name != self.name and found:
                session.print(_commands(name, found))
        session.print(
            _commands("", [one for one in other_apps.apps()[self.name] if one.name in self.own])
        )
        session.print(
            "Try `help notes add`, or `notes add --help`. What stands behind | reads what"
        )
        session.print("is before it; > writes to a file of yours, < reads one.")
        return 0

    @command
    def echo(self, session: Session, *words: str) -> None:
        """Say the words."""
        session.print(" ".join(words))

    @command
    def alias(self, session: Session, name: str = "", *words: str) -> int:
        """List your aliases; or call the words NAME from now on: `alias ll notes list`."""
        aliases = aliases_of(session)
        if not name:
            for one, meant in sorted(aliases.items()):
                session.print(f"{one}  {meant}")
            return 0
        if not words:
            if name not in aliases:
                session.error(f"There is no alias {clean(name, limit=40)}.")
                return 1
            session.print(aliases[name])
            return 0
        meant = " ".join(_quoted(word) for word in words)
        if len(aliases) >= MAX_ALIASES or len(meant) > MAX_ALIAS or not name.isprintable():
            session.error("That is too much for an alias.")
            return 1
        keep_aliases(session, {**aliases, name: meant})
        return 0

    @command
    def unalias(self, session: Session, name: str) -> int:
        """Forget an alias."""
        aliases = aliases_of(session)
        if aliases.pop(name, None) is None:
            session.error(f"There is no alias {clean(name, limit=40)}.")
            return 1
        keep_aliases(session, aliases)
        return 0

    @command
    def history(self, session: Session) -> None:
        """What you have typed here, the latest last."""
        for line in typed_lines(session):
            session.print(line)


def _commands(name: str, found: Sequence[CommandInfo]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(min_width=20)
    for one in found:
        table.add_row(f"{name} {one.name}".strip(), one.help)
    return table


def _quoted(word: str) -> str:
    """As it has to be typed to be one word again."""
    plain = word and all(char.isalnum() or char in "-_./:=@%+," for char in word)
    return word if plain else "'" + word.replace("'", "'\\''") + "'"


app = Shell()
