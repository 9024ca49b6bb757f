"""Names of accounts: which there can be, and which are one and the same to a person's eye."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from fnmatch import fnmatchcase

from tuihost.text import clean

MAX_NAME = 64  # characters
RESERVED = frozenset(
    {
        *("root", "admin", "administrator", "guest", "user", "menu", "host", "system", "operator"),
        *("nobody", "anonymous", "support", "security", "postmaster", "tuihost"),
    }
)
"""Names that sound like somebody who runs the host, or like a part of it."""

# Default_Ignorable_Code_Point of Unicode 16 (DerivedCoreProperties.txt), and the blank of Braille.
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_ALSO = {"IDEOGRAPHIC": "CJK"}
_NO_SCRIPT = {"MODIFIER", "COMBINING"}
# Japanese, Korean and Chinese are written so.
_TOGETHER = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO"})


def folded(name: str) -> str:
    """A form that is the same for names which differ only in letter case or in how they are
    encoded: only one of these can be an account's."""
    seen = _IGNORABLE.sub("", unicodedata.normalize("NFKC", name))
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).casefold())


def lookalike_problem(name: str) -> str | None:
    """Why this name could be taken for another one, in words for people; None if it could not."""
    if _IGNORABLE.search(name):
        return "a name cannot have characters that nobody sees"
    if not _scripts(name) <= _TOGETHER and len(_scripts(name)) > 1:
        return "a name cannot mix letters of different scripts"
    return None


def chosen_name_problem(
    name: str, *, reserved: Collection[str], any_letters: bool = False
) -> str | None:
    """Why nobody can choose this name for themselves, in words for people; None if they can.
    `reserved` are names and patterns of names, besides those that are reserved everywhere."""
    problem = name_problem(name)
    if problem is not None:
        return problem
    if not any_letters and not name.isascii():
        return "a name has letters from a to z, digits, and . _ - only"
    if not all(each.isalnum() or each in "._-" or unicodedata.combining(each) for each in name):
        return "a name has letters, digits, and . _ - only"
    same = folded(name)
    if same in RESERVED or any(fnmatchcase(same, folded(pattern)) for pattern in reserved):
        return "that name is reserved"
    return None


def _scripts(name: str) -> set[str]:
    """The scripts of its letters, by the first word of their names in Unicode."""
    letters = (each for each in unicodedata.normalize("NFKC", name) if each.isalpha())
    found = (
        unicodedata.name(letter, "?").partition(" ")[0].partition("-")[0] for letter in letters
    )
    return {_ALSO.get(script, script) for script in found} - _NO_SCRIPT


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
    lookalike = lookalike_problem(name)
    if lookalike is not None:
        return lookalike
    if any(character.isspace() for character in name):
        return "a name cannot have spaces"
    # `ada+notes` asks for an app, `guest:ada` is what a guest's data is kept under, `%` is how
    # settings say "the name", and the rest would lead elsewhere where a file is named after it.
    if any(character in "+:/\\%" for character in name) or name[0] in ".-":
        return "a name cannot have any of + : / \\ % and cannot begin with . or -"
    return None
