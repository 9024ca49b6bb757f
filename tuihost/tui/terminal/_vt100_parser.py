"""Bytes from a person's terminal become key presses, whatever was sent.

The `KeyPressParser` stands where prompt_toolkit has its `Vt100Parser`. It differs in its promises:
time is linear in what is fed, what it holds is bounded, nothing is kept in globals, nothing is
ever raised, and a reply that nobody asked for never becomes typed text. A paste comes as one key
press, without its control characters, or not at all. What has no brackets of a paste is typing,
however much of it comes at once, so that no Enter is lost. What a sequence means is for
`_escape_sequences` to say; where it begins and ends is decided here (ECMA-48 §5).
"""

from __future__ import annotations

import codecs
import io
import re
from collections import Counter
from collections.abc import Callable
from enum import Enum, auto
from sys import getsizeof

from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.keys import Keys

from tuihost.tui.terminal._escape_sequences import (
    PASTE_START,
    SINGLE,
    keys_of_csi,
    keys_of_ss3,
    keys_of_x10_mouse,
)

CSI_LIMIT = 64
"""Characters of a control sequence; a longer one is swallowed to its end."""
STRING_LIMIT = 4096
"""Characters of an OSC, DCS, APC, PM or SOS string that are kept for a reply."""
PASTE_LIMIT = 1_000_000
"""Characters of one paste. Nothing of a longer one is taken: a part may mean something else."""
TOO_LONG = (
    f"That paste is too long, so nothing of it was taken. Paste at most {PASTE_LIMIT:,} characters "
    "at once, or copy a file here with sftp."
)


class Reply(Enum):
    """What a terminal can be asked. A reply is swallowed unless it is expected."""

    CURSOR_POSITION = "R"
    ATTRIBUTES = "c"
    MODE = "y"
    KEYBOARD = "u"
    COLOR = "]"
    VERSION = "P"


class _State(Enum):
    GROUND = auto()
    IGNORE = auto()  # in a control sequence that is too long or malformed
    STRING = auto()
    PASTE = auto()


_ESC = "\x1b"
_PASTE_END = "\x1b[201~"
_MAX_EXPECTED = 64

_TEXT = re.compile("[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]+")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_UNPASTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]+")
_CSI = re.compile("\x1b\\[([0-?]*)([ -/]*)([@-~]?)")
_CSI_REST = re.compile("[ -?]*")
_SS3 = re.compile("\x1bO([1-9]?)([@-~]?)")
_CURSOR_POSITION = re.compile("[0-9]{1,5};[0-9]{1,5}")
_STRING_BREAK = re.compile("[\x00-\x1f\x9c]")
# What may follow the two characters that open a string. Alt+] and Alt+Shift+P send the same
# two, so what no terminal answers counts as keys: a chord must not make a keyboard go dead.
_STRING_OPENS = {
    "]": re.compile("[0-9lL]"),
    "P": re.compile("[0-9;>!$+|]"),
    "X": re.compile("[ -~]"),
    "^": re.compile("[ -~]"),
    "_": re.compile("[ -~]"),
}


