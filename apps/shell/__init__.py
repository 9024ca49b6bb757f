"""A command line for everything that the apps can do.

notes list | grep -i soup | head -n 3 > found.txt
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

from rich.table import Table
from rich.text import Text

from tuihost import App, Session, Short, clean, command, date_time

from .command_stdio import CommandInput, CommandOutput
from .filters import Filters
from .language import MAX_LINE, SCREEN, ParseError, parse
from .remembered import aliases_of, keep_aliases, problem_with_alias, typed_lines
from .running import CannotRun, RunningPipeline, call_of, sentence, should_run

if TYPE_CHECKING:
    from prompt_toolkit.application import Application

    from tuihost import CommandInfo

UNCLEAR, NOT_HERE = 2, 69
MAX_BYTES = 4 * MAX_LINE  # in UTF-8
SILENCE = 1.0
"""Seconds without input after which somebody types, rather than a program that sends lines."""
GREETING = "type a command; help lists them, and exit leaves."
WIDE = 60  # columns that are enough to have the help of all apps begin in the same one
LEAVING = ("exit", "quit", "logout")
MAX_DIGITS = 9  # of an exit status: of thousands Python makes no number
HOW = (
    "Try `help notes add`, or `notes add --help`. The command after a | reads the output of the "
    "one before it. > writes to one of your files, and < reads one; *.txt stands for every file "
    "that fits. The shell's screen also has `open`, `clear` and `exit`."
)


class Shell(Filters, App):
    """A command line for everything that the apps can do."""

    name = "shell"
    title = "Shell"
    description = "A command line for everything here"
    group = "Everyday"
    icon = "❯"
    order = 60
    known_options = ()
    default_command = "script"

    @cached_property
    def builtins(self) -> frozenset[str]:
        """The shell's own commands, which need no app before them."""
        return frozenset(self.command_methods()) - {"-c", "script"}

    def build(self, session: Session) -> Application[Any]:
        from .screen import ShellScreen

        return ShellScreen(session, self.builtins).app

    async def talk(self, session: Session) -> int:
        target = session.ssh_target
        await session.say(
            "This terminal cannot show the shell's screen. Its commands work without one, too: "
            f"ssh -T {target}"
        )
        return NOT_HERE

    # ------------------------------------------------------------------ lines to run

    @command(name="-c")
    def run_line(self, session: Session, line: str) -> int:
        """Run one line as if you had typed it."""
        return self._run(session, line, stdin=CommandInput(session))

    @command
    def script(self, session: Session) -> int:
        """Run every line of standard input; `exit` ends it. A person who says nothing at first is
        greeted, and prompted for each line."""
        status, typing = 0, not session.readable(SILENCE)
        if typing:
            _prompt(session, f"{session.host.name}: {GREETING}\n")
        for line in self._lines(session):
            words = line.split()
            if words and words[0] in LEAVING:
                return _status_of(words[1:], status)
            status = self._run(session, line) if words else status
            if typing:
                _prompt(session)
        if typing:
            session.write_error(b"\n")  # the input ended behind a prompt
        return status

    def _lines(self, session: Session) -> Iterator[str]:
        """The lines of standard input. One that is too long is refused; no part of it is a line."""
        rest, begins, refused = b"", True, False
        while chunk := session.read():
            *full, rest = (rest + chunk).split(b"\n")
            for line in full:
                if not refused:
                    yield _decoded(line, begins=begins)
                begins = refused = False
            if len(rest) > MAX_BYTES:
                if not refused:
                    session.error(f"A line has at most {MAX_LINE:,} characters.")
                rest, refused = b"", True
        if rest and not refused:
            yield _decoded(rest, begins=begins)

    def _run(self, session: Session, line: str, stdin: CommandInput | None = None) -> int:
        other_apps, output, status = session.other_apps, CommandOutput(session), 0
        assert other_apps is not None, "the host gives every app the others"
        try:
            pipelines = parse(line, aliases_of(session))
        except ParseError as error:
            session.error(sentence(error))
            return UNCLEAR
        for pipeline in pipelines:
            if not should_run(pipeline.when, status):
                continue
            try:
                running = RunningPipeline(other_apps, pipeline, self.builtins, output, stdin)
                status = running.run()
            except CannotRun as error:
                session.error(str(error))
                status = 1
        return status

    # ------------------------------------------------------------------ its own commands

    @command
    def apps(self, session: Session) -> None:
        """List the apps, and what they are for."""
        table = Table(box=None, pad_edge=False, show_header=False)
        for card in session.host.apps(session.account):
            if card.broken is None:
                table.add_row(card.name, clean(card.description))
        session.print(table)

    @command
    def help(self, session: Session, *words: str) -> int:
        """List every command, or show how to use one: `help notes add`."""
        other_apps = session.other_apps
        assert other_apps is not None, "the host gives every app the others"
        if len(words) == 1 and words[0] in SCREEN:
            session.print(f"{words[0]}: {SCREEN[words[0]]}")
            return 0
        if words:
            call = call_of(words, self.builtins)
            return other_apps.run(call.app, (*call.words, "--help"), CommandOutput(session))
        columns = session.terminal.size.columns
        for name, found in other_apps.apps().items():
            if name != self.name and found:
                session.print(_commands(name, found, columns))
        mine = [each for each in other_apps.apps()[self.name] if each.name in self.builtins]
        session.print(_commands("", mine, columns))
        session.print(Text(HOW))
        return 0

    @command
    def echo(
        self,
        session: Session,
        *words: str,
        no_newline: Annotated[
            bool, Short("n"), "Do not end the line, except on a terminal."
        ] = False,
    ) -> None:
        """Print the words."""
        if session.terminal.pty:
            session.print(" ".join(words))
        else:
            end = b"" if no_newline else b"\n"
            session.write(" ".join(words).encode(errors="surrogateescape") + end)

    @command
    def date(self, session: Session) -> None:
        """Show the date and the time, in UTC."""
        session.print(f"{date_time(session.host.now())} UTC")

    @command
    def alias(self, session: Session, name: str = "", *words: str) -> int:
        """List your aliases, or make NAME stand for the words: `alias ll notes list`."""
        aliases = aliases_of(session)
        if not name:
            for each, meant in sorted(aliases.items()):
                session.print(f"{each}  {meant}")
            return 0
        if not words:
            if name not in aliases:
                session.error(f"There is no alias {clean(name, limit=40)}.")
                return 1
            session.print(aliases[name])
            return 0
        meant = " ".join(_quoted(word) for word in words)
        if problem := problem_with_alias(name, meant, aliases):
            session.error(problem)
            return 1
        keep_aliases(session, {**aliases, name: meant})
        return 0

    @command
    def unalias(self, session: Session, name: str) -> int:
        """Remove an alias."""
        aliases = aliases_of(session)
        if aliases.pop(name, None) is None:
            session.error(f"There is no alias {clean(name, limit=40)}.")
            return 1
        keep_aliases(session, aliases)
        return 0

    @command
    def history(self, session: Session) -> None:
        """Show what you have typed here, latest last."""
        for line in typed_lines(session):
            session.print(line)


def _decoded(line: bytes, *, begins: bool) -> str:
    """A line of input as text; at the beginning, a byte order mark is none."""
    text = line.removesuffix(b"\r").decode("utf-8", "replace")
    return text.removeprefix("\ufeff") if begins else text


def _prompt(session: Session, above: str = "") -> None:
    """Asks for the next line, on standard error: standard output is for what commands write."""
    session.write_error(f"{clean(above, lines=True)}> ".encode())


def _commands(name: str, found: Sequence[CommandInfo], columns: int) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    # rich cuts the second column where the least width of the first leaves too little.
    table.add_column(min_width=20 if columns >= WIDE else None)
    for each in found:
        table.add_row(f"{name} {each.name}".strip(), each.help)
    return table


def _status_of(words: Sequence[str], status: int) -> int:
    """The status that the words behind `exit` give; `status` if they give none."""
    given = bool(words) and words[0].isdecimal() and len(words[0]) <= MAX_DIGITS
    return int(words[0]) & 0xFF if given else status


def _quoted(word: str) -> str:
    """The word in quotes, if it needs them to stay one word."""
    plain = word and all(char.isalnum() or char in "-_./:=@%+," for char in word)
    return word if plain else "'" + word.replace("'", "'\\''") + "'"


app = Shell()
