"""The two lines around every screen: one says where you are and who is here, the other which keys
work now.

Both are rows for a `RowWindow`. The key of a row has all that is shown, so a line is made again
only if something on it has changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from datetime import datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from prompt_toolkit.application import get_app
from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.mouse_events import MouseEvent, MouseEventType

from tuihost.session.session import Session
from tuihost.text import clean
from tuihost.tui.characters import width_of
from tuihost.tui.widgets.cells import Fragments, fit, glyph, length, spread
from tuihost.tui.widgets.keymap import KeyLabel, labels, live_hints, parsed

COMPACT_ROWS = 14
"""Windows with fewer rows have no rules: each row is worth more than the line."""
NARROW = 60
"""Windows with fewer columns show only where one is, not who else is there."""
LEAST_TITLE = 9
"""Columns that the title has before anything but the status is shown beside it."""
GAP = 2
"""Blanks between the title and what stands at the right."""
PEOPLE_EVERY = 1.0
"""Seconds for which the number of people here is reused."""

Text = str | Callable[[], str]


def text_of(text: Text) -> str:
    """The text itself, or what it is now if it is a callable."""
    return text if isinstance(text, str) else text()


def compact(session: Session) -> bool:
    """Whether the window is too low for rules."""
    return session.terminal.size.rows < COMPACT_ROWS


class TitleBar:
    """`host · title`, and at the right the status, the person, how many are here, the time.

    TitleBar(session, "Notes", status=lambda: "unsaved")
    """

    def __init__(self, session: Session, title: Text, status: Text = "") -> None:
        self.session = session
        self.title = title
        self.status = status
        self._people = (0.0, 0)

    def row_count(self) -> int:
        return 1 if compact(self.session) else 2

    def row_key(self, index: int) -> Hashable:
        look = (self.session.theme, self.session.terminal.unicode)
        if index:
            return ("rule", look)
        return (
            "title",
            text_of(self.title),
            text_of(self.status),
            self._here(),
            clock(self.session),
            look,
        )

    def row(self, index: int, width: int) -> Fragments:
        session = self.session
        if index:
            return rule(session, width)
        title = clean(text_of(self.title))
        wanted = min(width_of(title), max(LEAST_TITLE, width // 3))
        before, about = self._beside(width - wanted - 2 - GAP)
        left: Fragments = [("class:bar", " "), ("class:bar,muted", before)]
        room = max(4, width - 2 - width_of(before) - width_of(about) - (GAP if about else 0))
        left.append(("class:title", fit(title, room, glyph(session, "ellipsis"))))
        return spread(left, [("class:bar,muted", f"{about} ")], width, "class:bar")

    def _beside(self, room: int) -> tuple[str, str]:
        """What stands before the title and at the right end: as much as has room beside it, the
        status first, then the time, the person, the host's name, and how many people are here."""
        session = self.session
        dot = f" {glyph(session, 'middot')} "
        status = fit(text_of(self.status), room, glyph(session, "ellipsis"))
        if not clock_shown(session):
            return "", status
        room -= width_of(status)
        offers = [clock(session), fit(session.user, 20), session.host.name, f"{self._here()} here"]
        fits = []
        for text in offers:
            room -= width_of(text) + len(dot)
            fits.append(text if room >= 0 else "")
        now, user, name, here = fits
        about = dot.join(text for text in (status, user, here, now) if text)
        return f"{name}{dot}" if name else "", about

    def _here(self) -> int:
        """How many people are here, asked at most once a second."""
        now = self.session.host.now()
        if not self._people[1] or not 0 <= now - self._people[0] < PEOPLE_EVERY:
            self._people = (now, max(1, len(self.session.host.people())))
        return self._people[1]


class KeyBar:
    """The keys that work now, read from the live bindings, and on the right how to leave.

    What does not fit is left out from the end; `?` always stays, since it shows the rest.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._shown: tuple[KeyLabel, ...] = ()

    def row_count(self) -> int:
        return 1 if compact(self.session) else 2

    def row_key(self, index: int) -> Hashable:
        look = (self.session.theme, self.session.terminal.unicode)
        if index < self.row_count() - 1:
            return ("rule", look)
        found = labels(live_hints(get_app()), unicode=self.session.terminal.unicode)
        self._shown = tuple(sorted(found, key=lambda shown: shown.rank))
        return ("keys", self._shown, look)

    def row(self, index: int, width: int) -> Fragments:
        if index < self.row_count() - 1:
            return rule(self.session, width)
        shown = list(self._shown)
        escape: Fragments = []
        if self.session.from_menu:
            escape = _piece(self.session.host.escape_label, "menu")
        leave = next((label for label in shown if label.label == "leave"), None)
        if leave is not None:
            shown.remove(leave)
            if not escape:
                escape = _piece(leave.keys, leave.label, leave.press)
        pinned = [label for label in shown if label.press in ("?", "f1")]
        room = width - 1 - length(escape) - sum(_width(label) for label in pinned)
        left: Fragments = [("class:bar", " ")]
        for label in shown:
            if label in pinned:
                continue
            room -= _width(label)
            if room < 0:
                break
            left += _piece(label.keys, label.label, label.press)
        for label in pinned:
            left += _piece(label.keys, label.label, label.press)
        return spread(left, escape, width, "class:bar")


def _piece(keys: str, label: str, press: str = "") -> Fragments:
    """A key and what it does; a click on it presses it, where `press` is a key."""
    if not press or press.startswith("<"):
        return [("class:key", keys), ("class:bar,muted", f" {label}  ")]

    def clicked(event: MouseEvent) -> object:
        if event.event_type is not MouseEventType.MOUSE_UP:
            return NotImplemented
        # The mouse event is itself a key that is being processed: this one comes next.
        processor = get_app().key_processor
        processor.feed_multiple([KeyPress(key) for key in parsed(press)], first=True)
        return None

    return [("class:key", keys, clicked), ("class:bar,muted", f" {label}  ", clicked)]


def _width(label: KeyLabel) -> int:
    return width_of(label.keys) + width_of(label.label) + 3


def rule(session: Session, width: int) -> Fragments:
    """A line across the screen, with one free cell at each end."""
    return [("class:border", " " + glyph(session, "rule") * max(0, width - 2) + " ")]


def clock_shown(session: Session) -> bool:
    """Whether the time has room in the title line."""
    return session.terminal.size.columns >= NARROW


def clock(session: Session) -> str:
    """The time where the person is, if their TZ is known here, else where the host is."""
    zone = _zone(session.env.get("TZ", ""))
    now = session.host.now()
    if zone is None:
        return time.strftime("%H:%M", time.localtime(now))
    return datetime.fromtimestamp(now, zone).strftime("%H:%M")


@lru_cache(maxsize=256)
def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (OSError, ValueError, KeyError):  # no such zone, or not even a name
        return None
