"""All guests share a room for their notes: the one who changed nothing for the longest gives
way."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.sftp import sftp_of
from tuihost.host.plugins.app_checks import load_path
from tuihost.testing import hosted

FOLDER = Path(__file__).parents[2] / "apps" / "notes"
EACH, TOGETHER = 10_000, 30_000
HOUR = 3600.0


class Clock:
    """The time that the notes go by."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    app: Any = load_path(FOLDER)
    app.data = tmp_path
    app.start()
    bound(app)
    monkeypatch.setattr(part(app, "store"), "time", SimpleNamespace(time=clock))
    yield app
    app.stop()


def bound(app: Any) -> None:
    """Small bounds."""
    app.store._guest_room = part(app, "guests").GuestRoom(EACH, TOGETHER)


def part(app: Any, name: str) -> ModuleType:
    """A module of the app, which was loaded from a folder and has no name to import it by."""
    return sys.modules[f"{type(app).__module__}.{name}"]


def said(app: Any, name: str, size: int) -> str:
    """What comes of a note of that size: nothing, or why there is none."""
    try:
        app.store.add(f"guest:{name}", "x" * size)
    except part(app, "note").NotesError as error:
        return str(error)
    return ""


def count(app: Any, name: str) -> int:
    return len(app.store.summaries(f"guest:{name}"))


def test_twelve_names_have_no_more_than_all_guests_may_have(app: Any) -> None:
    for number in range(3):
        assert said(app, f"guest-{number}", EACH) == ""
        assert "of a guest together can have 10 kB" in said(app, f"guest-{number}", 1)
    for number in range(3, 12):
        assert "no room left now. Try again in an hour" in said(app, f"guest-{number}", 1)
    app.store.add("ada", "x" * EACH * 2)
    assert sum(count(app, f"guest-{number}") for number in range(12)) == 3


def test_the_one_who_changed_nothing_for_the_longest_gives_way(app: Any, clock: Clock) -> None:
    for name in ("first", "second", "third"):
        assert said(app, name, EACH - 1000) == ""
        clock.now += 60
    assert said(app, "first", 1000) == "", "who comes again is in use again"
    clock.now += HOUR
    told: list[str] = []
    app.store.subscribe("guest:second", lambda: told.append("second"))
    app.store.subscribe("guest:third", lambda: told.append("third"))
    assert said(app, "fourth", EACH) == ""
    assert [count(app, name) for name in ("first", "second", "third", "fourth")] == [2, 0, 1, 1]
    assert told == ["second"]


def test_nobody_gives_way_for_what_does_not_fit(app: Any, clock: Clock) -> None:
    app.store._guest_room = part(app, "guests").GuestRoom(3 * EACH, TOGETHER)
    for name in ("first", "second", "third"):
        assert said(app, name, EACH - 1000) == ""
    clock.now += HOUR / 2
    assert said(app, "second", 1) == ""
    clock.now += HOUR / 2
    assert "no room left" in said(app, "fourth", 2 * EACH + 1)
    assert [count(app, name) for name in ("first", "second", "third")] == [1, 2, 1]


def test_small_notes_count_as_what_they_cost(app: Any) -> None:
    notes = [said(app, f"guest-{number}", 1) for number in range(40)]
    assert notes.count("") == TOGETHER // part(app, "guests").COST


def test_drafts_count(app: Any) -> None:
    store, note = app.store, part(app, "note")
    owners = [f"guest:{number}" for number in range(3)]
    for owner in owners:
        kept = store.keep_draft(owner, note.Draft(text="x" * EACH))
        store.keep_draft(owner, note.Draft(id=kept, text="y" * EACH))
        with pytest.raises(note.NotesError, match="10 kB"):
            store.keep_draft(owner, note.Draft(id=kept, text="ä" * EACH))
    with pytest.raises(note.NotesError, match="no room left"):
        store.keep_draft("guest:more", note.Draft(text="x"))
    saved = store.save(owners[0], note.Draft(id=1, text="y" * EACH))
    assert saved.note.number == 1
    store.remove(owners[0], 1)
    assert store.keep_draft("guest:more", note.Draft(text="x"))


def test_files_are_held_to_it_too() -> None:
    with hosted(bundled=["notes", "files"]) as host:
        bound(host.host.catalog.apps["notes"].app)
        with sftp_of(host, "bo") as sftp:
            with sftp.open("/notes/first.txt", "w") as file:
                file.write(b"x" * EACH)
            with sftp.open("/notes/new.txt", "w") as file:
                file.write(b"more")
            assert len(sftp.listdir("/notes")) == 1
        assert "10 kB" in host.run("notes add more", user="bo").errors
        assert host.run("notes add more", user="cy").status == 0
