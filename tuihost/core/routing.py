"""Which app a session is for: `ssh host`, `ssh user+app@host`, `ssh host app args…`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection
from dataclasses import dataclass

from tuihost.core import rsync_args
from tuihost.core.familiar_words import (
    Answer,
    HostCommand,
    Instead,
    instead_of,
    key_addition,
    program_name,
)
from tuihost.wire import ExecRequest, ProgramRequest, ShellRequest, SubsystemRequest

COMMAND_LIMIT = 8192  # characters of a command line
_QUOTED = re.compile(r"""\\.|'[^']*'|"(?:\\.|[^"\\])*\"""", re.DOTALL)
_OPERATOR = re.compile(r"\|\|?|&&|<|>>?|;")


@dataclass(frozen=True, slots=True)
class OpenApp:
    """Open the app on the person's terminal, or line by line where there is none."""

    name: str


@dataclass(frozen=True, slots=True)
class RunCommand:
    """Run one of the app's commands; no words at all asks for its help."""

    app: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OpenDisplay:
    """Have the app show itself on the person's own display."""

    name: str


@dataclass(frozen=True, slots=True)
class OpenSubsystem:
    """Serve a subsystem, from whichever app declares it."""

    name: str


@dataclass(frozen=True, slots=True)
class CopyFiles:
    """The host's half of an old `scp`; `words` are what follows that name. Signs of patterns that
    were quoted are in brackets, such as `[*]`."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SyncFiles:
    """The host's half of `rsync`; `words` are what follows that name, as for `CopyFiles`."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoSuchApp:
    """No app here has that name. `asked` is false if the client did not name it: it is the app that
    opens by itself."""

    name: str
    asked: bool = True


@dataclass(frozen=True, slots=True)
class BadCommand:
    """The command line cannot be understood."""

    reason: str


Route = (
    OpenApp
    | RunCommand
    | OpenDisplay
    | OpenSubsystem
    | CopyFiles
    | SyncFiles
    | NoSuchApp
    | BadCommand
    | Answer
    | HostCommand
)


def split_user(name: str) -> tuple[str, str | None]:
    """The person and the app of `ada+notes`; a name without `+` asks for no app."""
    user, plus, target = name.rpartition("+")
    return (user, target) if plus and user and target else (name, None)


def route(
    program: ProgramRequest,
    *,
    target: str | None,
    default: str,
    apps: Collection[str],
    pty: bool,
    script: tuple[str, ...] = (),
) -> Route:
    """Where a session goes. `target` is the app in the user's name, `apps` what there is, `script`
    the command that lines without a terminal go to (`ssh host < file`)."""
    match program:
        case SubsystemRequest(name):
            return OpenSubsystem(name)
        case ExecRequest(line) if line:
            return _route_command(line, target, apps, pty)
        case ShellRequest() | ExecRequest():
            if not pty and target is None and script and script[0] in apps:
                return RunCommand(script[0], script[1:])
            name = target or default
            return OpenApp(name) if name in apps else NoSuchApp(name, asked=target is not None)


def _route_command(line: str, target: str | None, apps: Collection[str], pty: bool) -> Route:
    words = _words(line)
    if target is None and (keys := key_addition(line, apps)) is not None:
        return _familiar(keys, apps, pty)
    if isinstance(words, BadCommand):
        return words
    if target is not None:
        return _run(target, words, apps, pty)
    if not words or not words[0]:
        return BadCommand("the command line is empty")
    name, rest = words[0], words[1:]
    if name in apps:
        return _run(name, rest, apps, pty)
    match program_name(name):
        case rsync_args.RSYNC:
            return SyncFiles(_with_patterns(line)[1:])
        case "sftp-server" | "/usr/lib/openssh/sftp-server" | "/usr/libexec/openssh/sftp-server":
            return OpenSubsystem("sftp")  # `sftp -s PATH`
        case "scp":  # what its older clients ask the host to run
            return CopyFiles(_with_patterns(line)[1:])
        case _:
            meant = instead_of(words, apps)
            return NoSuchApp(name) if meant is None else _familiar(meant, apps, pty)


def _familiar(meant: Instead | Answer | HostCommand, apps: Collection[str], pty: bool) -> Route:
    """The same as if the command that is meant had been typed."""
    if isinstance(meant, Answer | HostCommand):
        return meant
    return _run(meant.app, meant.words, apps, pty)


def _run(app: str, words: tuple[str, ...], apps: Collection[str], pty: bool) -> Route:
    if app not in apps:
        return NoSuchApp(app)
    return OpenApp(app) if pty and not words else RunCommand(app, words)


def shell_operator(line: str) -> str:
    """The first sign in a command line, outside of quotes, that a shell would take for more than a
    word, such as `|`; empty if there is none. Here it is a part of a word like any other."""
    found = _OPERATOR.search(_QUOTED.sub("", line[:COMMAND_LIMIT]))
    return found[0] if found else ""


def has_shell_word(line: str) -> bool:
    """Whether such a sign is a word of its own, which is hardly ever meant as text. In what
    `ssh-copy-id` sends, all of it is understood."""
    if key_addition(line, ()) is not None:
        return False
    unquoted = _QUOTED.sub("_", line[:COMMAND_LIMIT])
    return any(map(_OPERATOR.fullmatch, unquoted.split()))


def words_for_a_shell(line: str) -> tuple[str, ...]:
    """The word that the first such sign is a part of, and all that follow: a shell would not have
    given them to the command."""
    unquoted = _QUOTED.sub("", line[:COMMAND_LIMIT])
    found = _OPERATOR.search(unquoted)
    return tuple(unquoted[unquoted.rfind(" ", 0, found.start()) + 1 :].split()) if found else ()


def _with_patterns(line: str) -> tuple[str, ...]:
    """The words of a line that can be split into words, for whatever reads patterns in them."""
    return tuple(shlex.split(_QUOTED.sub(_literal, line)))


def _literal(quoted: re.Match[str]) -> str:
    """A quoted part, in which no sign stands for anything but itself."""
    text = quoted[0]
    if text[0] == "\\":
        return f"[{text[1]}]" if text[1] in "*?[" else text
    return re.sub(r"[*?[]", r"[\g<0>]", text)


def _words(line: str) -> tuple[str, ...] | BadCommand:
    if len(line) > COMMAND_LIMIT:
        return BadCommand(f"the command line is longer than {COMMAND_LIMIT:,} characters")
    if "\0" in line:
        return BadCommand("the command line holds a NUL character")
    try:
        return tuple(shlex.split(line))
    except ValueError as error:
        return BadCommand(f"the command line cannot be split into words: {error}")
