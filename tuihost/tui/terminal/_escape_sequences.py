"""What the escape sequences of a keyboard and a mouse mean, as keys of prompt_toolkit.

Plain functions over one complete, bounded sequence. The table is prompt_toolkit's own, copied
once. What it lacks is worked out here: modifiers (xterm), modifyOtherKeys, and the kitty keyboard
protocol (https://sw.kovidgoyal.net/kitty/keyboard-protocol/). An unknown sequence gives no keys.
"""

from __future__ import annotations

import re

from prompt_toolkit.input.ansi_escape_sequences import ANSI_SEQUENCES
from prompt_toolkit.key_binding.bindings.mouse import typical_mouse_events, xterm_sgr_mouse_events
from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.keys import Keys

from tuihost.wire import MAX_COLUMNS, MAX_ROWS

PASTE_START = "\x1b[200~"

SINGLE: dict[str, Keys] = {
    sequence: key
    for sequence, key in ANSI_SEQUENCES.items()
    if len(sequence) == 1 and sequence < "\x80" and isinstance(key, Keys)
}
"""The keys that send one control character."""

_SEQUENCES = {
    sequence: key if isinstance(key, tuple) else (key,)
    for sequence, key in ANSI_SEQUENCES.items()
    if len(sequence) > 1 and key is not Keys.Ignore and sequence != PASTE_START
}

_SHIFT, _ALT, _CTRL = 1, 2, 4
_LOCKS = 64 | 128  # Caps Lock and Num Lock say nothing about what the key is
_RELEASE = 3

_PARAMETERS = re.compile("[0-9:;]{0,64}")
_SGR_MOUSE = re.compile("<([0-9]{1,3});([0-9]{1,4});([0-9]{1,4})")
_HARMFUL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def _names(pattern: str) -> dict[str, str]:
    """The names of the unmodified keys whose sequence has that shape, by what the group holds."""
    shape = re.compile(pattern)
    return {
        found[1]: key.value
        for sequence, (key, *more) in _SEQUENCES.items()
        if (found := shape.fullmatch(sequence)) and not more and not key.value.startswith("<")
    }


_LETTERS = _names(r"\x1b\[([ABCDHF])") | _names(r"\x1bO([PQRS])")
_NUMBERS = _names(r"\x1b\[([0-9]+)~")

# Keypad keys that print, in application mode: as SS3, and as kitty's own code points.
_SS3_KEYPAD = {"X": "=", **dict(zip("jklmnopqrstuvwxy", "*+,-./0123456789", strict=True))}
_KITTY_KEYPAD = dict(zip(range(57399, 57417), "0123456789./*-+\r=,", strict=True))
_KITTY_ARROWS = ("left", "right", "up", "down", "pageup", "pagedown", "home", "end")
_KITTY_NAMES = {
    **dict(enumerate((*_KITTY_ARROWS, "insert", "delete"), 57417)),
    **dict(enumerate((f"f{number}" for number in range(13, 25)), 57376)),
}

_CONTROL_SYMBOLS = dict(zip(" @[\\]^_/-?", "\x00\x00\x1b\x1c\x1d\x1e\x1f\x1f\x1f\x7f", strict=True))


def keys_of_csi(sequence: str, parameters: str, final: str) -> list[KeyPress]:
    """The keys of `ESC [ parameters final`; `final` includes intermediate characters."""
    if parameters.startswith("<"):
        return _mouse(sequence, parameters, final)
    if final == "u" or ";" in parameters:
        keys = _modified(sequence, parameters, final)
        if keys is not None:
            return keys
    return _pressed(_SEQUENCES.get(sequence, ()), sequence)


def keys_of_ss3(sequence: str, modifier: str, final: str) -> list[KeyPress]:
    """The keys of `ESC O final`, or of Konsole's `ESC O modifier final`."""
    if modifier:
        return _named(_LETTERS.get(final, ""), int(modifier) - 1, sequence)
    if final == "M":
        return [KeyPress(Keys.ControlM, "\r")]
    if char := _SS3_KEYPAD.get(final):
        return [KeyPress(char, char)]
    return _pressed(_SEQUENCES.get(sequence, ()), sequence)


def keys_of_x10_mouse(sequence: str) -> list[KeyPress]:
    """The mouse report `ESC [ M button column row`, each one character, if it is sound."""
    button, column, row = map(ord, sequence[3:])
    if button not in typical_mouse_events or not (32 < column < 128 and 32 < row < 128):
        return []
    return [KeyPress(Keys.Vt100MouseEvent, sequence)]


def _mouse(sequence: str, parameters: str, final: str) -> list[KeyPress]:
    """A mouse report in the SGR form (xterm, 1006), if prompt_toolkit's bindings know what it
    says and it points into a window: they raise for anything else."""
    found = _SGR_MOUSE.fullmatch(parameters)
    if found is None:
        return []
    event, column, row = map(int, found.groups())
    if (event, final) not in xterm_sgr_mouse_events:
        return []
    if not (1 <= column <= MAX_COLUMNS and 1 <= row <= MAX_ROWS):
        return []
    return [KeyPress(Keys.Vt100MouseEvent, sequence)]


