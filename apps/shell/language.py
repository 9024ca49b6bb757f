"""The language of the shell: words, pipes, files, one line after the other. No I/O.

    notes list | grep -i soup | head -n 3 > found.txt; status now

Words are split at blanks; quotes keep them together, and `\\` makes the next character plain. A
`*`, `?` or `[` without quotes makes a word a pattern of file names, read as `patterns.py` says.
There are no variables and no loops: what cannot be said cannot go wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

MAX_COMMANDS = 16
MAX_LINE = 8192
"""Characters of a line, as of a command line over SSH."""
SCREEN = {
    "open": "Open an app, and come back here afterwards",
    "clear": "Clear the shell's screen",
    "exit": "Leave the shell",
}
"""The commands that only the screen can run, and their help."""

WILDCARDS = "*?["
OPERATORS = (">>", "&&", "||", "|", "<", ">", ";")


class ParseError(Exception):
    """A line that cannot be understood; the text says why. `at` is where, in characters."""

    def __init__(self, text: str, at: int) -> None:
        super().__init__(text)
        self.at = at


class Kind(Enum):
    """What a token is."""

    WORD = "word"
    OPERATOR = "operator"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a line. `text` is without its quotes; it stands from `start` up to `end`. `whole`:
    every quote in it is closed. `wildcards` and `quoted` as in `Word`."""

    kind: Kind
    text: str
    start: int
    end: int
    whole: bool = True
    wildcards: tuple[int, ...] = ()
    quoted: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a command, without its quotes. `wildcards` says where in `text` a `*`, `?` or `[`
    stands that was not quoted: with any, the word is a pattern of file names. In that, the
    characters at `quoted` stand for themselves."""

    text: str
    wildcards: tuple[int, ...] = ()
    quoted: tuple[int, ...] = ()


class When(Enum):
    """When a pipeline runs: whatever came of the one before, if that succeeded, or if it failed."""

    ALWAYS = ";"
    SUCCEEDED = "&&"
    FAILED = "||"


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands, each of which reads what the one before it writes. `input_file` and
    `output_file` are names of files; `append` adds to the latter."""

    commands: tuple[tuple[Word, ...], ...]
    input_file: Word | None = None
    output_file: Word | None = None
    append: bool = False
    when: When = When.ALWAYS


def tokens(line: str) -> Iterator[Token]:
    """The pieces of a line, to colour, complete or parse it."""
    at = 0
    while at < len(line):
        if line[at].isspace():
            at += 1
        elif line[at] == "#":
            yield Token(Kind.COMMENT, line[at:], at, len(line))
            return
        elif operator := next((sign for sign in OPERATORS if line.startswith(sign, at)), None):
            yield Token(Kind.OPERATOR, operator, at, at + len(operator))
            at += len(operator)
        else:
            token = _word(line, at)
            yield token
            at = token.end


def _word(line: str, start: int) -> Token:
    text, at, quote, wildcards, quoted = "", start, "", [], []
    while at < len(line):
        char, plain = line[at], True
        if quote and char == quote:
            quote, char = "", ""
        elif quote:
            plain = False
            if char == "\\" and quote == '"' and line[at + 1 : at + 2] in ('"', "\\"):
                at += 1
        elif char in "'\"":
            quote, char = char, ""
        elif char == "\\" and at + 1 < len(line):
            at, plain = at + 1, False
        elif char.isspace() or line.startswith(OPERATORS, at):
            break
        elif char in WILDCARDS:
            wildcards.append(len(text))
        if char and not plain:
            char = line[at]
            quoted.append(len(text))
        text += char
        at += 1
    marks = (tuple(wildcards), tuple(quoted)) if wildcards else ((), ())
    return Token(Kind.WORD, text, start, at, not quote, *marks)


def parse(line: str, aliases: Mapping[str, str] | None = None) -> list[Pipeline]:
    """The pipelines of a line, in their order. Raises `ParseError`."""
    if len(line) > MAX_LINE:
        raise ParseError(f"a line has at most {MAX_LINE:,} characters", MAX_LINE)
    found: list[Pipeline] = []
    every = [token for token in tokens(line) if token.kind is not Kind.COMMENT]
    when, begin = When.ALWAYS, 0
    while begin < len(every):
        end = next((at for at in range(begin, len(every)) if _joins(every[at])), len(every))
        part, joint = every[begin:end], every[end] if end < len(every) else None
        if part:
            found.append(_pipeline(part, when, aliases or {}))
        elif joint is not None:
            raise ParseError(f"there is nothing before {joint.text}", joint.start)
        if joint is not None and joint.text != ";" and end + 1 == len(every):
            raise ParseError(f"there is nothing after {joint.text}", joint.end)
        when, begin = When(joint.text) if joint else when, end + 1
    return found


def _joins(token: Token) -> bool:
    return token.kind is Kind.OPERATOR and token.text in (";", "&&", "||")


def _pipeline(part: list[Token], when: When, aliases: Mapping[str, str]) -> Pipeline:
    """The pipeline that these tokens are, between one `;` and the next. Raises `ParseError`."""
    commands: list[list[Word]] = [[]]
    input_file, output_file, append = None, None, False
    rest = iter(part)
    for token in rest:
        if token.kind is Kind.WORD:
            commands[-1].append(_whole(token))
        elif token.text == "|":
            if not commands[-1] or token is part[-1]:
                raise ParseError("a command is missing next to |", token.start)
            commands.append([])
        elif token.text == "<":
            input_file = _file_name(token, next(rest, None))
        else:
            output_file, append = _file_name(token, next(rest, None)), token.text == ">>"
    if not all(commands):
        raise ParseError("a command is missing", part[0].start)
    if len(commands) > MAX_COMMANDS:
        raise ParseError(f"more than {MAX_COMMANDS} commands in a row", part[0].start)
    resolved = tuple(_without_alias(words, aliases) for words in commands)
    return Pipeline(resolved, input_file, output_file, append, when)


def _whole(token: Token) -> Word:
    if not token.whole:
        raise ParseError("a quote is not closed", token.start)
    return Word(token.text, token.wildcards, token.quoted)


def _file_name(operator: Token, token: Token | None) -> Word:
    if token is None or token.kind is not Kind.WORD or not token.text:
        raise ParseError(f"{operator.text} needs the name of a file", operator.end)
    return _whole(token)


def _without_alias(words: list[Word], aliases: Mapping[str, str]) -> tuple[Word, ...]:
    """The words with the first one replaced, once: an alias may be called like what it runs."""
    meant = aliases.get(words[0].text)
    if meant is None:
        return tuple(words)
    found = (token for token in tokens(meant) if token.kind is Kind.WORD)
    return (*(_whole(token) for token in found), *words[1:])
