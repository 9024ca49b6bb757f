"""What docs/style.md asks of every text that people read, as far as a machine can see it."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STYLE = ROOT / "docs" / "style.md"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
CODE = [
    path
    for folder in ("tuihost", "apps", "examples")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in (".py", ".md")
]
THEMES = sorted((ROOT / "themes").glob("*.toml"))


@dataclass(frozen=True, slots=True)
class Pattern:
    """A turn of phrase that is not English, with a sentence that has it and one that has not."""

    expression: str
    wrong: str
    right: str

    def find(self, text: str) -> Iterator[re.Match[str]]:
        return re.finditer(self.expression, text)


_PREPOSITION = r"(?:by|for|from|of|than|to|with)"

PATTERNS = (
    Pattern(
        r"(?<!\b[Tt]here )\b(?:is|are|was|were) no"
        r" (?!better\b|different\b|doubt\b|longer\b|more\b|need\b|one\b|other\b|use\b|worse\b)\w+",
        "That is no number",
        "That is not a number; there is no number, and it is no longer one",
    ),
    Pattern(r"\b(?:is|was) no more\b", "a process that is no more", "a process that is gone"),
    Pattern(
        r"\b(?:as|because|if|it|that|they|what|where it|which|why it) (?:is|are|was|were) none\b",
        "why it is none",
        "why it is not one; None if there is none",
    ),
    Pattern(
        rf"\b{_PREPOSITION} who (?!is here\b)\w+",
        "the theme of who has not chosen one",
        "the theme for people who have not chosen one",
    ),
    Pattern(
        r"(?:^|[.:;!?|-] )Who (?!an? |may )\w+(?: [^.,:;?]*)? (?:brings|can|comes|finds|gets|has"
        r"|is|keeps|may|must|needs|pays|says|sees|stays|waits|wants)\b",
        "Who comes through a proxy says from where",
        "A client that comes through a proxy says from where. Who came in, and when",
    ),
    Pattern(
        r"\bwhat is (?:relative|missing|empty) is so\b",
        "what is relative is so to the settings file",
        "a relative path starts at the folder of the settings file",
    ),
    Pattern(
        r"(?:^|[.:;!?|-] )What [^.?]*\bnobody (?:can|may)\b",
        "What is not named here nobody may",
        "Nobody may use anything that is not named here",
    ),
    Pattern(
        r"\b[Cc](?:omes?|ame|oming) along\b",
        "the themes that come along",
        "the bundled themes",
    ),
    Pattern(
        r"\b(?:host|server|tuihost) (?:as it )?comes\b",
        "this is how a host comes",
        "these are a host's defaults",
    ),
    Pattern(r"\bfirst first\b", "who came first first", "longest first"),
    Pattern(r"\btells? of\b", "a change that it tells of", "a change that it reports"),
    Pattern(
        r"\b(?:is|are|not) believed\b",
        "Files of keys that others can write to are not believed",
        "Files of keys that others can write to are ignored",
    ),
    Pattern(
        r"\bleft after \d",
        "a client is left after 30 seconds",
        "a client is disconnected after 30 seconds",
    ),
    Pattern(
        r"\bOf [^.]*\b(?:is|are) said\b",
        "Of one that nobody described it is said that it gives nothing",
        "One that nobody described is listed as giving nothing",
    ),
    Pattern(
        r"\b[Ff]rom so many [^.]* on\b",
        "From so many columns on the page is shown",
        "The fewest columns at which the page is shown",
    ),
    Pattern(
        r"(?<=\w,) but for\b", "Thread: its own, but for `close`", "Thread: its own, except `close`"
    ),
    Pattern(r"\b[Kk]nock(?:s|ed)?\b", "before anybody knocks", "before anybody connects"),
    Pattern(r"\b[Cc]ome again with\b", "Come again with: ssh -X", "Connect again with: ssh -X"),
    Pattern(
        r"\b[Ww]hoever\b",
        "the same work whoever it is; whoever asks is told",
        "the same work for everybody; anyone who asks is told",
    ),
    Pattern(
        r"\b(?:None|False|True) where\b",
        "None where there is no such key",
        "None if there is no such key",
    ),
)


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Every text in a file that somebody reads, on one line, with the line that it begins at."""
    whole = path.read_text("utf-8")
    if path.suffix == ".py":
        found = chain(literals(ast.parse(whole)), comments(whole))
    else:
        found = paragraphs(shown(whole) if path == STYLE else whole)
    return ((line, " ".join(text.split())) for line, text in found)


def literals(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The literals of a module, docstrings too; a formatted one as a whole."""
    if isinstance(tree, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else "…" for part in tree.values)
        yield tree.lineno, "".join(map(str, parts))
        return
    if isinstance(tree, ast.Constant) and isinstance(tree.value, str):
        yield tree.lineno, tree.value
    for child in ast.iter_child_nodes(tree):
        yield from literals(child)


def comments(code: str) -> Iterator[tuple[int, str]]:
    """The comments of a module; lines that follow each other are one."""
    begun, last, words = 0, -1, ""
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type != tokenize.COMMENT:
            continue
        line, text = token.start[0], token.string.lstrip("# ")
        if line == last + 1:
            words += f" {text}"
        else:
            if words:
                yield begun, words
            begun, words = line, text
        last = line
    if words:
        yield begun, words


def paragraphs(text: str) -> Iterator[tuple[int, str]]:
    for match in re.finditer(r"(?:.+\n?)+", text):
        yield text.count("\n", 0, match.start()) + 1, match.group()


def shown(text: str) -> str:
    """The page of style without the left column of its tables, which shows what is wrong."""
    return re.sub(r"^\|[^|]*\|", "|", text, flags=re.MULTILINE)


def findings(path: Path) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{line}: {match.group()!r}; rather: {pattern.right}"
        for line, text in texts(path)
        for pattern in PATTERNS
        for match in pattern.find(text)
    ]


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.wrong)
def test_a_pattern_finds_what_is_wrong_and_nothing_else(pattern: Pattern) -> None:
    assert list(pattern.find(pattern.wrong))
    assert [each.wrong for each in PATTERNS if list(each.find(pattern.right))] == []


@pytest.mark.parametrize(
    "path", [*PAGES, *CODE, *THEMES], ids=lambda path: str(path.relative_to(ROOT))
)
def test_what_people_read_is_plain_english(path: Path) -> None:
    assert not (found := findings(path)), "docs/style.md says why:\n" + "\n".join(found)


def test_a_formatted_text_is_read_as_a_whole() -> None:
    tree = ast.parse('f"{name} is no file"\n"one is no" " file"')
    assert list(literals(tree)) == [(1, "… is no file"), (2, "one is no file")]


def test_the_lines_of_a_comment_are_read_together() -> None:
    code = "# in metres\n# and feet\nx = 1  # of rope\n"
    assert list(comments(code)) == [(1, "in metres and feet of rope")]
    assert list(comments("x = 1  # of rope\n\n# in feet\n")) == [(1, "of rope"), (3, "in feet")]
