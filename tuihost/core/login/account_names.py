"""Names of accounts and guests: which there can be, and which look the same to a person's eye.

Which characters: the IdentifierClass of RFC 8264 with the normalization and the rule for
directions of RFC 8265 §3.3 (UsernameCaseMapped), narrowed to one script of UAX #31 Table 5 a name
("single script" of UTS #39 §5.2). Which look the same: skeletons after UTS #39 §4, by
`_lookalikes.py`, in which `i` is one with `l` and `1`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from fnmatch import fnmatchcase
from functools import lru_cache

from tuihost.core.login._lookalikes import LOOKS_LIKE, PLAIN_LATIN
from tuihost.text import clean

MAX_NAME = 64  # characters
SIGNS = "._-@"
"""Besides letters and digits, what names have."""

RESERVED_NAMES = (
    *("root", "admin", "administrator", "sysadmin", "superuser", "system", "host", "operator"),
    *("moderator", "staff", "support", "security", "abuse"),
    *("hostmaster", "postmaster", "webmaster", "tuihost"),
)
"""Names that sound like somebody who runs the host, or like the host itself."""

NOBODYS = frozenset({"guest", "user", "menu", "nobody", "anonymous"})
"""Names that nobody can have for themselves, since they are said of everybody. Guests are free to
use them."""

# Default_Ignorable_Code_Point of Unicode 16 (DerivedCoreProperties.txt), and the blank of Braille.
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

# UAX #31 Table 5, by the first words of the names of their characters.
_SCRIPTS = frozenset(
    {
        *("ARABIC", "ARMENIAN", "BENGALI", "BOPOMOFO", "CJK", "CYRILLIC", "DEVANAGARI"),
        *("ETHIOPIC", "GEORGIAN", "GREEK", "GUJARATI", "GURMUKHI", "HANGUL", "HEBREW"),
        *("HIRAGANA", "KANNADA", "KATAKANA", "KHMER", "LAO", "LATIN", "MALAYALAM", "MYANMAR"),
        *("ORIYA", "SINHALA", "TAMIL", "TELUGU", "THAANA", "THAI", "TIBETAN"),
    }
)
_ALSO = {"IDEOGRAPHIC": "CJK", "EXTENDED": "ARABIC"}
_INHERITED = "COMBINING"  # marks that take the script of their letter
_ACCENTS = frozenset(
    "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u0309\u030a\u030b\u030c\u031b\u0323\u0324"
    "\u0325\u0326\u0327\u0328\u032d\u032e\u0330\u0331"
)
"""Marks of that kind that languages write; the others draw through letters or around them."""
_MOST_ACCENTS, _MOST_MARKS = 2, 4  # of one letter

# Japanese, Korean and Chinese are written so.
_TOGETHER = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO"})

_SIGNS_OF_LABELS = str.maketrans(dict.fromkeys(SIGNS, "-"))
_READ_AS = str.maketrans({"0": "o", "1": "l", "|": "l", "i": "l", "m": "rn"})
_PLAIN = re.compile(r"[A-Za-z0-9_@][A-Za-z0-9._@-]*")
"""Names that there can be, whatever else is asked of letters: nearly all."""

_WILD = frozenset("*?[")
_LETTERS = frozenset({"Ll", "Lu", "Lo", "Lm"})
_MARKS = frozenset({"Mn", "Mc"})
_DIGITS = frozenset({"Nd"})

_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_BESIDE = frozenset({"R", "AL", "AN", "EN", "ES", "CS", "ET", "ON", "NSM"})
_ENDS = frozenset({"R", "AL", "AN", "EN"})


# ------------------------------------------------------------------------------- which are the same


def folded(name: str) -> str:
    """A form that is the same for names which differ only in letter case or in how they are
    encoded: only one of these can be an account's."""
    if name.isascii():
        return name.lower()
    seen = _IGNORABLE.sub("", unicodedata.normalize("NFKC", name))
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).casefold())


