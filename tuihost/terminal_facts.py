"""Facts about a person's terminal, worked out from what the client sent and nothing else.

TERM, LANG, COLORTERM and NO_COLOR are the client's; the server's own environment is never read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum

from tuihost.wire import PtyRequest, WindowSize


class Colors(IntEnum):
    """How many colours a terminal shows, as bits."""

    MONO = 1
    ANSI16 = 4
    ANSI256 = 8
    TRUE = 24


_TRUE_COLOR_TERMS = (
    "xterm-kitty",
    "xterm-ghostty",
    "alacritty",
    "wezterm",
    "foot",
    "contour",
    "rio",
)
_MONO_TERMS = ("vt100", "vt102", "vt220", "xterm-mono")
_CP437_TERMS = ("syncterm", "ansi-bbs", "ansi-bbs-256color")
"""Terminals for mailboxes: whatever the locale says, they know no UTF-8."""
_TRUE_COLOR_PROGRAMS = ("iterm2", "iterm.app", "wezterm", "vscode", "ghostty")


@dataclass(frozen=True, slots=True)
class TerminalFacts:
    """What is known about a terminal. `pty` is False for a session without one, and `dumb` is True
    for a terminal that cannot move its cursor: both get plain lines instead of screens."""

    term: str = "xterm-256color"
    size: WindowSize = WindowSize()
    colors: Colors = Colors.ANSI256
    unicode: bool = True
    pty: bool = True
    erase: str = "\x7f"
    sized: bool = True
    """Whether the client said how wide it is; without a pty, by COLUMNS."""
    cooked: bool = True
    """Whether a command reads lines; on a pty, the host then makes the lines out of keys."""

    @property
    def dumb(self) -> bool:
        return not self.pty or self.term in ("dumb", "unknown", "")

    def resized(self, size: WindowSize) -> TerminalFacts:
        return replace(self, size=size)


def colors_of(term: str, env: Mapping[str, str]) -> Colors:
    """The colours that TERM and the client's environment promise (https://no-color.org)."""
    name = term.lower()
    if env.get("NO_COLOR") or name in ("dumb", "unknown", "") or name in _MONO_TERMS:
        return Colors.MONO
    program = (env.get("LC_TERMINAL") or env.get("TERM_PROGRAM") or "").lower()
    if (
        env.get("COLORTERM", "").lower() in ("truecolor", "24bit")
        or name.startswith(_TRUE_COLOR_TERMS)
        or name.endswith("-direct")
        or program in _TRUE_COLOR_PROGRAMS
    ):
        return Colors.TRUE
    if name.endswith(("-16color", "-88color")):
        return Colors.ANSI16
    if "256color" in name or name.startswith(
        ("xterm", "screen-256", "tmux", "rxvt-unicode", "putty")
    ):
        return Colors.ANSI256
    return Colors.ANSI16


def wants_colors(env: Mapping[str, str]) -> bool:
    """Whether somebody without a terminal asks for colours anyway (https://force-color.org);
    NO_COLOR overrides that."""
    asked = env.get("FORCE_COLOR", "") or env.get("CLICOLOR_FORCE", "")
    return asked not in ("", "0") and not env.get("NO_COLOR")


def speaks_unicode(term: str, env: Mapping[str, str]) -> bool:
    """Whether characters beyond ASCII can be shown: by the locale if the client sent one, else
    yes for everything except the Linux console and old hardware terminals."""
    if term.lower() in _CP437_TERMS:
        return False
    locale = env.get("LC_ALL") or env.get("LC_CTYPE") or env.get("LANG")
    if locale:
        return "utf-8" in locale.lower() or "utf8" in locale.lower()
    return term.lower() not in (*_MONO_TERMS, "linux", "ansi", "cygwin", "dumb")


VERASE, ICANON = 3, 51  # RFC 4254 §8


def facts_of(pty: PtyRequest | None, env: Mapping[str, str]) -> TerminalFacts:
    """The facts of a session that asked for `pty` (or for none) and sent `env`. ACCESSIBLE means
    that the person wants plain lines, as `TERM=dumb` does."""
    if pty is None:
        columns = env.get("COLUMNS", "")
        sized = columns.isascii() and columns.isdecimal() and 0 < len(columns) < 5
        return TerminalFacts(
            term="dumb",
            size=WindowSize.clamped(int(columns) if sized else 0, 0),
            colors=Colors.ANSI256 if wants_colors(env) else Colors.MONO,
            unicode=speaks_unicode("", env),
            pty=False,
            sized=sized,
        )
    erase = pty.modes.get(VERASE, 0x7F)
    term = "dumb" if env.get("ACCESSIBLE", "") not in ("", "0") else pty.term
    return TerminalFacts(
        term=term,
        size=pty.size,
        colors=colors_of(term, env),
        unicode=speaks_unicode(term, env),
        erase=chr(erase) if 0 < erase < 0x80 else "\x7f",
        cooked=pty.modes.get(ICANON, 1) != 0,
    )
