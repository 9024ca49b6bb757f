"""Preferences are remembered, and a file that fails costs nobody anything but that."""

from __future__ import annotations

import io
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.log import text_log
from tests.waiting import DEADLINE
from tuihost.host.plugins.app_catalog import note_use
from tuihost.host.store import preferences
from tuihost.host.store.preferences import MAX_NAME, MAX_VALUE, PreferenceStore
from tuihost.logs import EventLog


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "host.sqlite3"


@pytest.fixture
def written() -> tuple[EventLog, io.StringIO]:
    return text_log()


@pytest.fixture
def log(written: tuple[EventLog, io.StringIO]) -> EventLog:
    return written[0]


@pytest.fixture
def said(written: tuple[EventLog, io.StringIO]) -> io.StringIO:
    return written[1]


@pytest.fixture
def store(path: Path, log: EventLog) -> Iterator[PreferenceStore]:
    store = PreferenceStore(path, log)
    yield store
    store.close()


def test_they_outlast_the_host(store: PreferenceStore, path: Path, log: EventLog) -> None:
    ada = store.of("ada")
    assert ada.get("theme", "default") == "default"
    ada.set("theme", "harbor-day")
    ada.set("theme", "dusk")
    assert store.of("bob").get("theme") == ""
    store.close()
    again = PreferenceStore(path, log)
    assert again.of("ada").get("theme") == "dusk"
    again.close()


def test_a_value_that_is_too_long_is_refused_and_not_cut(store: PreferenceStore) -> None:
    store.of("ada").set("long", "x" * MAX_VALUE)
    with pytest.raises(ValueError, match="long: a preference can have 4096 characters"):
        store.of("ada").set("long", "y" * (MAX_VALUE + 1))
    assert store.of("ada").get("long") == "x" * MAX_VALUE


def test_a_name_that_is_too_long_is_refused(store: PreferenceStore) -> None:
    store.of("ada").set("n" * MAX_NAME, "x")
    refused = r"^n{20}…: the name of a preference can have 128 characters$"
    with pytest.raises(ValueError, match=refused):
        store.of("ada").set("n" * (MAX_NAME + 1), "x")


def test_nobody_has_more_names_than_there_is_room_for(
    store: PreferenceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preferences, "MAX_NAMES", 2)
    ada = store.of("ada")
    ada.set("app.zero", "0")
    ada.set("app.one", "1")
    with pytest.raises(ValueError, match=r"^app\.two: one person can have 2 preferences$"):
        ada.set("app.two", "2")
    ada.set("app.one", "3")  # what is there can change all the same
    assert (ada.get("app.one"), ada.get("app.two")) == ("3", "")
    ada.set("theme", "dusk")  # the host's own are not in the way of anything
    note_use(ada, "menu", 1.0)
    assert ada.get("theme") == "dusk"
    store.of("bob").set("app.two", "2")


def test_the_cache_does_not_grow_with_the_names_of_guests(
    store: PreferenceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preferences, "MAX_ACCOUNTS_CACHED", 3)
    for number in range(10):
        store.of(f"guest{number}").set("theme", f"theme{number}")
    assert len(store._cache) == 3
    assert store.of("guest0").get("theme") == "theme0"


def test_those_of_guests_are_bounded_in_the_file(
    path: Path, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preferences, "GUESTS_KEPT", 10)
    monkeypatch.setattr(preferences, "GUESTS_COUNTED", 4)
    times = iter(range(1, 1000))
    store = PreferenceStore(path, log, lambda: float(next(times)))
    for name in ("ada", "guesthouse", "guest"):
        store.of(name).set("theme", "day")
    for number in range(41):
        store.of(f"guest:{number:02}").set("theme", "day")
    store.of("guest:38").set("theme", "night")
    store.close()
    with sqlite3.connect(path) as connection:
        found = connection.execute("select account from preference").fetchall()
    connection.close()
    assert {name for (name,) in found} == {
        *("ada", "guesthouse", "guest"),
        *(f"guest:{number:02}" for number in range(31, 41)),
    }


def test_a_file_from_before_is_read(path: Path, log: EventLog) -> None:
    old = sqlite3.connect(path)
    old.executescript(
        "create table if not exists preference (account text not null, name text not null,"
        " value text not null, primary key (account, name)) strict, without rowid;"
        "insert into preference values ('ada', 'theme', 'dusk');"
        "pragma user_version = 1;"
    )
    old.close()
    store = PreferenceStore(path, log)
    assert store.of("ada").get("theme") == "dusk"
    store.close()


def test_a_file_that_fails_is_logged_once_and_people_go_on(
    path: Path, log: EventLog, said: io.StringIO
) -> None:
    path.write_bytes(b"not a database" * 100)
    store = PreferenceStore(path, log)
    ada = store.of("ada")
    ada.set("theme", "dusk")
    ada.set("theme", "noon")
    assert ada.get("theme") == "noon"
    assert store.of("bob").get("theme", "default") == "default"
    store.close()
    assert said.getvalue().count("is damaged") == 1
    assert path.read_bytes() == b"not a database" * 100


def test_who_is_known_waits_for_nobody_while_the_file_is_locked(
    store: PreferenceStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.of("ada").set("theme", "dusk")
    assert store._database is not None
    monkeypatch.setattr(store._database, "_busy", 30.0)
    inside, done = threading.Event(), threading.Event()
    database = store._database

    def hold() -> None:
        with database.writing():
            inside.set()
            done.wait(DEADLINE)

    holder = threading.Thread(target=hold)
    writer = threading.Thread(target=lambda: store.of("bob").set("theme", "noon"))
    holder.start()
    try:
        assert inside.wait(DEADLINE)
        writer.start()
        assert store.of("ada").get("theme") == "dusk"
        assert store.of("eve").get("theme", "default") == "default", "readers do not wait either"
        assert writer.is_alive()
    finally:
        done.set()
        holder.join(DEADLINE)
        writer.join(DEADLINE)
    assert store.of("bob").get("theme") == "noon"


def test_after_the_end_they_are_kept_in_memory(store: PreferenceStore, said: io.StringIO) -> None:
    store.close()
    store.of("ada").set("theme", "dusk")
    assert store.of("ada").get("theme") == "dusk"
    assert said.getvalue() == ""


def test_without_a_file_they_last_as_long_as_the_host(log: EventLog) -> None:
    store = PreferenceStore(None, log)
    store.of("ada").set("theme", "dusk")
    assert store.of("ada").get("theme") == "dusk"
    store.close()