def skeleton(name: str) -> str:
    """A form that is the same for names which look the same, or are read as the same word, such as
    `alice`, `a1ice`, `al1ce` and one in Cyrillic letters. Nothing to show to anybody."""
    if name.isascii():
        return name.lower().translate(_READ_AS)
    plain = unicodedata.normalize("NFKC", _IGNORABLE.sub("", name))
    apart = unicodedata.normalize("NFD", plain).replace("I\u0307", "i").replace("i\u0307", "i")
    small = unicodedata.normalize("NFD", "".join(map(_drawn, apart)).casefold())
    return unicodedata.normalize("NFC", small.translate(_READ_AS))


def as_label(name: str) -> str:
    """A name as it is in an address, where `-` stands for every sign."""
    return name.translate(_SIGNS_OF_LABELS)


def is_reserved_label(label: str, reserved: Collection[str]) -> bool:
    """Whether a label of an address reads as one of these names, or as one that such a pattern
    stands for."""
    same, looks = as_label(folded(label)), as_label(skeleton(label))
    return any(
        looks == as_label(skeleton(word)) or fnmatchcase(same, as_label(folded(word)))
        for word in reserved
    )


def _drawn(character: str) -> str:
    looks = LOOKS_LIKE.get(character)
    if looks is not None:
        return looks
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return character


# ------------------------------------------------------------------------------- which there can be


def name_problem(name: str) -> str | None:
    """Why no account can have this name, in one sentence for people; None if one can."""
    if not name:
        return "a name needs at least one character"
    if " " in name:
        return "a name cannot have spaces"
    return _shape_problem(name)


def chosen_name_problem(
    name: str, *, reserved: Collection[str], any_letters: bool = False
) -> str | None:
    """Why nobody can choose this name for themselves, in words for people; None if they can.
    `reserved` are names and patterns of names, besides those that nobody can have."""
    problem = name_problem(name)
    if problem is not None:
        return problem
    if not any_letters and not name.isascii():
        return "a name has letters from a to z, digits, and . _ - only"
    if "@" in name:
        return "a name has letters, digits, and . _ - only"
    if _looks_latin(name):
        return _FOREIGN
    if folded(name) in NOBODYS:
        return "that name is reserved"
    word = _reserved_as(name, reserved)
    return f"that name {_same_or_like(name, word)} reserved" if word else None


def guest_name_problem(name: str, *, reserved: Collection[str]) -> str | None:
    """Why no guest can have this name, in words for people; None if one can. Guests are called what
    they are called on their own machine, so theirs may have single blanks, and a domain of Windows
    in front. `reserved` are names and patterns of names."""
    parts = re.split(r"[ \\]", name)
    if not all(parts):
        return f"a name has letters, digits, and {' '.join(SIGNS)} only"
    problem = _shape_problem("".join(parts))
    if problem is None and any(part[0] in ".-" for part in parts):
        problem = "a name cannot begin with . or -"
    if problem is not None:
        return problem
    if _looks_latin(name):
        return _FOREIGN
    words = {name, *parts, *(part for each in parts for part in each.split("@") if part)}
    for part in sorted(words):
        if word := _reserved_as(part, reserved):
            return f"it {_same_or_like(part, word)} reserved for the people who run this host"
    return None


_FOREIGN = "its letters could be taken for those of another script"


def _reserved_as(name: str, reserved: Collection[str]) -> str:
    """The reserved name that this is or looks like, or the pattern that it fits; else empty."""
    words, looks, patterns = _forms(tuple(reserved))
    same = folded(name)
    if same in words:
        return same
    fitting = (pattern for pattern in patterns if fnmatchcase(same, pattern))
    return looks.get(skeleton(name)) or next(fitting, "")


def _same_or_like(name: str, word: str) -> str:
    """`is`, or what it looks like; a pattern is the operator's alone to know."""
    if folded(name) == word or set(word) & _WILD:
        return "is"
    return f"looks like {word}, which is"


