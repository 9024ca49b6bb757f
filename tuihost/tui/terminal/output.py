"""prompt_toolkit's view of a person's terminal: what it can show, and one write a frame.

Nothing here has a descriptor or reads the server's environment: size, colours and character set
are the facts of the terminal that is attached now.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO, cast

from prompt_toolkit.cursor_shapes import CursorShape
from prompt_toolkit.data_structures import Size
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output import vt100 as vt100_module
from prompt_toolkit.output.vt100 import Vt100_Output, _EscapeCodeCache
from prompt_toolkit.styles import Attrs

from tuihost.terminal_facts import Colors, TerminalFacts
from tuihost.text import clean
from tuihost.tui.terminal.ascii import to_ascii

SYNC_BEGIN = b"\x1b[?2026h"
SYNC_END = b"\x1b[?2026l"

RESTORE = (
    SYNC_END
    + b"\x1b[?1006l\x1b[?1015l\x1b[?1003l\x1b[?1002l\x1b[?1000l"  # mouse
    + b"\x1b[?2004l"  # bracketed paste
    + b"\x1b[?1004l"  # focus reports
    + b"\x1b[?1l"  # cursor keys
    + b"\x1b]8;;\x1b\\"  # link
    + b"\x1b[?7h"  # autowrap
    + b"\x1b[0 q"  # cursor shape
    + b"\x1b[0m"
    + b"\x1b[?25h"
    + b"\x1b[23;2t"  # title
)
"""The goodbye that gives a person their terminal back. It may be sent at any moment of a frame,
without knowing what was switched on, and more than once. What may be undone only where it was done
is in `TerminalOutput.restore`."""

LEAVE_ALTERNATE = b"\x1b[?1049l"
"""Not part of it: on the normal screen it would put the cursor where that was when the alternate
screen was last entered, and what is written next over what stands there."""

CURSOR_COLOR_OFF = b"\x1b]112\x1b\\"

RESTORE_PLAIN = b"\x1b[?1l\x1b[?7h\x1b[0m\x1b[?25h"
"""The same for terminals that would print the rest."""

CLIPBOARD_LIMIT = 75_000
"""Bytes of base64 in one OSC 52; terminals drop longer ones."""

_DEPTHS = {
    Colors.MONO: ColorDepth.DEPTH_1_BIT,
    Colors.ANSI16: ColorDepth.DEPTH_4_BIT,
    Colors.ANSI256: ColorDepth.DEPTH_8_BIT,
    Colors.TRUE: ColorDepth.DEPTH_24_BIT,
}

CODES_KEPT = 8_192
"""Attributes of which the process remembers the sequences, at each colour depth: an app that blends
colours has new ones in every frame, and prompt_toolkit would keep them all."""


class _Codes(_EscapeCodeCache):
    def __missing__(self, attrs: Attrs) -> str:
        if len(self) >= CODES_KEPT:
            self.clear()
            # Those of the nearest of 16 and of 256 colours, which it fills.
            vt100_module._256_colors.clear()
            vt100_module._16_fg_colors._cache.clear()
            vt100_module._16_bg_colors._cache.clear()
        return super().__missing__(attrs)


_CODES: dict[ColorDepth, _EscapeCodeCache] = {depth: _Codes(depth) for depth in ColorDepth}

# The kitty keyboard protocol is turned on: `CSI > flags u` and `CSI = flags ; mode u`.
_KITTY_ON = re.compile(r"\x1b\[[>=][0-9;]*u")
KITTY_OFF = b"\x1b[<u"
"""Konsole 22.12 takes it for a cursor to restore, and does not know the protocol."""

_ERASE_IN_COLOR = (
    *("xterm", "tmux", "alacritty", "foot", "wezterm", "konsole", "vte", "gnome", "putty", "rxvt"),
    *("st-", "contour", "rio", "ghostty", "iterm", "mintty", "mlterm", "kitty", "nsterm"),
)
"""Not `screen`: GNU's is without, unless it is told otherwise, and tmux may call itself that."""

# What could steer the terminal from inside a text; tab and line ends stay.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class WritableTerminal(Protocol):
    """What an output needs from a terminal to draw on it."""

    @property
    def facts(self) -> TerminalFacts: ...

    @property
    def congested(self) -> bool: ...

    def write(self, data: bytes) -> object: ...

    def on_drain(self, callback: Callable[[], None]) -> object: ...


