"""The gauges: what the host is doing, in numbers and as lines of the last five minutes."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from tuihost import Session, counted, duration, size_of
from tuihost.widgets import Fragments, glyph, pad, sparkline, spread

from .samples import Sample, Slices, means, slices
from .words import percent

LOW = 14
"""Windows with fewer rows show only the essential gauges."""
NARROW = 60
"""Windows with fewer columns use shorter words."""
WIDE = 150
"""The fewest columns at which the gauges are shown side by side."""
LONGEST = 120
"""The most cells of a line; each stands for two seconds or more."""
INDENT = 3


@dataclass(frozen=True, slots=True)
class Gauge:
    """One thing that is measured. Its line goes from zero to `top`, or to the first double of that
    which has room for every value, so that the scale seldom changes."""

    label: str
    measure: Callable[[Sample], float | None]
    text: Callable[[Sample], str]
    short: Callable[[Sample], str]
    top: float


def _gauge(
    label: str,
    measure: Callable[[Sample], float | None],
    text: Callable[[Sample], str],
    top: float,
    short: Callable[[Sample], str] | None = None,
) -> Gauge:
    return Gauge(label, measure, text, short or text, top)


def load_text(load: float) -> str:
    """A load in at most four characters: `0.42`, `12.6`, `180`."""
    return f"{load:.{2 if load < 9.995 else 1 if load < 99.95 else 0}f}"


def _loads(sample: Sample) -> str:
    return "  ".join(map(load_text, sample.load))


CPU = _gauge("CPU", lambda now: now.cpu, lambda now: percent(now.cpu), 100.0)
LOAD = _gauge(
    "Load",
    lambda now: now.load[0],
    _loads,
    float(os.cpu_count() or 1),
    lambda now: load_text(now.load[0]),
)
MEMORY = _gauge("Memory", lambda now: now.memory, lambda now: size_of(now.memory), 64.0 * 2**20)
SESSIONS = _gauge("Sessions", lambda now: now.sessions, lambda now: f"{now.sessions}", 4.0)
CONNECTIONS = _gauge(
    "Connections", lambda now: now.connections, lambda now: f"{now.connections}", 4.0
)
THREADS = _gauge("Threads", lambda now: now.threads, lambda now: f"{now.threads}", 16.0)

ALL = (CPU, LOAD, MEMORY, SESSIONS, CONNECTIONS, THREADS)
ESSENTIAL = (CPU, LOAD, MEMORY, SESSIONS)


class Board:
    """Rows for a `RowWindow`, which change only when `show` is called."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._now: Sample | None = None
        self._samples: Sequence[Sample] = ()
        self._rows: list[Fragments] = []
        self._made_of: Hashable = None

    def show(self, now: Sample, samples: Sequence[Sample]) -> None:
        self._now, self._samples = now, samples

    # ------------------------------------------------------------------ rows

    def row_count(self) -> int:
        """Asked once a frame: the rows are made anew here if something has changed."""
        session = self.session
        made_of = (
            self._now,
            session.terminal.size,
            session.theme.invalidation,
            session.terminal.unicode,
        )
        if made_of != self._made_of:
            self._made_of = made_of
            self._rows = self._draw(self._now) if self._now is not None else []
        return len(self._rows)

    def row_key(self, index: int) -> Hashable:
        return (index, self._made_of)

    def row(self, index: int, width: int) -> Fragments:
        return self._rows[index]

    def _draw(self, now: Sample) -> list[Fragments]:
        size = self.session.terminal.size
        if size.rows < LOW:
            stuck = [self._stuck(now)] if now.stuck else []
            return [self._headline(now), *self._column(ESSENTIAL, now, size.columns), *stuck]
        if size.columns >= WIDE:
            half = size.columns // 2
            left = self._column(ALL[:3], now, half)
            right = self._column(ALL[3:], now, size.columns - half)
            lines = [[*first, *second] for first, second in zip(left, right, strict=True)]
        else:
            lines = self._column(ALL, now, size.columns)
        return [[], self._headline(now), [], *lines, []]

    def _headline(self, now: Sample) -> Fragments:
        """How long the host has been up, and which time the lines cover."""
        up = f"Up {duration(now.uptime, units=2, short=True)}"
        narrow = self.session.terminal.size.columns < NARROW
        left: Fragments = [("", " " * INDENT), ("class:title", up)]
        if not narrow:
            total = counted(now.sessions_total, "session")
            dot = glyph(self.session, "middot")
            left.append(("class:muted", f" {dot} {total} since it started"))
        right: Fragments = [("class:muted", "5 min " if narrow else "the last 5 minutes  ")]
        return spread(left, right, self.session.terminal.size.columns)

    def _column(self, gauges: Sequence[Gauge], now: Sample, width: int) -> list[Fragments]:
        narrow = width < NARROW
        label, text = (10, 9) if narrow else (13, 19)
        margin = 1 if narrow else 2
        cells = min(LONGEST, max(0, width - INDENT - label - text - margin))
        parts = slices(self._samples, now.at, cells)
        lines: list[Fragments] = []
        for gauge in gauges:
            words = (gauge.short if narrow else gauge.text)(now)
            line: Fragments = [
                ("", " " * INDENT),
                ("class:muted", pad(gauge.label, label)),
                ("class:text", words),
            ]
            room = text - len(words)
            if gauge is THREADS and now.stuck:
                mark = f"  {glyph(self.session, 'warn')} {now.stuck} stuck"
                line.append(("class:warning", mark))
                room -= len(mark)
            line.append(("", " " * max(0, room)))
            line += [*self._line(gauge, parts), ("", " " * margin)]
            lines.append(spread(line, [], width))
        return lines

    def _line(self, gauge: Gauge, parts: Slices) -> Fragments:
        """The measure over time, with dots in the gaps."""
        values = means(parts, gauge.measure)
        top = gauge.top
        while top < max((value for value in values if value is not None), default=0.0):
            top *= 2
        # In ASCII the dot would be a dash, which is also one of the heights of a line.
        dot = glyph(self.session, "middot") if self.session.terminal.unicode else " "
        fragments: Fragments = []
        run: list[float] = []
        for value in [*values, None]:
            if value is not None:
                run.append(value)
                continue
            if run:
                fragments += sparkline(run, len(run), self.session, top=top)
                run = []
            fragments.append(("class:chart.muted", dot))
        return fragments[:-1]  # without the dot that ended the last run

    def _stuck(self, now: Sample) -> Fragments:
        mark = f"{glyph(self.session, 'warn')} {counted(now.stuck, 'thread')} stuck"
        return [("", " " * INDENT), ("class:warning", mark)]
