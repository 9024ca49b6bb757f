"""What an app reaches of the other apps, as the same person: their commands, and the files.

`session.reach` has it. Whatever the person may not do is not there: the host judges it as it does
for `ssh HOST APP COMMAND`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tuihost.wire import Stream

if TYPE_CHECKING:
    from tuihost.files.tree import Folders
    from tuihost.terminal_facts import TerminalFacts


@dataclass(frozen=True, slots=True)
class OptionInfo:
    """An option of a command: `flags` such as `-i` and `--ignore-case`."""

    flags: tuple[str, ...]
    help: str = ""
    takes_value: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ArgumentInfo:
    """An argument of a command; `several` takes all that is left."""

    name: str
    choices: tuple[str, ...] = ()
    several: bool = False
    required: bool = True


@dataclass(frozen=True, slots=True)
class CommandInfo:
    """One command, as completion and help need it. `help` is the first line of its docstring."""

    name: str
    help: str = ""
    options: tuple[OptionInfo, ...] = ()
    arguments: tuple[ArgumentInfo, ...] = ()


class Stdio(Protocol):
    """Where a command reads from and writes to. Its methods are called on the command's thread and
    may wait; what they raise ends the command. `Interrupted` and `Disconnected` are no mistakes."""

    @property
    def facts(self) -> TerminalFacts:
        """What its output is drawn for: width, colours, and whether a person looks at it."""

    def read(self, limit: int) -> bytes:
        """Standard input, at least one byte; b"" at its end."""

    def write(self, data: bytes, stream: Stream) -> None:
        """One of the two outputs, all of it."""

    def close(self) -> None:
        """Nothing is read or written any more, and who waits in the two is woken. Any thread."""


class Running(Protocol):
    """A command that runs on a thread of its own. Any thread."""

    def stop(self) -> None:
        """The person has had enough of it: it ends at its next read or write, or is made to."""


class OtherApps(Protocol):
    """The other apps. Thread: the app's, but for what says otherwise."""

    def apps(self) -> Mapping[str, tuple[CommandInfo, ...]]:
        """The apps that the person may open, and of each the commands that they may run."""

    def run(self, app: str, words: Sequence[str], stdio: Stdio) -> int:
        """Runs a command on this thread; its exit status (127: no such app). No words show the
        help. Raises what `ends` raise."""

    def start(
        self, app: str, words: Sequence[str], stdio: Stdio, ended: Callable[[int], None]
    ) -> Running:
        """The same on a thread of its own. `ended` is called there; 130 where it was stopped. What
        still runs when the session is over is stopped."""

    def files(self) -> Folders:
        """The files that the person sees by `sftp`."""
