"""What this host is, how to recognise it, and what your terminal can show.

[app.about]
address = "demo.example.org:2222"   # what people type, if the host listens elsewhere
"""

from __future__ import annotations

from json import dumps
from typing import Annotated, Any

from prompt_toolkit.application import Application

from tuihost import (
    App,
    BreakSent,
    EndOfInput,
    Session,
    SessionEvent,
    SignalSent,
    WindowChange,
    clean,
    command,
)

from .identity import Address, host_keys
from .screen import AboutScreen
from .sections import plain, sections
from .terminal_card import KNOWN, advice, card, terminal_facts

WIDEST = 100
"""The most columns of the card."""


class About(App):
    """This host, its keys, and your terminal."""

    name = "about"
    title = "About"
    group = "Host"
    icon = "◈"
    order = 90
    known_options = {"address": str}

    def build(self, session: Session) -> Application[Any]:
        return AboutScreen(session, self.options).application()

    async def talk(self, session: Session) -> int:
        """Everything that the pages say, except the pictures."""
        for section in sections(session, self.options):
            await session.say(clean(plain(section), lines=True))
            await session.say()
        facts = "\n".join(f"{name}: {text}" for name, text in terminal_facts(session))
        await session.say(clean(f"{KNOWN}.\n{facts}", lines=True))
        return 0

    @command(name="host")
    def show_host(self, session: Session) -> None:
        """Show the name of this host, what it runs, and where it is reached."""
        _, _, facts = plain(sections(session, self.options)[0]).partition("\n")
        session.print(clean(facts, lines=True))

    @command
    def fingerprints(
        self,
        session: Session,
        *,
        json: bool = False,
        known_hosts: Annotated[bool, "Write lines for a known_hosts file."] = False,
    ) -> None:
        """Show the fingerprints of the host's keys, or lines for a known_hosts file."""
        keys = host_keys(session, Address.of(session, self.options))
        if json:
            data = [
                {
                    "kind": key.kind,
                    "bits": key.bits,
                    "sha256": key.sha256,
                    "known_hosts": key.line,
                }
                for key in keys
            ]
            session.print(dumps(data, indent=2))
            return
        for key in keys:
            session.print(key.line if known_hosts else f"{key.bits} {key.sha256} ({key.kind})")

    @command
    def events(self, session: Session) -> None:
        """Show what your client sends besides what you type.

        These are signals, breaks, sizes of the window, and the end of input, which ends it."""
        over: list[bool] = []

        def tell(event: SessionEvent) -> None:
            session.print(_event_text(event))
            over.extend([True] * isinstance(event, EndOfInput))

        early: list[SessionEvent] = []  # what comes before the heading
        stop = session.subscribe(early.append)
        session.print("Everything that your client sends is shown here. ^D ends it.")
        stop()
        stop = session.subscribe(tell)
        for event in early:
            tell(event)
        while session.read():
            continue
        stop()
        if not over:
            session.print(_event_text(EndOfInput()))

    @command
    def env(self, session: Session, *, json: bool = False) -> None:
        """Show the variables that your client has sent, as far as apps see them."""
        if json:
            session.print(dumps(dict(session.env), indent=2))
            return
        for name, value in sorted(session.env.items()):
            session.print(f"{name}={clean(value, limit=500)}")

    @command
    def terminal(self, session: Session) -> None:
        """Show what the host knows about your terminal, with a test card (ssh -t)."""
        facts, address = session.terminal, Address.of(session, self.options)
        if facts.pty:
            session.print(card(session, address, min(WIDEST, facts.size.columns)))
            return
        for name, text in terminal_facts(session):
            session.print(f"{name:<13}{text}")
        for text in advice(session, address):
            session.print(text)


def _event_text(event: SessionEvent) -> str:
    match event:
        case SignalSent(name=name):
            return f"signal {clean(name, limit=20)}"
        case BreakSent(milliseconds=length):
            return f"break of {length} ms"
        case WindowChange(columns=columns, rows=rows):
            return f"window {columns}x{rows}"
        case EndOfInput():
            return "end of input"
    return "the client does not read any more"


app = About()
