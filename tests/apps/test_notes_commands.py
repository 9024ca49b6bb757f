"""Notes from a shell, and what happens when their file does not do its part."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tuihost.errors import AppLoadError
from tuihost.host.plugins.app_checks import load_path
from tuihost.testing import Hosted, hosted
from tuihost.testing.hosted import hang_up

FOLDER = Path(__file__).parents[2] / "apps" / "notes"
OWNER = "ada"


@pytest.fixture
def host() -> Iterator[Hosted]:
    with hosted(bundled=["notes"], settings={"server.default_app": "notes"}) as host:
        yield host


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Any]:
    app: Any = load_path(FOLDER)
    app.data = tmp_path
    app.start()
    yield app
    app.stop()


@pytest.mark.parametrize(
    ("count", "size", "more", "reason"),
    [
        (4999, 1, 1, None),
        (5000, 1, 1, "There are 5,000 notes already"),
        (5000, 1, 0, None),
        (32, 1 << 20, 1, "All notes together can have 34 MB"),
        (31, 1 << 20, 1, None),
    ],
)
def test_what_an_account_can_keep(
    app: Any, count: int, size: int, more: int, reason: str | None
) -> None:
    make_room = part(app, "limits").make_room
    error = part(app, "note").NotesError
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE note (owner TEXT, size INTEGER)")
        db.executemany("INSERT INTO note VALUES (?, ?)", [(OWNER, size)] * count)
        make_room(db, "somebody else", 1, 1)
        with pytest.raises(error, match=reason) if reason else nullcontext():
            make_room(db, OWNER, 1, more)


def part(app: Any, name: str) -> ModuleType:
    """A module of the app's package."""
    return sys.modules[f"{type(app).__module__}.{name}"]


# ------------------------------------------------------------------------------ commands


def test_a_search_has_so_many_words_at_most(host: Hosted) -> None:
    host.run("notes add a b c")
    assert "a b c" in host.run("notes list a b c").text
    said = host.run("notes list" + " a" * 17)
    assert (said.status, said.errors) == (1, "That is too much to find: 16 words at most.\n")


