"""The language of the shell: words, pipes, files, one line after the other. No I/O.

    notes list | grep -i soup | head -n 3 > found.txt; status now

Words are split at blanks; quotes keep them together, and `\\` makes the next character plain.
There are no variables, no patterns of file names and no loops: what cannot be said cannot go wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

MAX_STAGES = 16
OPERATORS = (">>", "&&", "||", "|", "<", ">", ";")


class Unclear(Exception):
    """A line that makes no sense; the text says why. `at` is where, in characters."""

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
    """A piece of a line. `text` is without its quotes; `start` and `end` are where it stands.
    `whole` says that a quote in it is closed."""

    kind: Kind
    text: str
    start: int
    end: int
    whole: bool = True


class When(Enum):
    """After what a pipeline runs."""

    ALWAYS = ";"
    WELL = "&&"
    BADLY = "||"


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands, each of which reads what the one before it writes. `source` and `target` are
    files; `append` adds to the target."""

    stages: tuple[tuple[str, ...], ...]
    source: str | None = None
    target: str | None = None
    append: bool = False
    when: When = When.ALWAYS


def tokens(line: str) -> Iterator[Token]:
    """The pieces of a line, for whoever colours, completes or parses it."""
    at = 0
    while at < len(line):
        if line[at].isspace():
            at += 1
        elif line[at] == "#":
            yield Token(Kind.COMMENT, line[at:], at, len(line))
            return
        elif operator := next((one for one in OPERATORS if line.startswith(one, at)), None):
            yield Token(Kind.OPERATOR, operator, at, at + len(operator))
            at += len(operator)
        else:
            token = _word(line, at)
            yield token
            at = token.end


def _word(line: str, start: int) -> Token:
    text, at, quote = "", start, ""
    while at < len(line):
        char = line[at]
        if quote:
            if char == quote:
                quote = ""
            elif char == "\\" and quote == '"' and line[at + 1 : at + 2] in ('"', "\\"):
                at += 1
                text += line[at]
            else:
                text += char
        elif char in "'\"":
            quote = char
        elif char == "\\" and at + 1 < len(line):
            at += 1
            text += line[at]
        elif char.isspace() or any(line.startswith(one, at) for one in OPERATORS):
            break
        else:
            text += char
        at += 1
    return Token(Kind.WORD, text, start, at, not quote)


def parse(line: str, aliases: Mapping[str, str] | None = None) -> list[Pipeline]:
    """The pipelines of a line, in their order. Raises `Unclear`."""
    found: list[Pipeline] = []
    when, rest = When.ALWAYS, [one for one in tokens(line) if one.kind is not Kind.COMMENT]
    while rest:
        end = next((i for i, one in enumerate(rest) if _joins(one)), len(rest))
        part, joint = rest[:end], rest[end] if end < len(rest) else None
        if part:
            found.append(_pipeline(part, when, aliases or {}))
        elif joint is not None:
            raise Unclear(f"nothing stands before {joint.text}", joint.start)
        if joint is not None and joint.text != ";" and end + 1 == len(rest):
            raise Unclear(f"nothing stands behind {joint.text}", joint.end)
        when, rest = When(joint.text) if joint else when, rest[end + 1 :]
    return found


def _joins(token: Token) -> bool:
    return token.kind is Kind.OPERATOR and token.text in (";", "&&", "||")


def _pipeline(part: list[Token], when: When, aliases: Mapping[str, str]) -> Pipeline:
    stages: list[list[str]] = [[]]
    source: str | None = None
    target: str | None = None
    append = False
    pieces = iter(part)
    for one in pieces:
        if not one.whole:
            raise Unclear("a quote is not closed", one.start)
        if one.kind is Kind.WORD:
            stages[-1].append(one.text)
            continue
        if one.text == "|":
            if not stages[-1] or one is part[-1]:
                raise Unclear("a command is missing beside |", one.start)
            stages.append([])
            continue
        name = next(pieces, None)
        if name is None or name.kind is not Kind.WORD or not name.text:
            raise Unclear(f"{one.text} needs the name of a file", one.end)
        if not name.whole:
            raise Unclear("a quote is not closed", name.start)
        if one.text == "<":
            source = name.text
        else:
            target, append = name.text, one.text == ">>"
    if not all(stages):
        raise Unclear("a command is missing", part[0].start)
    if len(stages) > MAX_STAGES:
        raise Unclear(f"more than {MAX_STAGES} commands in a row", part[0].start)
    commands = tuple(_without_alias(words, aliases) for words in stages)
    return Pipeline(commands, source, target, append, when)


def _without_alias(words: list[str], aliases: Mapping[str, str]) -> tuple[str, ...]:
    """The words with the first one replaced, once: an alias may be called like what it runs."""
    meant = aliases.get(words[0])
    if meant is None:
        return tuple(words)
    return (*(one.text for one in tokens(meant) if one.kind is Kind.WORD), *words[1:])
