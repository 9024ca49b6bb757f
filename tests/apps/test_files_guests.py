"""All guests share a room for their files: the one who was not here for the longest gives way."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from tuihost import Account
from tuihost.testing import Hosted, hosted

MEGABYTE = 1_000_000


@pytest.fixture
def host() -> Iterator[Hosted]:
    room = {"app.files.guest_quota": 1, "app.files.guests_quota": 3}
    with hosted(bundled=["files"], settings=room) as host:
        yield host


def keep(host: Hosted, name: str, size: int = MEGABYTE - 1000) -> str:
    """Somebody keeps a file; what the host says to that."""
    return host.run("files put it --force", stdin=bytes(size), user=name).errors


def kept(host: Hosted, name: str) -> bool:
    return host.run("files ls", user=name).text != ""


def folders_of(host: Hosted) -> Any:
    """The folders of the app, which was loaded from a folder: its classes cannot be imported."""
    app: Any = host.host.catalog.apps["files"].app
    return app.folders


def clock_of(host: Hosted) -> dict[str, float]:
    """The time that the app goes by, under `now`."""
    room = folders_of(host)._guest_room
    time = {"now": room._clock()}
    room._clock = lambda: time["now"]
    return time


def test_twelve_names_have_no_more_than_all_guests_may_have(host: Hosted) -> None:
    said = [keep(host, f"guest-{number}") for number in range(12)]
    assert said[:3] == ["", "", ""]
    assert all("no room" in sentence for sentence in said[3:])
    folders = folders_of(host)
    files = [path for path in folders._guests.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 3 * MEGABYTE


def test_the_one_who_was_not_here_for_the_longest_gives_way(host: Hosted) -> None:
    time = clock_of(host)
    for name in ("first", "second", "third"):
        assert keep(host, name) == ""
        time["now"] += 60
    time["now"] += 3600
    assert kept(host, "first"), "who comes again is in use again"
    assert keep(host, "fourth") == ""
    assert kept(host, "first")
    assert not kept(host, "second")


def test_guests_take_what_they_use_and_no_more(host: Hosted) -> None:
    for number in range(30):
        assert keep(host, f"small-{number}", size=1000) == ""
    assert keep(host, "late") == ""
    assert keep(host, "later") == ""
    assert "no room" in keep(host, "last"), "two MB and the small ones are there"
    assert keep(host, "last", size=900_000) == ""
    assert "no room" in keep(host, "small-1"), "it may have a MB, and there is none"
    assert "of 72 kB used" in host.run("files quota", user="newcomer").text
    assert all(kept(host, f"small-{number}") for number in range(30))


def test_guests_who_pass_by_leave_nothing(host: Hosted) -> None:
    folders = folders_of(host)
    for number in range(8):
        for line in ("files quota", "files ls", "files find x", "files bin list"):
            assert host.run(line, user=f"passer-by-{number}").status == 0, line
        assert "no such file" in host.run("files cat it", user=f"passer-by-{number}").errors
    assert not folders._guests.exists()
    assert not folders._bins.exists()
    gc.collect()  # a session that has ended may be garbage in a circle
    folders._forget_passers_by()
    assert not folders._quotas


def test_an_empty_folder_gives_way_though_there_is_room(host: Hosted) -> None:
    time = clock_of(host)
    folders = folders_of(host)
    for name in ("empty", "keeper"):
        assert keep(host, name) == ""
    for line in ("files rm it", "files bin empty"):
        assert host.run(line, user="empty").status == 0
    assert len(list(folders._guests.iterdir())) == 2
    time["now"] += 3601
    assert keep(host, "third") == ""
    assert kept(host, "keeper")
    assert len(list(folders._guests.iterdir())) == 2, "the keeper's and the third one's"
    assert len(folders._guest_room._came) == 2


def test_a_quota_that_is_in_use_is_kept(host: Hosted) -> None:
    folders = folders_of(host)
    guest = Account("guest", guest=True)
    quota = folders.quota_of(guest)
    folders._forget_passers_by()
    assert folders.quota_of(guest) is quota
    assert quota.dispensable is not None
