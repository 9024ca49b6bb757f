"""What a note is, and the few words that the app says about one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tuihost import Session, clean, iso_time

MAX_TITLE = 200
ADD, REMOVE = "add", "remove"
"""The commands that change notes: what writes or deletes them is for people who may run these."""
UNTITLED = "Untitled"
_FRONT = re.compile(r"---[ \t]*\n(?P<lines>[\w-]+[ \t]*:.*\n(?:.*\n)*?)---[ \t]*(?:\n|\Z)")
_TITLE = re.compile(r"^title[ \t]*:(.*)$", re.MULTILINE | re.IGNORECASE)
_MARKS = re.compile(r"^(?:[\s>|]|#{1,6}\s|[-*+]\s|[-=]{3,}$)*")
"""What Markdown puts in front of the words of a line."""


class NotesError(Exception):
    """Notes cannot be read or kept; the text is a sentence for the person."""


@dataclass(frozen=True, slots=True)
class Note:
    """A note. `revision` counts its changes; times are Unix times."""

    number: int
    revision: int
    created: float
    changed: float
    text: str

    @property
    def title(self) -> str:
        return title_of(self.text)


@dataclass(frozen=True, slots=True)
class Summary:
    """A note as a list shows it; `size` is in bytes."""

    number: int
    revision: int
    created: float
    changed: float
    size: int
    title: str
    preview: str

    @classmethod
    def of(
        cls, number: int, revision: int, created: float, changed: float, size: int, head: str
    ) -> Summary:
        """`head` is how the text begins."""
        title, (_, rest) = title_of(head), front_matter(head)
        lines = [line for line in map(_plain, rest.splitlines()) if line]
        if lines and lines[0][:MAX_TITLE] == title:
            del lines[0]
        return cls(number, revision, created, changed, size, title, " ".join(lines))


@dataclass(frozen=True, slots=True)
class Draft:
    """A text that is being written: a change of note `number` as it was at `revision`, or a new
    note. `id` is 0 as long as it was not kept."""

    id: int = 0
    number: int | None = None
    revision: int = 0
    changed: float = 0.0
    text: str = ""

    @property
    def title(self) -> str:
        return title_of(self.text)


@dataclass(frozen=True, slots=True)
class Saved:
    """The result of a save. `apart`: it became a note of its own, beside one that was changed."""

    note: Note
    apart: bool


def tidy(text: str) -> str:
    """A text as it is kept: as it was given, but with one kind of line end, and without the byte
    order mark that some programs put in front. It is made harmless wherever it is shown."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def front_matter(text: str) -> tuple[str, str]:
    """The lines in front of a note that are for other programs, in YAML, and the rest of it."""
    found = _FRONT.match(text)
    return (found["lines"], text[found.end() :]) if found else ("", text)


def title_of(text: str) -> str:
    """The first line that says something, without Markdown's marks; or the title that the lines in
    front of the note give."""
    front, text = front_matter(text)
    given = _TITLE.search(front)
    if given and (title := _plain(given[1].strip().strip("\"'"))):
        return title[:MAX_TITLE]
    for line in text.splitlines():
        if title := _plain(line):
            return title[:MAX_TITLE]
    return UNTITLED


def _plain(line: str) -> str:
    words = _MARKS.sub("", line)
    return " ".join(words.replace("**", "").replace("`", "").split())


def owner_of(session: Session) -> str:
    """The key that a person's notes are kept under; a name that is not UTF-8 gets one that is."""
    return session.account.key.encode("utf-8", "backslashreplace").decode()


def guest_hints(session: Session) -> tuple[str, ...]:
    """What a guest should know about notes, in fewer and fewer words; empty for everybody else."""
    if not session.account.guest:
        return ("",)
    name, change = clean(session.user, limit=20), "change"
    both = "read and change"
    if not (session.may_run(ADD) or session.may_run(REMOVE)):
        change = both = "read"
    return (
        f"You are a guest: anyone who gives the name {name} can {both} these notes.",
        f"Anyone who gives the name {name} can {change} these notes.",
        f"Anyone called {name} can {change} these.",
        "Guests with your name share these.",
    )


def as_json(note: Note | Summary) -> dict[str, Any]:
    """A note for programs; times as ISO 8601 in UTC."""
    size = note.size if isinstance(note, Summary) else len(note.text.encode())
    about: dict[str, Any] = {
        "id": note.number,
        "title": note.title,
        "created": iso_time(note.created),
        "changed": iso_time(note.changed),
        "revision": note.revision,
        "size": size,
    }
    return about | ({"text": note.text} if isinstance(note, Note) else {})
