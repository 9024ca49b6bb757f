"""What may be typed next, and the colours of what is typed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.lexers import Lexer

from tuihost import CommandInfo, FileError, FileTree, names_in

from .language import SCREEN, Kind, Token, tokens
from .patterns import as_a_path

FILTERS = ("grep", "head", "tail", "sort", "count", "json", "page")
"""The commands that are made to stand after a `|`, and are offered there first."""

REDIRECTIONS = ("<", ">", ">>")
MAX_FILES = 200


class KnownCommands:
    """The commands that one person may run."""

    def __init__(
        self,
        apps: Mapping[str, Sequence[CommandInfo]],
        builtins: Collection[str],
        shell: str,
        aliases: Callable[[], Mapping[str, str]],
        files: Callable[[], FileTree],
        familiar: Mapping[str, str],
    ) -> None:
        self.apps = {
            app: {command.name: command for command in commands} for app, commands in apps.items()
        }
        self.builtins = {
            name: command for name, command in self.apps[shell].items() if name in builtins
        }
        self.aliases = aliases
        self.files = files
        self.familiar = familiar

    def first_words(self) -> dict[str, str]:
        """The words that a command may begin with, and what each is."""
        apps = dict.fromkeys(self.apps, "app")
        builtins = {name: command.help for name, command in self.builtins.items()}
        aliases = {name: f"alias: {meant}" for name, meant in self.aliases().items()}
        return {**apps, **SCREEN, **builtins, **aliases}

    def of_app(self, app: str) -> dict[str, str]:
        """The commands of an app, and what each does."""
        return {name: command.help for name, command in self.apps.get(app, {}).items()}

    def command(self, words: Sequence[str]) -> tuple[CommandInfo | None, int]:
        """The command that `words` begin with, and how many of them name it."""
        if not words:
            return None, 0
        if words[0] in self.builtins:
            return self.builtins[words[0]], 1
        meant = self.familiar.get(words[0], "").split()
        if meant and words[0] not in self.apps:
            return self.command([*meant, *words[1:]])[0], 1
        if len(words) > 1 and words[0] in self.apps:
            return self.apps[words[0]].get(words[1]), 2
        return None, 1


class ShellCompleter(Completer):
    """Completes commands, options, choices and file names."""

    def __init__(self, known: KnownCommands) -> None:
        self._known = known

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        before, part = _at_cursor(document.current_line_before_cursor)
        if before is None:
            return
        typed = part.text if part is not None else ""
        back = -(part.end - part.start) if part is not None else 0
        for text, meta in self._candidates(before, typed):
            if text.startswith(typed) and text != typed:
                yield Completion(_escaped(text), back, display=text, display_meta=meta)

    def _candidates(self, before: list[Token], typed: str) -> Iterator[tuple[str, str]]:
        """What may come after these tokens, and a few words about each."""
        known = self._known
        if _redirects(before):
            yield from self._files(typed)
            return
        match _words_of_command(before):
            case []:
                yield from self._commands(after_pipe=bool(before) and before[-1].text == "|")
                if typed:
                    yield from self._familiar()
            case ["open"]:
                yield from dict.fromkeys(known.apps, "").items()
            case ["help"]:
                yield from dict.fromkeys((*known.apps, *known.builtins), "").items()
            case ["help", app]:
                yield from known.of_app(app).items()
            case ["help", *_]:
                return
            case [app] if app in known.apps and app not in known.builtins:
                yield from known.of_app(app).items()
            case words:
                yield from self._parameters(words, typed)

    def _commands(self, *, after_pipe: bool) -> Iterator[tuple[str, str]]:
        """What a command may begin with; after a pipe the filters come first."""
        found = self._known.first_words()
        if after_pipe:
            yield from ((name, found.pop(name)) for name in FILTERS if name in found)
        yield from sorted(found.items())

    def _familiar(self) -> Iterator[tuple[str, str]]:
        """The words from elsewhere that are not commands here by themselves."""
        known = self._known.first_words()
        for word, meant in sorted(self._known.familiar.items()):
            if meant and word not in known:
                yield word, meant

    def _parameters(self, words: list[str], typed: str) -> Iterator[tuple[str, str]]:
        """The options of a command, the values of an option, or the next argument."""
        command, named = self._known.command(words)
        if command is None:
            return
        last = next((option for option in command.options if words[-1] in option.flags), None)
        if last is not None and last.takes_value:
            yield from dict.fromkeys(last.choices, "").items()
        elif typed.startswith("-"):
            for option in command.options:
                yield from dict.fromkeys(option.flags, option.help).items()
            yield "--help", "Show how to use it"
        elif command.arguments:
            given = sum(not word.startswith("-") for word in words[named:])
            argument = command.arguments[min(given, len(command.arguments) - 1)]
            yield from dict.fromkeys(argument.choices, "").items()
            if "path" in argument.name:
                yield from self._files(typed)

    def _files(self, typed: str) -> Iterator[tuple[str, str]]:
        if typed == "~":
            yield "~/", "your own folder"
        tree = self._known.files()
        folder, slash, begun = typed.rpartition("/")
        try:
            inside = tree.list(names_in(tree, folder + slash) if slash else tree.home)
        except FileError:
            return
        found = (file for file in inside if file.name.startswith(begun))
        for file in islice(found, MAX_FILES):
            path = f"{folder}{slash}{file.name}{'/' if file.folder else ''}"
            yield as_a_path(path, typed=bool(slash)), ""


class ShellLexer(Lexer):
    """Colours the parts of a line by what they are."""

    def __init__(self, known: KnownCommands) -> None:
        self._known = known

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        def line(number: int) -> StyleAndTextTuples:
            return self.coloured(document.lines[number])

        return line

    def coloured(self, text: str) -> StyleAndTextTuples:
        """The line in its colours."""
        first_words, shown = {**self._known.familiar, **self._known.first_words()}, []
        at, first, file = 0, True, False
        for token in tokens(text):
            if token.start > at:
                shown.append(("", text[at : token.start]))
            style = _style(token, first, file, first_words)
            shown.append((style, text[token.start : token.end]))
            at = token.end
            operator = token.kind is Kind.OPERATOR
            file = operator and token.text in REDIRECTIONS
            first = operator and (first or not file)
        shown.append(("", text[at:]))
        return [*shown]


def _style(token: Token, first: bool, file: bool, first_words: Mapping[str, Any]) -> str:
    match token.kind:
        case Kind.COMMENT:
            return "class:muted"
        case Kind.OPERATOR:
            return "class:key"
        case _ if not token.whole:
            return "class:warning"
        case _ if first and not file:
            return "class:accent" if token.text in first_words else "class:error"
        case _ if token.text.startswith("-"):
            return "class:muted"
    return ""


def _at_cursor(text: str) -> tuple[list[Token] | None, Token | None]:
    """The tokens before the one that is being typed, and that one. None in a comment."""
    found = list(tokens(text))
    if found and found[-1].kind is Kind.COMMENT:
        return None, None
    if found and found[-1].kind is Kind.WORD and found[-1].end == len(text):
        return found[:-1], found[-1]
    return found, None


def _redirects(before: Sequence[Token]) -> bool:
    """Whether the name of a file comes next."""
    return bool(before) and before[-1].kind is Kind.OPERATOR and before[-1].text in REDIRECTIONS


def _words_of_command(before: Sequence[Token]) -> list[str]:
    """The words so far of the command that is being typed, without files that it redirects to."""
    words: list[str] = []
    file = False
    for token in before:
        if token.kind is Kind.OPERATOR:
            file = token.text in REDIRECTIONS
            if not file:
                words = []
        elif file:
            file = False
        else:
            words.append(token.text)
    return words


def _escaped(text: str) -> str:
    """The word as it has to be typed."""
    return "".join(f"\\{char}" if char in " \t'\"\\|<>;&#*?[" else char for char in text)