@lru_cache(maxsize=64)  # every login asks for the same ones
def _forms(reserved: tuple[str, ...]) -> tuple[frozenset[str], dict[str, str], tuple[str, ...]]:
    """Of names and patterns: the names, which of them look how, and the patterns."""
    words = [folded(each) for each in reserved]
    patterns = [word for word in words if set(word) & _WILD]
    return frozenset(words), {skeleton(each): each for each in words}, tuple(patterns)


def _looks_latin(name: str) -> bool:
    """Whether a name in other letters could be one in Latin letters (UTS #39 §4, whole-script)."""
    return not name.isascii() and "LATIN" not in _scripts(name) and skeleton(name).isascii()


def _shape_problem(name: str) -> str | None:
    """What is wrong with the characters of a name without blanks, and with how they stand."""
    if len(name) > MAX_NAME:
        return f"a name can have at most {MAX_NAME} characters"
    if _PLAIN.fullmatch(name):
        return None
    if clean(name) != name:
        return "a name cannot have control characters"
    if _IGNORABLE.search(name):
        return "a name cannot have characters that nobody sees"
    if unicodedata.normalize("NFC", name) != name:
        return "the name is written with characters that have a shorter form"
    if not all(_can_be_had(character) for character in name):
        return f"a name has letters, digits, and {' '.join(SIGNS)} only"
    if name[0] in ".-":
        return "a name cannot begin with . or -"
    return _script_problem(name)


def _can_be_had(character: str) -> bool:
    if character.isascii():
        return character.isalnum() or character in SIGNS
    kinds = _LETTERS | _MARKS | _DIGITS
    # RFC 8264 §9.17: what stands for something else, such as a wide or a slanted letter.
    if unicodedata.normalize("NFKC", character) != character:
        return False
    return unicodedata.category(character) in kinds and not "\u1100" <= character <= "\u11ff"


def _script_problem(name: str) -> str | None:
    scripts = _scripts(name)
    if not scripts <= _SCRIPTS or not all(_is_in_use(letter) for letter in name):
        return "a name has letters only that a language of today is written with"
    if len(scripts) > 1 and not scripts <= _TOGETHER:
        return "a name cannot mix letters of different scripts"
    if not _marks_are_sound(name):
        return "a name has accents only on letters, and few on each"
    if not _direction_is_sound(name):
        return "a name that is written from right to left begins and ends so"
    return None


def _scripts(name: str) -> set[str]:
    """The scripts of its letters, marks and digits, by the first word of their names in Unicode."""
    found = {_first_word(each) for each in name if not each.isascii() or each.isalpha()}
    return {_ALSO.get(script, script) for script in found} - {_INHERITED}


def _first_word(character: str) -> str:
    return unicodedata.name(character, "?").partition(" ")[0].partition("-")[0]


def _is_in_use(character: str) -> bool:
    """Whether a Latin letter is one of a language's, and not one of phonetics."""
    if character.isascii() or _first_word(character) != "LATIN":
        return True
    return unicodedata.normalize("NFD", character)[0].isascii() or character in PLAIN_LATIN


def _marks_are_sound(name: str) -> bool:
    run = ""
    before = ""
    for character in name:
        if unicodedata.category(character) not in _MARKS:
            run, before = "", character
            continue
        if not before.isalpha() or character in run[-1:]:
            return False
        run += character
        accents = _first_word(character) == _INHERITED
        if accents and character not in _ACCENTS:
            return False
        if len(run) > (_MOST_ACCENTS if accents else _MOST_MARKS):
            return False
    return True


def _direction_is_sound(name: str) -> bool:
    """RFC 5893 §2, for names from right to left."""
    kinds = [unicodedata.bidirectional(character) for character in name]
    if _RIGHT_TO_LEFT.isdisjoint(kinds):
        return True
    last = next((kind for kind in reversed(kinds) if kind != "NSM"), "")
    return (
        kinds[0] in ("R", "AL")
        and last in _ENDS
        and _BESIDE.issuperset(kinds)
        and not {"EN", "AN"} <= set(kinds)
    )