# ------------------------------------------------------------------------------ modified keys


def _modified(sequence: str, parameters: str, final: str) -> list[KeyPress] | None:
    """The keys of a sequence with modifiers; None if it has no such shape and only the table
    can tell (mintty's and iTerm's own)."""
    if not _PARAMETERS.fullmatch(parameters):
        return []
    fields = [[int(part or 0) for part in field.split(":")] for field in parameters.split(";")]
    first, modifier, *rest = (*fields, [1]) if len(fields) == 1 else fields
    if modifier[1:2] == [_RELEASE]:
        return []
    modifiers = max(0, modifier[0] - 1) & ~_LOCKS
    if final == "u":
        return _unicode(first, modifiers, rest[0] if rest else []) or None
    if final == "~" and first == [27] and rest:
        return _unicode(rest[0], modifiers, [])
    name = _NUMBERS.get(str(first[0])) if final == "~" else _LETTERS.get(final)
    return _named(name or "", modifiers, sequence) or None


def _named(name: str, modifiers: int, sequence: str) -> list[KeyPress]:
    """A key that has a name, such as `up` or `f5`."""
    if modifiers & ~(_SHIFT | _ALT | _CTRL):
        return []
    shift = modifiers & _SHIFT
    if shift and re.fullmatch("f[0-9]+", name):  # xterm and prompt_toolkit count on: F13 to F24
        name, shift = f"f{int(name[1:]) + 12}", 0
    name = ("c-" if modifiers & _CTRL else "") + ("s-" if shift else "") + name
    try:
        key = Keys(name)
    except ValueError:
        return []
    return _pressed((Keys.Escape, key) if modifiers & _ALT else (key,), sequence)


def _unicode(codes: list[int], modifiers: int, text: list[int]) -> list[KeyPress]:
    """A key by its code point: kitty's `CSI code:shifted:base ; modifiers ; text u`."""
    code = codes[0]
    if modifiers & ~(_SHIFT | _ALT | _CTRL):
        return []  # Super, Hyper and Meta chords are not text
    if name := _KITTY_NAMES.get(code):
        return _named(name, modifiers, "")
    char = _KITTY_KEYPAD.get(code) or _character(code)
    press = _special(char, modifiers & _SHIFT)
    if press is None and modifiers & _CTRL:
        if not char.isascii() and len(codes) > 2:
            char = _character(codes[2])  # the same key on a Latin keyboard
        press = _control(char, modifiers & _SHIFT)
    elif press is None:
        press = _printed(char, codes, modifiers, text)
    if press and modifiers & _ALT:
        return [KeyPress(Keys.Escape, "\x1b"), *press]
    return press


def _special(char: str, shift: int) -> list[KeyPress] | None:
    match char:
        case "\x1b":
            return [KeyPress(Keys.ShiftEscape if shift else Keys.Escape, "\x1b")]
        case "\t":
            return [KeyPress(Keys.BackTab, "\x1b[Z") if shift else KeyPress(Keys.ControlI, "\t")]
        case "\r" | "\x7f" | "\x08":
            return [KeyPress(SINGLE[char], char)]
    return None


def _control(char: str, shift: int) -> list[KeyPress]:
    """Control with a character: the control character, or one of prompt_toolkit's digits."""
    if char.isascii() and char.isdigit():
        return [KeyPress(Keys(f"c-s-{char}" if shift else f"c-{char}"), "")]
    if char.isascii() and char.isalpha():
        control = chr(ord(char) & 0x1F)
    else:
        control = _CONTROL_SYMBOLS.get(char, "")
    return [KeyPress(SINGLE[control], control)] if control else []


def _printed(char: str, codes: list[int], modifiers: int, text: list[int]) -> list[KeyPress]:
    typed = _HARMFUL.sub("", "".join(map(_character, text)))
    if not typed and modifiers & _SHIFT:
        typed = _character(codes[1]) if len(codes) > 1 else ""
        if not typed and len(char.upper()) == 1:
            typed = char.upper()
    return [KeyPress(letter, letter) for letter in _HARMFUL.sub("", typed or char)]


def _character(code: int) -> str:
    """The character of a code point; nothing for kitty's private ones, which print nothing."""
    return chr(code) if 0 < code < 0xE000 or 0xF900 <= code <= 0x10FFFF else ""


def _pressed(keys: tuple[Keys, ...], data: str) -> list[KeyPress]:
    """As prompt_toolkit: the first key carries the data, so that nothing is inserted twice."""
    return [KeyPress(key, "" if index else data) for index, key in enumerate(keys)]
