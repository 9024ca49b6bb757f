"""What a terminal does for a program that reads lines: echo, editing, and the keys that end it.

With a pty the client's terminal is raw (RFC 4254 §6.2): each key comes as it is pressed, and nobody
shows it. For commands this side does what an operating system's terminal driver would (termios(3),
"canonical mode"), and no more.
"""

from __future__ import annotations

import codecs
import re

from wcwidth import wcwidth

BELL = "\a"
MAX_TYPED = 4096  # characters of one line
TOO_LONG = f"Nothing of that line was taken: it is longer than {MAX_TYPED:,} characters."
MAX_READY = 256 * 1024  # bytes typed ahead of the reader

# The special characters of termios(3).
INTR, QUIT, EOF, KILL, WERASE = "\x03", "\x1c", "\x04", "\x15", "\x17"
ERASE = ("\x7f", "\x08")
_SIGNALS = {INTR: "INT", QUIT: "QUIT"}
_ESCAPE, _STRING = "\x1b", "\x1b]"
_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|\][^\x07\x1b]*(?:\x07|\x1b\\)|[^\[\]O\x1b])", re.DOTALL
)
_LONGEST = 64  # characters of a sequence; longer ones are text again


class LineDiscipline:
    """Makes lines of keys. `feed` returns what to show; `signals` collects those that were typed.

    Keys that send a sequence, such as the arrows, mean nothing here and are dropped. A line that is
    too long is never cut, which could mean something else: it is refused when it ends, as `refused`
    counts and the echo says. Until then it can be made shorter.
    """

    def __init__(self, erase: str = "\x7f") -> None:
        self._erase = {*ERASE, erase}
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._line: list[str] = []
        self._over = 0  # characters typed behind a full line
        self._ready = bytearray()
        self._sequence = ""
        self._after_return = self.ended = False
        self.signals: list[str] = []
        self.refused = 0
        self.echo = True
        """Whether what is typed is shown; the end of a line always is."""

    @property
    def full(self) -> bool:
        """Whether so much was typed ahead that no more is taken."""
        return len(self._ready) >= MAX_READY

    def feed(self, data: bytes) -> bytes:
        """Takes bytes of keys, and returns the echo."""
        shown = [self._key(char) for char in self._decoder.decode(data)]
        if not self.echo:
            shown = [said if TOO_LONG in said else "\r\n" * said.count("\n") for said in shown]
        return "".join(shown).encode()

    def end(self) -> bytes:
        """No more keys will come. What to show if the unfinished line is refused."""
        said = self._hand_over("")
        self.ended = True
        return said.encode()

    def take(self, limit: int) -> bytes | None:
        """At most `limit` bytes of whole lines; b"" at the end, None if nothing is ready."""
        if self._ready:
            data = bytes(self._ready[:limit])
            del self._ready[:limit]
            return data
        return b"" if self.ended else None

    def _in_sequence(self, char: str) -> bool:
        """Whether `char` belongs to a sequence. A control key ends one that is not at its end."""
        if char == _ESCAPE and not self._sequence.startswith(_STRING):
            self._sequence = char
        elif char == _ESCAPE or (self._sequence and char >= " "):
            self._sequence += char
        else:
            self._sequence = ""
        if not self._sequence:
            return False
        if _SEQUENCE.fullmatch(self._sequence) or len(self._sequence) > _LONGEST:
            self._sequence = ""
        return True

    def _key(self, char: str) -> str:
        if self._in_sequence(char):
            return ""
        after_return, self._after_return = self._after_return, char == "\r"
        if char == "\n" and after_return:
            return ""
        if char in "\r\n":
            return "\r\n" + self._hand_over("\n")
        if char in _SIGNALS:
            self._clear()
            self.signals.append(_SIGNALS[char])
            return "^C\r\n" if char == INTR else "^\\\r\n"
        if char == EOF:
            if self._line:  # the unfinished line is handed over as it is
                return self._hand_over("")
            self.ended = True
            return ""
        return self._edited(char)

    def _hand_over(self, end: str) -> str:
        """The line is complete. What to show if it is refused."""
        over, line = self._over, "".join(self._line)
        self._clear()
        if over:
            self.refused += 1
            begin = "" if end else "\r\n"  # else the cursor is behind the line
            return f"{begin}{TOO_LONG}\r\n"
        self._ready += (line + end).encode()
        return ""

    def _clear(self) -> None:
        self._line.clear()
        self._over = 0

    def _edited(self, char: str) -> str:
        if self._over and char != KILL:
            return self._behind(char)
        if char in self._erase:
            return _erased([self._line.pop()]) if self._line else ""
        if char == KILL:
            gone = list(self._line)
            self._clear()
            return _erased(gone)
        if char == WERASE:
            at = len(self._line)
            while at and self._line[at - 1] == " ":
                at -= 1
            while at and self._line[at - 1] != " ":
                at -= 1
            gone, self._line = self._line[at:], self._line[:at]
            return _erased(gone)
        if not (char.isprintable() or char == "\t"):
            return ""
        if len(self._line) >= MAX_TYPED:
            return self._behind(char)
        self._line.append(char)
        return char

    def _behind(self, char: str) -> str:
        """A key behind a line that is full: what is typed there is not seen, so it rings the bell,
        and has to be rubbed out again."""
        if char in self._erase:
            self._over -= 1
            return ""
        if char.isprintable() or char == "\t":
            self._over += 1
        return BELL


def _erased(chars: list[str]) -> str:
    return "\b \b" * sum(max(0, wcwidth(char)) for char in chars)
