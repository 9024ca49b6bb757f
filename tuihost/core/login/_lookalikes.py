"""Letters that look like Latin ones, after UTS #39 §4 (confusables.txt), for the scripts of UAX #31
Table 5; and the Latin letters with no plain one inside that languages are written with.

Greek and Armenian letters that UTS #39 leaves out, and that fonts draw like Latin ones, are here as
browsers have them for names of hosts.
"""

from __future__ import annotations

from collections.abc import Mapping

_SHAPES = (
    # Latin
    ("ıæÆœŒI", ("i", "ae", "AE", "oe", "OE", "l")),
    # Cyrillic
    ("асԁеҽһіјкорԛгѕѵѡԝхуүьӏ", tuple("acdeehijkopqrsvwwxyybl")),
    ("АВСЕԌНІЈКМОРԚЅТѴԜХУҮЬӀЗӠб", tuple("ABCEGHlJKMOPQSTVWXYYbl336")),
    ("ӕӔЫЮ", ("ae", "AE", "bl", "lO")),
    # Greek
    ("αιϳκνηορσςτυωγχ", tuple("aijkvnopoctuwyx")),
    ("ΑΒΕϜΗΙͿΚΜϺΝΟΡΤΥΧΖ", tuple("ABEFHlJKMMNOPTYXZ")),
    # Armenian
    ("քցհյլոռօգզսա", tuple("fghjlnnoqquw")),
    ("ՕՏՍ", tuple("OSU")),
    # Georgian, Ethiopic, Malayalam, Myanmar, Oriya
    ("ჿყዐሀഠဝଠ", tuple("oyOUooO")),
    # Digits that look like another digit
    ("৪৭੪੧୨൭", tuple("898999")),
)

LOOKS_LIKE: Mapping[str, str] = {
    letter: looks
    for letters, shapes in _SHAPES
    for letter, looks in zip(letters, shapes, strict=True)
}
"""What a character looks like, in ASCII."""

PLAIN_LATIN = frozenset("æÆœŒøØßẞþÞðÐđĐħĦłŁŋŊŧŦıəƏɛƐɔƆɓƁɗƊƙƘƴƳ")
"""Latin letters of languages that do not come apart into a plain one and its marks."""
