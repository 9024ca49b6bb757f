"""What may be typed next, and what each part of a line is: completion and colours."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.lexers import Lexer

from tuihost import CommandInfo, FileError, FileTree, names_of

from .language import Kind, Token, tokens

SCREEN = {
    "open": "Open an app; back here afterwards",
    "clear": "Forget what is on the screen",
    "exit": "Leave the shell",
}
"""What only the screen can do, and what for."""

FILTERS = ("grep", "head", "tail", "sort", "count", "json", "page")
"""What is made for standing behind a `|`, and is offered there first."""

MAX_FILES = 200


class Known:
    """The commands that there are for one person."""

    def __init__(
        self,
        apps: Mapping[str, Sequence[CommandInfo]],
        own: Collection[str],
        shell: str,
        aliases: Callable[[], Mapping[str, str]],
        files: Callable[[], FileTree],
    ) -> None:
        self.apps = {name: {one.name: one for one in found} for name, found in apps.items()}
        self.own = {name: one for name, one in self.apps[shell].items() if name in own}
        self.aliases = aliases
        self.files = files

    def starts(self) -> dict[str, str]:
        """What a command may begin with, and what it is."""
        apps = dict.fromkeys(self.apps, "app")
        own = {name: one.help for name, one in self.own.items()}
        aliases = {name: f"alias: {meant}" for name, meant in self.aliases().items()}
        return {**apps, **SCREEN, **own, **aliases}

    def command(self, words: Sequence[str]) -> tuple[CommandInfo | None, int]:
        """The command that `words` begin with, and how many of them name it."""
        if not words:
            return None, 0
        if words[0] in self.own:
            return self.own[words[0]], 1
        if len(words) > 1 and words[0] in self.apps:
            return self.apps[words[0]].get(words[1]), 2
        return None, 1


class ShellCompleter(Completer):
    """Completes commands, options, choices and files."""

    def __init__(self, known: Known) -> None:
        self._known = known

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        before, part = _at_cursor(document.text_before_cursor)
        if before is None:
            return
        typed = part.text if part is not None else ""
        back = -(part.end - part.start) if part is not None else 0
        for text, meta in self._candidates(before, typed):
            if text.startswith(typed) and text != typed:
                yield Completion(_typed(text), back, display=text, display_meta=meta)

    def _candidates(self, before: list[Token], typed: str) -> Iterator[tuple[str, str]]:
        known = self._known
        words = _stage(before)
        if before and before[-1].kind is Kind.OPERATOR and before[-1].text in ("<", ">", ">>"):
            yield from self._files(typed)
        elif not words:
            starts = known.starts()
            if before and before[-1].text == "|":
                yield from ((name, starts[name]) for name in FILTERS)
                starts = {name: meta for name, meta in starts.items() if name not in FILTERS}
            yield from sorted(starts.items())
        elif words == ["open"]:
            yield from ((name, "") for name in known.apps)
        elif words[0] == "help":
            yield from self._after_help(words[1:])
        elif len(words) == 1 and words[0] in known.apps and words[0] not in known.own:
            yield from ((name, one.help) for name, one in known.apps[words[0]].items())
        else:
            yield from self._parameters(words, typed)

    def _after_help(self, words: list[str]) -> Iterator[tuple[str, str]]:
        known = self._known
        if not words:
            yield from ((name, "") for name in (*known.apps, *known.own))
        elif len(words) == 1 and words[0] in known.apps:
            yield from ((name, one.help) for name, one in known.apps[words[0]].items())

    def _parameters(self, words: list[str], typed: str) -> Iterator[tuple[str, str]]:
        command, named = self._known.command(words)
        if command is None:
            return
        last = next((one for one in command.options if words[-1] in one.flags), None)
        if last is not None and last.takes_value:
            yield from ((choice, "") for choice in last.choices)
            return
        if typed.startswith("-"):
            for option in command.options:
                yield from ((flag, option.help) for flag in option.flags)
            yield "--help", "How it is used"
            return
        given = sum(not word.startswith("-") for word in words[named:])
        if command.arguments:
            argument = command.arguments[min(given, len(command.arguments) - 1)]
            yield from ((choice, "") for choice in argument.choices)
            if "path" in argument.name:
                yield from self._files(typed)

    def _files(self, typed: str) -> Iterator[tuple[str, str]]:
        tree = self._known.files()
        folder, slash, _ = typed.rpartition("/")
        try:
            found = list(tree.list(names_of(folder + slash, tree.home) if slash else tree.home))
        except FileError:
            return
        for one in found[:MAX_FILES]:
            yield f"{folder}{slash}{one.name}{'/' if one.folder else ''}", ""


class ShellLexer(Lexer):
    """Colours a line by what its parts are."""

    def __init__(self, known: Known) -> None:
        self._known = known

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        def line(number: int) -> StyleAndTextTuples:
            return self.coloured(document.lines[number])

        return line

    def coloured(self, text: str) -> StyleAndTextTuples:
        """The line as it is shown."""
        starts, shown = self._known.starts(), []
        at, first, file = 0, True, False
        for one in tokens(text):
            if one.start > at:
                shown.append(("", text[at : one.start]))
            style = _style(one, first, file, starts)
            shown.append((style, text[one.start : one.end]))
            at = one.end
            file = one.kind is Kind.OPERATOR and one.text in ("<", ">", ">>")
            first = first and one.kind is Kind.OPERATOR if file else one.kind is Kind.OPERATOR
        shown.append(("", text[at:]))
        return [*shown]


def _style(token: Token, first: bool, file: bool, starts: Mapping[str, Any]) -> str:
    match token.kind:
        case Kind.COMMENT:
            return "class:muted"
        case Kind.OPERATOR:
            return "class:key"
        case _ if not token.whole:
            return "class:warning"
        case _ if first and not file:
            return "class:accent" if token.text in starts else "class:error"
        case _ if token.text.startswith("-"):
            return "class:muted"
    return ""


def _at_cursor(text: str) -> tuple[list[Token] | None, Token | None]:
    """The tokens before the one that is being typed, and that one; None where nothing can be."""
    found = list(tokens(text))
    if found and found[-1].kind is Kind.COMMENT:
        return None, None
    if found and found[-1].kind is Kind.WORD and found[-1].end == len(text):
        return found[:-1], found[-1]
    return found, None


def _stage(before: Sequence[Token]) -> list[str]:
    """The words of the command that is being typed."""
    words: list[str] = []
    file = False
    for one in before:
        if one.kind is Kind.OPERATOR:
            file = one.text in ("<", ">", ">>")
            if not file:
                words = []
        elif file:
            file = False
        else:
            words.append(one.text)
    return words


def _typed(text: str) -> str:
    """The word as it has to be typed."""
    return "".join(f"\\{char}" if char in " \t'\"\\|<>;&#" else char for char in text)
