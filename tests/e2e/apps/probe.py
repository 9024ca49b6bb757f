"""Shows what arrives from a terminal: keys, pastes, clicks, sizes. And fails on request."""

from __future__ import annotations

import itertools
import json
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.layout.containers import HSplit, Window
from prompt_toolkit.layout.controls import FormattedTextControl

from tuihost import Accepts, App, Session, command
from tuihost.widgets import Keymap, Screen

SHOWN = 6


class Probe(App):
    """Shows what arrives."""

    title = "Probe"
    accepts = Accepts(env=("SSH_ORIGINAL_COMMAND",))

    def build(self, session: Session) -> Application[Any]:
        seen: list[str] = session.memory.setdefault("seen", [])
        keys = Keymap(group="Probe")

        @keys.add("x", label="crash")
        def _crash(event: Any) -> None:
            raise ZeroDivisionError("a mistake with \x1b[2J in it")

        @keys.add("<any>", label="show", show=False)
        def _any(event: Any) -> None:
            seen.append(f"key {event.key_sequence[-1].key!s} {event.data!r}")

        @keys.add("escape", label="show", show=False)
        def _escape(event: Any) -> None:
            seen.append("key Escape")

        @keys.add("<bracketed-paste>", label="show", show=False)
        def _paste(event: Any) -> None:
            seen.append(f"paste of {len(event.data)}: {event.data[:20]!r}")

        def clicked(event: Any) -> None:
            at = event.position
            seen.append(f"{event.event_type.value} {at.x},{at.y}")

        def text() -> list[Any]:
            size = session.terminal.size
            facts = session.terminal
            head = f"size {size.columns}x{size.rows} colours {facts.colors.name} {facts.term}"
            shown = [f"{number} {one}" for number, one in enumerate(seen, start=1)]
            return [("", "\n".join([head, *shown[-SHOWN:]]), clicked)]

        body = HSplit([Window(FormattedTextControl(text, focusable=True))])
        return Screen(session, "Probe", body, keys=keys).application()

    @command
    def who(self, session: Session) -> None:
        """Tells who came in, and how."""
        account = session.account
        told = {
            "user": account.name,
            "guest": account.guest,
            "roles": sorted(account.roles),
            "env": dict(session.env),
        }
        session.print(json.dumps(told))

    @command
    def fail(self, session: Session) -> None:
        """Fails."""
        raise ZeroDivisionError("a mistake")

    @command
    def lines(self, session: Session) -> None:
        """Prints lines without end."""
        for number in itertools.count():
            session.print(f"line {number}")

    @command
    def upper(self, session: Session) -> int:
        """Makes its input large, says so, and ends with 7."""
        while data := session.read():
            session.write(data.upper())
        session.error("made large")
        return 7