def erases_in_color(term: str) -> bool:
    """Whether what is erased gets the background that is set (the capability `bce`)."""
    return term.lower().startswith(_ERASE_IN_COLOR)


def is_plain(term: str) -> bool:
    """Whether a terminal is too old or too simple for anything but the sequences of a VT100."""
    name = term.lower()
    plain = ("linux", "ansi", "cygwin", "dumb", "unknown", "", "syncterm")
    return name in plain or name.startswith(("vt", "ansi-bbs"))


def sgr(attrs: Attrs, depth: ColorDepth) -> str:
    """The sequence that sets exactly these attributes."""
    return _CODES[depth][attrs]


_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "6": "25", "7": "27", "8": "28"}
_OFF |= {"9": "29", "38": "39", "48": "49"}
_COLORS = {"3": "38", "9": "38", "4": "48", "10": "48"}
_LONG = {"2": 5, "5": 3}  # parameters of a colour, by the second of them


def _attributes(sequence: str) -> dict[str, str]:
    """What a sequence of `sgr` sets: each attribute, and the parameters that set it. Colours have
    the names 38 and 48."""
    found: dict[str, str] = {}
    given = sequence.removeprefix("\x1b[").removesuffix("m").split(";")
    at = 0
    while at < len(given):
        name, count = given[at], 1
        if name in ("38", "48"):
            count = _LONG[given[at + 1]]
        elif len(name) > 1:
            name = _COLORS[name[:-1]]
        if name != "0":
            found[name] = ";".join(given[at : at + count])
        at += count
    return found


def background_of(sequence: str) -> str:
    """The parameters of the background in a sequence of `sgr`; empty for the terminal's own."""
    return _attributes(sequence).get("48", "")


def sgr_step(before: str, after: str) -> str:
    """What turns the attributes that one sequence of `sgr` set into those of another. For terminals
    that know how to turn single ones off, as all since xterm do."""
    was, now = _attributes(before), _attributes(after)
    off = {_OFF[name] for name in was if name not in now}
    on = [
        value
        for name, value in now.items()
        if was.get(name) != value or ("22" in off and name in ("1", "2"))
    ]
    return f"\x1b[{';'.join((*sorted(off), *on))}m" if off or on else ""


def restore(facts: TerminalFacts, *, alternate: bool = False) -> bytes:
    """The goodbye for the terminal of these facts; `alternate` where that is the screen that
    it shows."""
    if facts.dumb:
        return b""
    if is_plain(facts.term):
        return RESTORE_PLAIN
    return RESTORE + LEAVE_ALTERNATE if alternate else RESTORE


