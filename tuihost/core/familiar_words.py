"""Words that people type out of habit, and the command that does the same here: `ls` is `files ls`.

No I/O. An app with such a name always comes first, and the command is judged as if its own name had
been typed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

_RUNS_A_LINE = re.compile(r"-[a-z]*c$")
_TAKES_KEYS = re.compile(r"\bcat\s*>>\s*\S*(?:authorized_keys|AUTH_KEY_FILE)\b")
"""In what `ssh-copy-id` has a server run, of every version; since OpenSSH 10 by a variable."""


@dataclass(frozen=True, slots=True)
class Instead:
    """The command of an app that is meant; without words, the app itself."""

    app: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the host answers by itself: a sentence, if it is not empty, and an exit status."""

    sentence: str
    status: int


class _Keeps(Enum):
    """Which of the words behind it mean something here."""

    ALL = "all"
    LONG_OPTIONS = "those such as --json; the others say only how to show it elsewhere"
    A_SEARCH = "a folder, and a pattern after -name, as find(1) has them"
    A_LINE = "one after -c, however that is written, such as -lc"


@dataclass(frozen=True, slots=True)
class _Word:
    """`as_it_is`: the letters of options that ask for what the command does anyway."""

    command: tuple[str, ...]
    keeps: _Keeps = _Keeps.ALL
    as_it_is: str = ""


_OF_THE_SHELL = (
    "alias", "apps", "count", "echo", "grep", "head", "history", "json", "page", "sort", "tail",
    "unalias",
)  # fmt: skip
"""Commands of the shell that need no app before them: there, and so here."""

_WORDS = {
    **dict.fromkeys(("help", "man", "?"), _Word(("shell", "help"))),
    **dict.fromkeys(("ls", "dir", "ll"), _Word(("files", "ls"), as_it_is="1AFGahlp")),
    "cat": _Word(("files", "cat"), as_it_is="u"),
    **dict.fromkeys(("less", "more"), _Word(("files", "cat"), as_it_is="EFRSXer")),
    "find": _Word(("files", "find"), _Keeps.A_SEARCH),
    **{word: _Word(("files", word)) for word in ("mkdir", "mv", "rm")},
    "pwd": _Word(("files", "pwd"), _Keeps.LONG_OPTIONS),
    "du": _Word(("files", "quota"), as_it_is="abchkms"),
    **dict.fromkeys(("df", "quota"), _Word(("files", "quota"), _Keeps.LONG_OPTIONS)),
    **dict.fromkeys(("who", "w", "users"), _Word(("status", "people"), _Keeps.LONG_OPTIONS)),
    **dict.fromkeys(("top", "htop"), _Word(("status",), _Keeps.LONG_OPTIONS)),
    **dict.fromkeys(("ps", "uptime", "free"), _Word(("status", "now"), _Keeps.LONG_OPTIONS)),
    **dict.fromkeys(("whoami", "id"), _Word(("account", "whoami"), _Keeps.LONG_OPTIONS)),
    "passwd": _Word(("account",), _Keeps.LONG_OPTIONS),
    **dict.fromkeys(("sh", "bash"), _Word(("shell",), _Keeps.A_LINE)),
    **{word: _Word(("shell", word)) for word in _OF_THE_SHELL},
    "wc": _Word(("shell", "count"), as_it_is="l"),
}
_LEAVING = ("exit", "logout", "quit")
_NO_FOLDER = Answer("There is no folder to go to: each command takes the whole path.", 2)
_NO_KEYS = Answer("Keys cannot be added in this way here.", 1)
_ANSWERS = {"cd": _NO_FOLDER, "true": Answer("", 0), "false": Answer("", 1)}


def instead_of(words: Sequence[str], apps: Collection[str]) -> Instead | Answer | None:
    """What `words` mean here for somebody who may open `apps`; None if it is nothing."""
    if not words:
        return None
    name, *rest = words
    if name in _LEAVING:
        return Answer("", int(rest[0]) & 0xFF if rest and rest[0].isdecimal() else 0)
    if name in _ANSWERS:
        return _ANSWERS[name]
    found = _WORDS.get(name)
    if found is None or found.command[0] not in apps:
        return None
    app, *command = found.command
    return Instead(app, (*command, *_kept(rest, found)))


def key_addition(line: str, apps: Collection[str]) -> Instead | Answer | None:
    """The same for a whole command line of `ssh-copy-id`, which writes keys to a file that is not
    there; None for any other line."""
    if not _TAKES_KEYS.search(line):
        return None
    return Instead("account", ("add-key",)) if "account" in apps else _NO_KEYS


def familiar_words(apps: Collection[str]) -> Iterator[tuple[str, str]]:
    """Each word that means something, and the command that it leads to; that is empty if the host
    itself answers."""
    yield from dict.fromkeys((*_LEAVING, *_ANSWERS), "").items()
    for name, word in _WORDS.items():
        if word.command[0] in apps:
            yield name, " ".join(word.command)


def _kept(words: Sequence[str], known: _Word) -> tuple[str, ...]:
    match known.keeps:
        case _Keeps.ALL:
            return tuple(_without_letters(words, known.as_it_is))
        case _Keeps.A_SEARCH:
            return _search(words)
        case _Keeps.LONG_OPTIONS:
            return tuple(word for word in words if word.startswith("--"))
        case _Keeps.A_LINE:
            before = next((at for at, word in enumerate(words) if _RUNS_A_LINE.match(word)), None)
            return () if before is None else ("-c", *words[before + 1 :][:1])


def _without_letters(words: Sequence[str], letters: str) -> Iterator[str]:
    """The words without these letters of options; the others stay, for the command to refuse."""
    for number, word in enumerate(words):
        if word == "--":
            yield from words[number:]
            return
        if not letters or len(word) < 2 or word[0] != "-" or word[1] == "-":
            yield word
        elif left := "".join(letter for letter in word[1:] if letter not in letters):
            yield f"-{left}"


def _search(words: Sequence[str]) -> tuple[str, ...]:
    """`. -name '*.txt'` as the pattern and the folder; anything else as it is."""
    match tuple(words):
        case ("-name" | "-iname", pattern):
            return (pattern,)
        case (folder, "-name" | "-iname", pattern):
            return pattern, folder
        case as_they_are:
            return as_they_are
