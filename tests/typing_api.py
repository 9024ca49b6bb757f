"""The public interface as a type checker sees it: `make types` reads this, nothing runs it.

Each `assert_type` is a promise to authors who check their own apps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, assert_type

from prompt_toolkit.application import Application
from prompt_toolkit.key_binding import KeyPressEvent

from tuihost import (
    Accepts,
    Account,
    App,
    AppCard,
    ForwardRule,
    Launch,
    NoTerminal,
    Presence,
    Session,
    Theme,
    app,
    clean,
    command,
)
from tuihost.testing import Hosted, Outcome, Pilot, hosted
from tuihost.widgets import Column, Keymap, ListView, Screen, Table, TextEditor


@dataclass(frozen=True, slots=True)
class Note:
    """Something to choose."""

    title: str
    at: float


@app("greeting", title="Greeting", order=3)
async def greeting(session: Session) -> int | None:
    assert_type(await session.ask("Name? "), str)
    await session.say("Hello")
    return 0


assert_type(greeting.name, str)


@app("away")
async def away(session: Session) -> Launch:
    return Launch("greeting")


async def sure(session: Session) -> bool:
    """Asks wherever it is called."""
    try:
        return await session.ask("Sure? ", default="no") == "yes"
    except NoTerminal:
        session.error("Say --yes.")
        return False


class Notes(App):
    """Keeps notes."""

    title = "Notes"
    accepts = Accepts(env=("LANG",), forwards=(ForwardRule("notes", 80),), guests=False)

    def start(self) -> None:
        assert_type(self.data, Path)
        assert_type(self.options, Mapping[str, Any])

    def build(self, session: Session) -> Application[Any]:
        keys = Keymap("Notes")
        view = ListView(session, [Note("a", 0.0)], label=lambda note: note.title)
        assert_type(view.selected, Note | None)
        screen = Screen(session, "Notes", view, keys=keys)

        @keys.add("d", label="delete")
        async def delete(event: KeyPressEvent) -> None:
            assert_type(await screen.confirm("Delete?"), bool)
            assert_type(await screen.prompt("Title"), str | None)
            assert_type(await screen.choose("Which?", [Note("a", 0.0)]), Note | None)

        return screen.application()

    async def talk(self, session: Session) -> Launch | int | None:
        return Launch("notes")

    @command
    def add(self, session: Session, *words: str, loud: bool = False) -> int:
        """Adds a note."""
        session.print(clean(" ".join(words), limit=10))
        return 0

    @command
    def show(self, session: Session, number: int, *, json: bool = False) -> None:
        """Shows one of them."""

    @command
    async def drop(self, session: Session, number: int) -> int:
        """Deletes one, once it is sure."""
        return 0 if await sure(session) else 1

    @command(name="list")
    def list_all(self, session: Session) -> None:
        """Lists them."""


def sessions(session: Session) -> None:
    assert_type(session.user, str)
    assert_type(session.account, Account)
    assert_type(session.account.key, str)
    assert_type(session.theme, Theme)
    assert_type(session.memory, dict[str, Any])
    assert_type(session.read(), bytes)
    assert_type(list(session.lines()), list[str])
    with session.progress("Copying", total=3) as bar:
        assert_type(bar.percent, int | None)
    assert_type(session.host.people(), tuple[Presence, ...])
    assert_type(session.host.apps(session.account), tuple[AppCard, ...])
    assert_type(session.preferences.get("name"), str)
    assert_type(session.subscribe(lambda event: None), Callable[[], None])
    assert_type(session.copy("text"), bool)
    session.invoke(lambda: None)


def more_widgets(session: Session) -> None:
    table = Table(session, [Column("Name")], [Note("a", 0.0)])
    assert_type(table.selected, Note | None)
    editor = TextEditor(session, "text", on_save=lambda text: None)
    assert_type(editor.dirty, bool)


def tests() -> None:
    with hosted(Notes(), greeting, settings={"server.name": "test"}) as host:
        assert_type(host, Hosted)
        assert_type(host.run("notes add milk"), Outcome)
        assert_type(host.run("notes show 1").status, int)
        with host.open("notes", size=(40, 12)) as pilot:
            assert_type(pilot, Pilot)
            assert_type(pilot.press("down", "enter").wait_for("Notes"), Pilot)
            assert_type(pilot.wait_end(), int)
