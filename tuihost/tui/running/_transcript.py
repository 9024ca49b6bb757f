"""What a session has said on a screen, as rows."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prompt_toolkit.formatted_text import StyleAndTextTuples
from rich.protocol import is_renderable
from rich.text import Text

from tuihost.text import clean
from tuihost.tui.layout.renderables import render_lines
from tuihost.wire import Stream

if TYPE_CHECKING:
    from tuihost.session.session import Stage
    from tuihost.theme.theme import Theme
    from tuihost.tui.layout.renderables import Line

KEPT = 2000
"""Things said that stay to be scrolled back to."""
OPEN_ROWS = 10
"""Rows of a line that is written in pieces; what follows begins a line of its own, so that each
piece costs the same however much was written before it."""

BOX_WIDTH = 60
"""Columns of a box over a screen, at most."""


def box_columns(columns: int) -> int:
    """What such a box holds in a window of so many columns."""
    return min(BOX_WIDTH, columns - (4 if columns >= BOX_WIDTH else 0)) - 6


@dataclass(frozen=True, slots=True)
class Look:
    """What rows are drawn for."""

    width: int
    theme: Theme
    unicode: bool


class Entry:
    """One thing that was said, and its rows for what they were drawn for last."""

    __slots__ = ("drawn_for", "rows", "what")

    def __init__(self, what: Any) -> None:
        self.what = what
        self.rows: tuple[Line, ...] = ()
        self.drawn_for: Look | None = None


class Transcript:
    """A `RowSource` of all that was said; each thing is drawn anew only when it, the width or the
    theme changes. Thread: the session's."""

    def __init__(self, stage: Stage, width: Callable[[], int], *, margin: int = 0) -> None:
        self._stage = stage
        self._width = width
        self._margin = " " * margin
        self._entries: list[Entry] = []
        self._rows: list[Line] = []
        self._drawn = 0  # entries whose rows these are
        self._drawn_for: Look | None = None
        self._open: dict[Stream, tuple[Entry, str]] = {}
        self._decoders = {
            stream: codecs.getincrementaldecoder("utf-8")("replace") for stream in Stream
        }

    @property
    def width(self) -> int:
        """Cells of a row."""
        return max(1, self._width())

    def __bool__(self) -> bool:
        return bool(self._entries)

    def ends_with(self, text: str, stream: Stream) -> bool:
        """Whether that text was said last."""
        return bool(self._entries) and self._entries[-1].what == _line(text, stream)

    # ---------------------------------------------------------------- saying

    def add(self, what: Any) -> Entry:
        """One thing more; what is written next begins a line."""
        self._open.clear()
        return self._append(what)

    def print(self, items: Sequence[Any], stream: Stream) -> None:
        """What `session.print` is given: texts side by side share a line."""
        words: list[str] = []
        for item in items:
            if is_renderable(item) and not isinstance(item, str):
                if words:
                    self.add(_line(" ".join(words), stream))
                words = []
                self.add(item)
            else:
                words.append(str(item))
        if words or not items:
            self.add(_line(" ".join(words), stream))

    def write(self, data: bytes, stream: Stream) -> None:
        """Bytes that are text, cut anywhere: a line is shown as far as it has come."""
        first, *others = self._decoders[stream].decode(data).split("\n")
        self._continue(first, stream)
        for text in others:
            if self._open.pop(stream, None) is None:
                self._append(_line("", stream))
            self._continue(text, stream)

    def _continue(self, text: str, stream: Stream) -> None:
        if not text:
            return
        entry, before = self._open.get(stream) or (self._append(""), "")
        text, most = before + text, OPEN_ROWS * self.width
        while len(text) > most:
            self.change(entry, _line(text[:most], stream))
            entry, text = self._append(""), text[most:]
        self._open[stream] = entry, text
        self.change(entry, _line(text.removesuffix("\r"), stream))

    def change(self, entry: Entry, what: Any) -> None:
        """Says something else in the place of `entry`."""
        last = bool(self._entries) and self._entries[-1] is entry
        if not last:
            self._drawn_for = None
            if entry not in self._entries:
                self._entries.append(entry)  # it was taken away meanwhile
        elif self._drawn == len(self._entries):
            del self._rows[len(self._rows) - len(entry.rows) :]
            self._drawn -= 1
        entry.what, entry.drawn_for = what, None

    def _append(self, what: Any) -> Entry:
        entry = Entry(what)
        self._entries.append(entry)
        if len(self._entries) > KEPT:
            del self._entries[: KEPT // 4]
            self._drawn_for = None
        return entry

    def take(self) -> list[Any]:
        """All that was said, which is then forgotten."""
        said = [entry.what for entry in self._entries]
        self._entries.clear()
        self._open.clear()
        self._drawn_for = None
        return said

    # ---------------------------------------------------------------- rows

    def _draw(self) -> None:
        wanted = Look(self.width, self._stage.theme, self._stage.facts.unicode)
        if self._drawn_for != wanted:
            self._rows, self._drawn, self._drawn_for = [], 0, wanted
        for entry in self._entries[self._drawn :]:
            self._rows += self._rows_of(entry, wanted)
        self._drawn = len(self._entries)

    def _rows_of(self, entry: Entry, look: Look) -> tuple[Line, ...]:
        if entry.drawn_for != look:
            entry.drawn_for = look
            drawn = render_lines(entry.what, look.width, look.theme, unicode=look.unicode)
            entry.rows = drawn or ((),)
        return entry.rows

    def row_count(self) -> int:
        self._draw()
        return len(self._rows)

    def row(self, index: int, width: int) -> StyleAndTextTuples:
        return [("", self._margin), *self._rows[index]]

    def row_key(self, index: int) -> Hashable:
        return (index, self._rows[index])


class ScreenLine:
    """Progress on a screen: one entry of a transcript, drawn again where it stands."""

    redraws = True

    def __init__(self, transcript: Transcript, changed: Callable[[], None]) -> None:
        self._transcript = transcript
        self._changed = changed
        self._entry: Entry | None = None

    @property
    def width(self) -> int:
        return self._transcript.width

    def show(self, text: str) -> None:
        if self._entry is None:
            self._entry = self._transcript.add(text)
        else:
            self._transcript.change(self._entry, text)
        self._changed()

    def end(self) -> None:
        """It stays among what was said."""


def _line(text: str, stream: Stream) -> Text:
    return Text(clean(text, lines=True), style="error" if stream is Stream.ERR else "")
