"""Names of accounts: which there can be, and which are one and the same to a person's eye."""

from __future__ import annotations

import unicodedata

from tuihost.text import clean

MAX_NAME = 64  # characters


def folded(name: str) -> str:
    """A form that is the same for names which differ only in letter case or in how they are
    encoded: only one of these can be an account's."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def name_problem(name: str) -> str | None:
    """Why no account can have this name, in one sentence for people; None if one can."""
    if not name:
        return "a name needs at least one character"
    if len(name) > MAX_NAME:
        return f"a name can have at most {MAX_NAME} characters"
    if clean(name) != name or not name.isprintable():
        return "a name cannot have control characters"
    if unicodedata.normalize("NFC", name) != name:
        return "the name is written with characters that have a shorter form"
    if any(character.isspace() for character in name):
        return "a name cannot have spaces"
    # `ada+notes` asks for an app, `guest:ada` is what a guest's data is kept under, `%` is how
    # settings say "the name", and the rest would lead elsewhere where a file is named after it.
    if any(character in "+:/\\%" for character in name) or name[0] in ".-":
        return "a name cannot have any of + : / \\ % and cannot begin with . or -"
    return None
