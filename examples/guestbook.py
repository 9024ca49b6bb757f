"""A guest book: a screen, a talk line by line, and two commands."""

# tuihost demo --apps examples, then in another terminal: ssh -t -p 8022 localhost guestbook
from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.key_binding import KeyPressEvent

from tuihost import App, Session, clean, command
from tuihost.widgets import Keymap, ListView, Screen

LONGEST = 200  # characters of an entry


@dataclass(frozen=True, slots=True)
class Entry:
    """What somebody wrote. `at` is a Unix time."""

    name: str
    text: str
    at: float


class Guestbook(App):
    """Sign the book, read the book."""

    name = "guestbook"
    title = "Guestbook"
    group = "Everyday"
    icon = "✍"

    def start(self) -> None:
        self.file = self.data / "entries.jsonl"
        self.lock = threading.Lock()  # every session has a thread of its own
        self.readers: set[Callable[[], None]] = set()

    def entries(self) -> list[Entry]:
        """All of them, the latest first."""
        with self.lock:
            lines = self.file.read_text("utf-8").splitlines() if self.file.exists() else []
        return [Entry(**json.loads(line)) for line in reversed(lines)]

    def write(self, session: Session, text: str) -> None:
        """Adds an entry and tells everybody who has the book open."""
        name, text = clean(session.user, limit=40), clean(text, limit=LONGEST)
        entry = Entry(name, text, session.host.now())
        with self.lock:
            with self.file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(entry)) + "\n")
            readers = tuple(self.readers)
        for reload in readers:
            reload()

    # ------------------------------------------------------------------ on a screen

    def build(self, session: Session) -> Application[Any]:
        keys = Keymap("Guestbook")
        book = ListView(
            session,
            self.entries(),
            label=lambda entry: entry.text,
            note=lambda entry: entry.name,
            empty="Nobody has signed yet.",
            place="book",
        )
        screen = Screen(session, "Guestbook", book, keys=keys)

        @keys.add("c-n", label="sign")
        async def sign(event: KeyPressEvent) -> None:
            text = await screen.prompt("What do you want to say?")
            if text:
                self.write(session, text)
                screen.toast("Thank you.", kind="success")

        def show() -> None:
            book.items = self.entries()
            application.invalidate()

        def reload() -> None:
            session.invoke(show)  # from the thread of the person who wrote to this one

        async def follow() -> None:
            with self.lock:
                self.readers.add(reload)
            show()  # what was written since the list was made
            try:
                await asyncio.Event().wait()
            finally:
                with self.lock:
                    self.readers.discard(reload)

        def begin() -> None:
            application.create_background_task(follow())  # it ends with the Application

        application = screen.application()
        application.pre_run_callables.append(begin)
        return application

    # ------------------------------------------------------------------ line by line

    async def talk(self, session: Session) -> int:
        for entry in self.entries()[:10]:
            await session.say(f"{entry.name}: {entry.text}")
        text = await session.ask("What do you want to say? ")
        if text:
            self.write(session, text)
            await session.say("Thank you.")
        return 0

    # ------------------------------------------------------------------ from a shell

    @command
    def sign(self, session: Session, *words: str, loud: bool = False) -> int:
        """Writes WORDS into the book."""
        text = " ".join(words)
        if not text:
            session.error("Say something: guestbook sign WORDS")
            return 1
        self.write(session, text.upper() if loud else text)
        session.print("Thank you.")
        return 0

    @command
    def read(self, session: Session, *, last: int = 10) -> None:
        """Shows the LAST entries, the latest first."""
        for entry in self.entries()[:last]:
            session.print(f"{entry.name}: {entry.text}")