def test_a_search_lets_others_read_between_its_notes(
    host: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    app: Any = host.host.catalog.apps["notes"].app
    store, readings = app.store, []
    reading = store._database.reading

    def noted() -> Any:
        readings.append(1)
        return reading()

    for number in range(40):
        store.add("guest:ada", f"Ärger {number}")
    monkeypatch.setattr(store._database, "reading", noted)
    assert len(store.summaries("guest:ada", ["ÄRGER", "r 1"])) == 11
    assert len(readings) == 5, "sixteen notes at a time, the end of them, and the list"
    assert store.excerpts("guest:ada", ["39", "ä"]) == {40: "Ärger 39 … Ärger 39"}


def test_notes_from_a_shell(host: Hosted) -> None:
    empty = host.run("notes list")
    assert (empty.status, empty.text, empty.errors) == (0, "", "You have no notes yet.\n")
    assert host.run("notes add buy 'brown  bread'").text == "Note 1 added.\n"
    assert host.run("notes add -", stdin="# Über uns\n\nGruß\n".encode()).text == "Note 2 added.\n"
    assert json.loads(host.run("notes add --json x").text) == {"id": 3}
    assert host.run("notes show 2").text == "# Über uns\n\nGruß\n"
    listed = host.run("notes list").text.splitlines()
    assert listed == ["3  just now       x", "2  just now       Über uns", listed[2]]
    found = json.loads(host.run("notes list --json ÜBER gruss").text)
    assert [(one["id"], one["title"]) for one in found] == [(2, "Über uns")]
    whole = json.loads(host.run("notes show --json 1").text)
    assert whole["text"] == "buy brown  bread"
    assert whole["changed"].endswith("Z")
    assert host.run("notes remove 1").text == "Note 1 removed: buy brown bread.\n"
    assert host.run("notes add again").text == "Note 4 added.\n", "a number is used once"


@pytest.mark.parametrize(
    "text", ["a\u200eb", "a\u200bb", "a\u202eb\u2066c", "a\ufeffb", "a\x1b[2Jb"]
)
def test_a_note_is_kept_as_it_was_given(host: Hosted, text: str) -> None:
    number = host.run("notes add", stdin=text.encode()).text.split()[1]
    assert json.loads(host.run(f"notes show {number} --json").text)["text"] == text
    assert host.run(f"notes show {number}").text == f"{text}\n", "for a program"
    shown = host.run("notes list").text
    assert not any(char in shown for char in "\u200e\u200b\u202e\u2066\ufeff\x1b")


@pytest.mark.parametrize(
    ("command", "given"),
    [("notes add", b"\xef\xbb\xbfeggs\r\n"), ("notes add '\ufeffeggs\r\n'", b"")],
)
def test_a_byte_order_mark_in_front_is_not_kept(host: Hosted, command: str, given: bytes) -> None:
    number = host.run(command, stdin=given).text.split()[1]
    assert json.loads(host.run(f"notes show {number} --json").text)["text"] == "eggs\n"


def test_words_that_are_not_text_are_refused(host: Hosted) -> None:
    with contextlib.closing(host.connect()) as client:
        channel = client.open_session()
        channel.exec_command(b"notes add a\xffb")
        said = channel.makefile_stderr("rb").read()
        assert said == b"That is not text in UTF-8, so it was not kept.\n"
        assert channel.recv_exit_status() == 1
        hang_up(client)


def test_bad_input_gets_a_sentence(host: Hosted) -> None:
    for command, stdin, status, said in [
        ("show 7", b"", 1, "You have no note 7."),
        ("show 99999999999999999999999", b"", 1, "You have no note 9"),
        ("show -- -1", b"", 1, "You have no note -1."),
        ("show seven", b"", 2, "is not a valid integer"),
        ("remove 7", b"", 1, "You have no note 7."),
        ("remove 99999999999999999999999", b"", 1, "You have no note 9"),
        ("remove -- -99999999999999999999999", b"", 1, "You have no note -9"),
        ("list no such words", b"", 1, "No note of yours holds no such words."),
        ("add", b"", 1, "A note cannot be empty."),
        ("add", b"\xff\xfe\x00", 1, "not text in UTF-8"),
        ("add", b"a\x00b", 1, "not text in UTF-8"),
        ("add", b"x" * 263_000, 1, "A note can have 262 kB; this one is 856 B too long."),
    ]:
        done = host.run(f"notes {command}", stdin=stdin)
        assert (done.status, done.stdout) == (status, b""), command
        assert said in done.errors


def test_input_without_end_is_not_read_to_its_end(app: Any) -> None:
    chunks = iter([b"x" * 65536] * 9)
    session = SimpleNamespace(terminal=SimpleNamespace(pty=False), read=lambda: next(chunks))
    with pytest.raises(part(app, "note").NotesError, match="too long"):
        sys.modules[type(app).__module__]._input(session)


# ------------------------------------------------------------------------------ the store


def test_a_conflict_keeps_both_and_a_removed_note_comes_back_as_a_new_one(app: Any) -> None:
    store, draft = app.store, part(app, "note").Draft
    note = store.add(OWNER, "one")
    assert store.save(OWNER, draft(0, note.number, 1, text="two")).apart is False
    apart = store.save(OWNER, draft(0, note.number, 1, text="mine"))
    assert (apart.apart, apart.note.number) == (True, 2)
    assert store.get(OWNER, 1).text == "two"
    store.remove(OWNER, 1)
    assert store.save(OWNER, draft(0, 1, 2, text="late")).note.number == 3


def test_a_note_that_was_changed_meanwhile_is_not_removed(app: Any) -> None:
    store, note = app.store, part(app, "note")
    store.add(OWNER, "one")
    store.save(OWNER, note.Draft(0, 1, 1, text="two"))
    with pytest.raises(note.NotesError, match="changed elsewhere"):
        store.remove(OWNER, 1, revision=1)
    assert store.get(OWNER, 1).text == "two"


def test_drafts_belong_to_one_account_and_stay_when_saving_fails(app: Any) -> None:
    store, note = app.store, part(app, "note")
    kept = store.keep_draft(OWNER, note.Draft(text="mine"))
    other = store.keep_draft("bob", note.Draft(id=kept, text="bob's"))
    assert other != kept
    assert [one.text for one in store.drafts(OWNER)] == ["mine"]
    with pytest.raises(note.NotesError, match="262 kB"):
        store.save(OWNER, note.Draft(id=kept, text="ä" * 200_000))
    assert [one.text for one in store.drafts(OWNER)] == ["mine"]
    store.hold(OWNER, kept)
    assert store.drafts(OWNER) == [], "it is being written"
    store.release(OWNER, kept)
    assert [one.text for one in store.drafts(OWNER)] == ["mine"]


def test_an_account_is_bounded(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store, limits, note = app.store, part(app, "limits"), part(app, "note")
    monkeypatch.setattr(limits, "MAX_NOTES", 2)
    store.add(OWNER, "one")
    store.add(OWNER, "two")
    with pytest.raises(note.NotesError, match="2 notes already"):
        store.add(OWNER, "three")
    store.add("bob", "his own")
    monkeypatch.setattr(limits, "MAX_TOTAL", 10)
    with pytest.raises(note.NotesError, match="All notes together"):
        store.save(OWNER, note.Draft(0, 1, 1, text="much longer than that"))
    assert store.get(OWNER, 1).text == "one"
    monkeypatch.setattr(part(app, "store"), "MAX_DRAFTS", 1)
    store.keep_draft(OWNER, note.Draft(text="a"))
    with pytest.raises(note.NotesError, match="unsaved drafts"):
        store.keep_draft(OWNER, note.Draft(text="b"))


# ------------------------------------------------------------------------------ the file


def test_a_locked_file_is_one_sentence_and_nothing_is_lost(
    host: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = host.host.catalog.apps["notes"].app
    monkeypatch.setattr(app.store._database, "_busy", 0.01)
    app.store._database._writer.close()  # it waits as long as was said when it was opened
    with host.open("notes") as pilot:
        pilot.wait_for("No notes yet").press("c-n").wait_for("New note")
        other = sqlite3.connect(app.data / "notes.sqlite3", isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            done = host.run("notes add x")
            assert (done.status, done.errors) == (
                1,
                "The notes are busy just now. Try again in a moment.\n",
            )
            pilot.type("kept").wait_for("unsaved").press("c-s").wait_for("The notes are busy")
            other.execute("ROLLBACK")
        finally:
            other.close()
        pilot.press("c-s").wait_for("✓ Saved")
    assert host.run("notes show 1").text == "kept\n"


def test_a_damaged_file_is_told_and_left_as_it_is(host: Hosted) -> None:
    path = host.host.catalog.apps["notes"].app.data / "notes.sqlite3"
    host.run("notes add x")
    for file in path.parent.iterdir():
        file.unlink()
    path.write_bytes(b"no database at all" * 100)
    done = host.run("notes list")
    assert (done.status, "damaged" in done.errors) == (1, True)
    with host.open("notes", size=(100, 24)) as pilot:
        pilot.wait_for("is damaged").press("c-n").wait_for("New note").type("x").press("c-s")
        pilot.wait_for("unsaved").press("c-]")
    assert path.read_bytes() == b"no database at all" * 100


def test_a_file_that_is_gone_is_not_made_anew(app: Any) -> None:
    for path in app.data.iterdir():
        path.unlink()
    with pytest.raises(part(app, "note").NotesError, match="cannot be reached"):
        app.store.add(OWNER, "x")
    assert list(app.data.iterdir()) == []


def test_a_full_disk_is_told(app: Any) -> None:
    app.store.add(OWNER, "one")
    with app.store._database.writing() as db:
        (pages,) = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(part(app, "note").NotesError, match="no room left"):
        app.store.add(OWNER, "x" * 100_000)
    assert app.store.get(OWNER, 1).text == "one"


@pytest.mark.parametrize("damage", ["newer", "garbage"])
def test_a_file_that_cannot_be_opened_is_a_broken_app(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite3"
    if damage == "garbage":
        path.write_bytes(b"garbage" * 1000)
    else:
        db = sqlite3.connect(path)
        db.execute("PRAGMA user_version = 99")
        db.close()
    app = load_path(FOLDER)
    app.data = tmp_path
    with pytest.raises(AppLoadError, match="damaged" if damage == "garbage" else "newer version"):
        app.start()


def test_opening_the_file_again_changes_nothing(app: Any) -> None:
    app.store.add(OWNER, "one")
    app.store.open()
    assert app.store.get(OWNER, 1).text == "one"