class TerminalOutput(Vt100_Output):
    """Writes escape sequences for one terminal; `flush` hands over all that was written as one
    bytes object, inside a synchronized update (mode 2026) if the terminal may know that.

    Thread: the app's.
    """

    def __init__(self, terminal: WritableTerminal, *, cpr: bool = False) -> None:
        # There is no stream: code that writes past the output is told so by TextIOBase.
        super().__init__(cast(TextIO, io.TextIOBase()), self._columns_and_rows, enable_cpr=cpr)
        # The codes of an attribute are the same for everybody.
        self._escape_code_caches = _CODES
        self._terminal = terminal
        self._holding = 0
        self._title_saved = False
        self.use(terminal.facts)

    def use(self, facts: TerminalFacts) -> None:
        """Draws for a terminal of these facts from now on, of which nothing else is known: not
        whether its cursor is shown, not its title. What was not flushed is dropped."""
        self.term = facts.term
        self.plain = is_plain(facts.term)
        """No synchronized updates, titles, links, cursor shapes, clipboard."""
        self.erases_in_color = erases_in_color(facts.term)
        self.default_color_depth = _DEPTHS[facts.colors]
        self._unicode = facts.unicode
        self._buffer.clear()
        self._cursor_visible = None
        self._cursor_shape_changed = False
        self._title_saved = False
        self._cursor_color = ""
        self._kitty_on = False
        self.alternate = False
        """Whether the alternate screen is shown, once all is flushed."""

    # ---------------------------------------------------------------- what prompt_toolkit asks

    def _columns_and_rows(self) -> Size:
        size = self._terminal.facts.size
        return Size(rows=size.rows, columns=size.columns)

    def fileno(self) -> int:
        """There is none. NotImplementedError and nothing else: on an AttributeError
        prompt_toolkit falls back to the server's own stdout."""
        raise NotImplementedError("a terminal behind SSH has no descriptor")

    def encoding(self) -> str:
        return "utf-8" if self._unicode else "ascii"

    @property
    def responds_to_cpr(self) -> bool:
        """Whether to ask where the cursor is: only if asked for, only for inline apps."""
        return self.enable_cpr and not self._terminal.facts.dumb

    # ---------------------------------------------------------------- bytes

    def flush(self) -> None:
        """Sends all that was written as one piece; does nothing while held or without any."""
        if self._holding or not self._buffer:
            return
        text = "".join(self._buffer)
        data = self._encoded(text)
        self._buffer.clear()
        if "\x1b[>" in text or "\x1b[=" in text:
            self._kitty_on = self._kitty_on or _KITTY_ON.search(text) is not None
        self._terminal.write(data if self.plain else b"%b%b%b" % (SYNC_BEGIN, data, SYNC_END))

    @contextmanager
    def held(self) -> Iterator[None]:
        """What is flushed inside waits for the first flush after it."""
        self._holding += 1
        try:
            yield
        finally:
            self._holding -= 1

    def _encoded(self, text: str) -> bytes:
        if self._unicode or text.isascii():
            # A lone surrogate cannot be encoded; it must not cost the frame.
            return text.encode("utf-8", "replace")
        return to_ascii(text).encode("ascii", "replace")

    def write(self, data: str) -> None:
        """Text as it is; control characters that could steer the terminal become `?`."""
        self._buffer.append(_CONTROLS.sub("?", data))

    # ---------------------------------------------------------------- modes

    def enable_mouse_support(self) -> None:
        """Clicks, wheel and drags (1000, 1002) in SGR form (1006); not every motion (1003), which
        costs a packet a cell."""
        if not self.plain:
            self.write_raw("\x1b[?1000h\x1b[?1002h\x1b[?1006h")

    def disable_mouse_support(self) -> None:
        if not self.plain:
            self.write_raw("\x1b[?1006l\x1b[?1002l\x1b[?1000l")

    def enter_alternate_screen(self) -> None:
        """The alternate screen; a terminal without one is cleared when it is left."""
        self.alternate = True
        self.write_raw("\x1b[H" if self.plain else "\x1b[?1049h\x1b[H")

    def quit_alternate_screen(self) -> None:
        self.alternate = False
        self.write_raw("\x1b[H\x1b[J" if self.plain else "\x1b[?1049l")

    def set_cursor_shape(self, cursor_shape: CursorShape) -> None:
        if not self.plain:
            super().set_cursor_shape(cursor_shape)

    def set_cursor_color(self, color: str) -> None:
        """Draws the text cursor in `#rrggbb`, or in the terminal's own colour if that is empty
        (OSC 12 and 112)."""
        if self.plain or color == self._cursor_color:
            return
        self._cursor_color = color
        self.write_raw(f"\x1b]12;{color}\x1b\\" if color else CURSOR_COLOR_OFF.decode())

    # ---------------------------------------------------------------- title, clipboard

    def set_title(self, title: str) -> None:
        """Sets the window's title, cleaned; the one before is saved the first time."""
        if self.plain:
            return
        if not self._title_saved:
            self._title_saved = True
            self.write_raw("\x1b[22;2t")
        self.write_raw(f"\x1b]2;{clean(title, limit=200)}\x1b\\")

    def clear_title(self) -> None:
        """Gives the window the title back that it had before `set_title`."""
        if self._title_saved:
            self._title_saved = False
            self.write_raw("\x1b[23;2t")

    def copy(self, text: str) -> bool:
        """Puts `text` on the clipboard of the person's machine (OSC 52). False if it is too
        long or the terminal cannot. Whether a terminal obeys, it does not say."""
        data = base64.b64encode(text.encode("utf-8", "replace"))
        if self.plain or self._terminal.facts.dumb or len(data) > CLIPBOARD_LIMIT:
            return False
        self.write_raw(f"\x1b]52;c;{data.decode('ascii')}\x07")
        self.flush()
        return True

    def restore(self) -> bytes:
        """The goodbye for this terminal, as it is now."""
        undo = KITTY_OFF if self._kitty_on else b""
        undo += CURSOR_COLOR_OFF if self._cursor_color else b""
        return undo + restore(self._terminal.facts, alternate=self.alternate)