class KeyPressParser:
    """Turns what a terminal sends into the key presses that prompt_toolkit expects.

    `on_reply` gets the whole text of every reply that `expect` announced, except for the cursor
    position, which is a key to prompt_toolkit. `on_refused` gets a sentence for the person when a
    paste is not taken. `room` makes room for so many bytes more of an unfinished paste, or gives
    them back; it says why it cannot, or "". One thread.
    """

    def __init__(
        self,
        on_reply: Callable[[str], None] | None = None,
        *,
        on_refused: Callable[[str], None] | None = None,
        room: Callable[[int], str] | None = None,
    ) -> None:
        self._on_reply = on_reply
        self._on_refused = on_refused
        self._room = room
        self._keys: list[KeyPress] = []
        self._paste_bytes = 0
        self.reset()

    def reset(self) -> None:
        """Starts over: forgets unfinished sequences and every reply that is expected."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._state = _State.GROUND
        self._held = ""  # the beginning of what is not complete yet; at most CSI_LIMIT
        self._string = io.StringIO()
        self._string_size = 0
        self._begin_paste()
        self._expected: Counter[Reply] = Counter()

    # ------------------------------------------------------------------ in and out

    def feed(self, data: bytes) -> list[KeyPress]:
        """The keys that `data`, one read, completes."""
        text = self._held + self._decoder.decode(data)
        if not text:
            return []
        self._held = ""
        at, end = 0, len(text)
        while at < end:
            match self._state:
                case _State.GROUND:
                    at = self._ground(text, at)
                case _State.IGNORE:
                    at = self._ignore(text, at)
                case _State.STRING:
                    at = self._in_string(text, at)
                case _State.PASTE:
                    at = self._in_paste(text, at)
        return self._taken()

    def flush(self) -> list[KeyPress]:
        """The keys in what was held long enough to know that nothing follows: a lone Escape, or
        Alt with a character that could also have opened a sequence."""
        if self.pending_escape:
            held, self._held = self._held, ""
            if held[1:2] != "[" or len(held) == 2:
                self._press(SINGLE[_ESC], _ESC)
                self._typed(held[1:])
        return self._taken()

    @property
    def pending(self) -> bool:
        """Whether something is unfinished: an escape, a sequence, a string or a paste."""
        return bool(self._held) or self._state is not _State.GROUND

    @property
    def pending_escape(self) -> bool:
        """What is held may be keys of a person rather than a sequence, and time will tell: call
        `flush` when nothing followed. Never in a string or a paste, where nothing is guessed."""
        held = self._held
        return self._state is _State.GROUND and (
            0 < len(held) <= 2 or held.startswith(("\x1bO", "\x1b[M"))
        )

    def expect(self, reply: Reply) -> None:
        """Lets one reply of that kind through; call it once for every question asked."""
        self._expected[reply] = min(self._expected[reply] + 1, _MAX_EXPECTED)

    def drop(self) -> None:
        """Forgets the keys that are held. The rest of an unfinished paste is dropped, too."""
        if self.pending_escape:
            self._held = ""
        self._drop_paste()

    # ------------------------------------------------------------------ states: each takes
    # what it understands of `text` from `at` on and says where it stopped

    def _ground(self, text: str, at: int) -> int:
        char = text[at]
        if char == _ESC:
            return self._escape(text, at)
        if key := SINGLE.get(char):
            if char not in "\t\r\n":
                self._press(key, char)
                return at + 1
        elif "\x80" <= char <= "\x9f":  # C1; no terminal sends them in UTF-8, and nobody types them
            return at + 1
        return self._text(text, at)

    def _escape(self, text: str, at: int) -> int:
        if at + 1 == len(text):
            return self._hold(text, at)
        char = text[at + 1]
        match char:
            case "[":
                return self._csi(text, at)
            case "O":
                return self._ss3(text, at)
            case "]" | "P" | "X" | "^" | "_":
                return self._open_string(text, at)
            case "\t":  # Shift+Tab of the Linux console
                self._press(Keys.BackTab, "\x1b\t")
                return at + 2
        self._press(Keys.Escape, _ESC)
        if char == _ESC:
            return at + 1
        self._typed(char)
        return at + 2

    def _csi(self, text: str, at: int) -> int:
        found = _CSI.match(text, at)
        assert found is not None
        sequence, final, stop = found[0], found[3], found.end()
        if not final:
            return self._csi_unfinished(text, at, sequence)
        if len(sequence) > CSI_LIMIT:
            return stop
        if sequence == "\x1b[[":  # F1 to F5 of the Linux console: one more character
            return self._csi_and(1, text, at)
        if sequence == "\x1b[M":  # a mouse that cannot say more than 95 columns: three more
            return self._csi_and(3, text, at)
        if sequence == PASTE_START:
            self._state = _State.PASTE
            self._begin_paste()
        elif not self._is_reply(found[1], final, sequence):
            self._keys += keys_of_csi(sequence, found[1], found[2] + final)
        return stop

    def _csi_unfinished(self, text: str, at: int, sequence: str) -> int:
        stop = at + len(sequence)
        if stop == len(text) and len(sequence) <= CSI_LIMIT:
            return self._hold(text, at)
        if stop == len(text) or " " <= text[stop] <= "?":
            self._state = _State.IGNORE
        elif len(sequence) == 2:
            self._press(Keys.Escape, _ESC)
            self._press("[", "[")
        return stop

    def _csi_and(self, count: int, text: str, at: int) -> int:
        """Handles a sequence with `count` printable characters after its final one."""
        start = at + 3
        stop = start + count
        controls = _CONTROL.search(text, start, stop)
        if controls is not None:
            return controls.start()
        if stop > len(text):
            return self._hold(text, at)
        sequence = text[at:stop]
        self._keys += keys_of_csi(sequence, "", "") if count == 1 else keys_of_x10_mouse(sequence)
        return stop

    def _ss3(self, text: str, at: int) -> int:
        found = _SS3.match(text, at)
        assert found is not None
        if found[2]:
            self._keys += keys_of_ss3(found[0], found[1], found[2])
        elif found.end() == len(text):
            return self._hold(text, at)
        else:
            self._press(Keys.Escape, _ESC)
            self._typed(found[0][1:])
        return found.end()

    def _ignore(self, text: str, at: int) -> int:
        found = _CSI_REST.match(text, at)
        assert found is not None
        stop = found.end()
        if stop < len(text):
            self._state = _State.GROUND
            if "@" <= text[stop] <= "~":
                stop += 1
        return stop

    def _open_string(self, text: str, at: int) -> int:
        if at + 2 == len(text):
            return self._hold(text, at)
        opener = text[at + 1]
        if _STRING_OPENS[opener].match(text, at + 2):
            self._state = _State.STRING
            self._string, self._string_size = io.StringIO(), 2
            self._string.write(text[at : at + 2])
        else:
            self._press(Keys.Escape, _ESC)
            self._press(opener, opener)
        return at + 2

    def _in_string(self, text: str, at: int) -> int:
        found = _STRING_BREAK.search(text, at)
        stop = found.start() if found else len(text)
        room = STRING_LIMIT - self._string_size
        if room > 0:
            self._string.write(text[at : min(stop, at + room)])
        self._string_size += stop - at
        if found is None:
            return stop
        ender = text[stop : stop + 2]
        if ender == _ESC:
            return self._hold(text, stop)
        whole, self._string = self._string.getvalue(), io.StringIO()
        self._state = _State.GROUND
        if ender[0] in "\x07\x9c" or ender == "\x1b\\":
            size = 2 if ender[0] == _ESC else 1
            if self._string_size <= STRING_LIMIT:
                self._string_reply(whole + text[stop : stop + size])
            return stop + size
        # Broken off. No reply holds control characters: this is a person, at the keys.
        return stop

    def _in_paste(self, text: str, at: int) -> int:
        found = text.find(_PASTE_END, at)
        stop = found if found >= 0 else len(text) - _overlap(text, at)
        self._add_to_paste(text[at:stop])
        if found < 0:
            return self._hold(text, stop)
        pasted, refused = self._paste.getvalue(), self._paste_refused
        self._begin_paste()
        self._state = _State.GROUND
        if not refused:
            self._press(Keys.BracketedPaste, _clean_paste(pasted))
        return stop + len(_PASTE_END)

    def _begin_paste(self) -> None:
        self._drop_paste()
        self._paste_refused = False

    def _add_to_paste(self, text: str) -> None:
        if self._paste_refused:
            return
        self._paste_size += len(text)
        size = getsizeof(text)
        reason = self._room(size) if self._room is not None else ""
        if not reason:
            self._paste_bytes += size
            self._paste.write(text)
        if self._paste_size > PASTE_LIMIT or reason:
            self._drop_paste()
            if self._on_refused is not None:
                self._on_refused(
                    f"Nothing of that paste was taken. {reason}" if reason else TOO_LONG
                )

    def _drop_paste(self) -> None:
        """Nothing of it is held, and nothing more of it is taken."""
        self._paste, self._paste_size, self._paste_refused = io.StringIO(), 0, True
        held, self._paste_bytes = self._paste_bytes, 0
        if held and self._room is not None:
            self._room(-held)

    # ------------------------------------------------------------------ text

    def _text(self, text: str, at: int) -> int:
        """A run of text, as keys."""
        found = _TEXT.match(text, at)
        if found is None:
            return at
        self._typed(found[0])
        return found.end()

    def _typed(self, text: str) -> None:
        for char in text:
            if not "\x80" <= char <= "\x9f":
                self._keys.append(KeyPress(SINGLE.get(char, char), char))

    # ------------------------------------------------------------------ replies

    def _is_reply(self, parameters: str, final: str, sequence: str) -> bool:
        """Whether a control sequence is a reply rather than a key; passes an expected one on."""
        if final == "R":
            if _CURSOR_POSITION.fullmatch(parameters) and self._due(Reply.CURSOR_POSITION):
                self._press(Keys.CPRResponse, sequence)
            return True
        if parameters[:1] not in ("?", ">", "="):
            return False
        if final in "cyu" and self._due(Reply(final)):
            self._reply(sequence)
        return True

    def _string_reply(self, string: str) -> None:
        if string[1] in "]P" and self._due(Reply(string[1])):
            self._reply(string)

    def _due(self, reply: Reply) -> bool:
        due = self._expected[reply] > 0
        if due:
            self._expected[reply] -= 1
        return due

    def _reply(self, text: str) -> None:
        if self._on_reply is not None:
            self._on_reply(text)

    # ------------------------------------------------------------------ small

    def _press(self, key: Keys | str, data: str) -> None:
        self._keys.append(KeyPress(key, data))

    def _hold(self, text: str, at: int) -> int:
        self._held = text[at:]
        return len(text)

    def _taken(self) -> list[KeyPress]:
        keys, self._keys = self._keys, []
        return keys


def _overlap(text: str, at: int) -> int:
    """How many characters at the end of `text` may be the beginning of the end of a paste."""
    for size in range(min(len(_PASTE_END) - 1, len(text) - at), 0, -1):
        if text.endswith(_PASTE_END[:size]):
            return size
    return 0


def _clean_paste(text: str) -> str:
    """The paste with prompt_toolkit's line ends, and no control characters but tab and newline."""
    return _UNPASTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
