"""The status: live while somebody looks, still while it is paused, honest about gaps."""

from __future__ import annotations

import http.client
import importlib
import json
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tests.cancelling import ends_although_it_changes
from tests.waiting import DEADLINE
from tuihost import Account, Session, WebRequest
from tuihost.host.login.services import LoginServices
from tuihost.session.host_view import Gauges
from tuihost.testing import Hosted, Pilot, hosted
from tuihost.testing.hosted import hang_up
from tuihost.wire import Peer


@pytest.fixture
def host() -> Iterator[Hosted]:
    with hosted(bundled=["status"], settings={"server.name": "demo"}) as running:
        yield running


def part(host: Hosted, name: str = "") -> Any:
    """A module of the app, as the host has loaded it."""
    module = type(host.host.catalog.apps["status"].app).__module__
    return importlib.import_module(f"{module}.{name}" if name else module)


def counting(host: Hosted, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A sampler that counts the looks, in a host where these follow each other closely."""
    monkeypatch.setattr(part(host, "screen"), "INTERVALS", (0.01, 0.02))

    class Counting(part(host, "samples").Sampler):  # type: ignore[misc]
        looks = 0
        changed = threading.Condition()

        def look(self, session: Session) -> Any:
            with self.changed:
                self.looks += 1
                self.changed.notify_all()
            return super().look(session)

        def wait_for(self, count: int) -> None:
            with self.changed:
                came = self.changed.wait_for(lambda: self.looks >= count, DEADLINE)
                assert came, f"only {self.looks} of {count} looks in {DEADLINE:g} s"

    app: Any = host.host.catalog.apps["status"].app
    app.sampler.close()
    app.sampler = Counting()
    return app.sampler


def opened(host: Hosted, user: str = "ada", size: tuple[int, int] = (80, 24)) -> Pilot:
    return host.open("status", user=user, size=size).wait_for("Who")


# ------------------------------------------------------------------------------- the screen


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (200, 60)])
def test_it_shows_the_host_and_its_people_at_every_size(
    host: Hosted, size: tuple[int, int]
) -> None:
    with opened(host, "grace"), opened(host, "ada", size) as pilot:
        pilot.wait_for("ada (you)").wait_for("grace (guest)")
        lines = pilot.screen.lines
        for name in ("CPU", "Load", "Memory", "Sessions"):
            assert sum(line.count(name) for line in lines) == 1, pilot.text
        assert ("Connections" in pilot.text) == (size[1] > 12)
        assert ("Window" in pilot.text) == (size[0] > 40)
        assert all(len(line) <= size[0] for line in lines)
        assert "class" not in pilot.text


def test_on_a_wide_window_gauges_stand_side_by_side_and_the_table_stays_together(
    host: Hosted,
) -> None:
    with opened(host, size=(200, 60)) as pilot:
        line = next(line for line in pilot.screen.lines if "CPU" in line)
        assert "Sessions" in line
        head = next(line for line in pilot.screen.lines if "Who" in line)
        assert len(head) <= 100
        pilot.resize(80, 24).wait_until(
            lambda: any("CPU" in line and "Sessions" not in line for line in pilot.screen.lines),
            "one gauge a line",
        )


@pytest.mark.parametrize(
    ("load", "shown"),
    [(0.0, "0.00"), (9.99, "9.99"), (10.61, "10.6"), (99.96, "100"), (180, "180")],
)
def test_a_load_leaves_room_before_its_line(
    host: Hosted, monkeypatch: pytest.MonkeyPatch, load: float, shown: str
) -> None:
    monkeypatch.setattr("os.getloadavg", lambda: (load,) * 3)
    with opened(host) as pilot:
        pilot.wait_for(f" Load         {shown}  {shown}  {shown}  ")


def test_in_ascii_and_without_colours_a_gap_is_no_line(host: Hosted) -> None:
    with host.open("status", term="vt100", env={"LANG": "C"}) as pilot:
        pilot.wait_for("Who")
        line = next(line for line in pilot.screen.lines if "Sessions" in line)
        assert line.isascii()
        assert "--" not in line


def test_it_looks_again_and_again_until_it_is_paused(
    host: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampler = counting(host, monkeypatch)
    with opened(host) as pilot:
        sampler.wait_for(4)
        pilot.press("c-p").wait_for("paused").wait_for("continue")
        looks = sampler.looks
        # A resize, a sort and another interval are drawn, and none of them is a look.
        pilot.resize(90, 30).press("c-s").wait_for("Who ↑").press("right").press("c-o").wait_for(
            "Who ↓"
        )
        assert sampler.looks == looks
        pilot.press("c-p").wait_for("every 0.02 s")
        sampler.wait_for(looks + 2)


def test_a_page_that_is_closed_measures_nothing(
    host: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampler = counting(host, monkeypatch)
    with opened(host) as pilot:
        sampler.wait_for(2)
        pilot.press("c-c")
        pilot.wait_end()
    host.log.wait_for("session.end")
    looks = sampler.looks
    assert host.run("status --help").status == 0  # takes longer than many intervals
    assert sampler.looks == looks


def test_the_lines_have_a_past_before_anybody_looks(
    host: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampler = counting(host, monkeypatch)
    monkeypatch.setattr(part(host, "samples"), "EVERY", 0.01)
    monkeypatch.setattr(part(host, "samples"), "FRESH", 0.0)
    sampler.watch(host.host.catalog.apps["status"].app)
    sampler.wait_for(5)
    assert len(sampler.recent()) >= 4
    with opened(host) as pilot:
        pilot.wait_for("▁")


def test_the_interval_stays_within_its_bounds(host: Hosted) -> None:
    with opened(host) as pilot:
        pilot.wait_for("every 1 s").press("left").press(
            "right", "right", "right", "right"
        ).wait_for("every 10 s")
        pilot.press("left").wait_for("every 5 s")


def test_what_was_chosen_is_so_again_after_the_menu() -> None:
    with hosted(bundled=["menu", "status"]) as host, host.open() as pilot:
        pilot.wait_for("Status").press("enter").wait_for("every 1 s")
        pilot.press("right", "c-s").wait_for("every 2 s").wait_for("Who ↑")
        pilot.press("c-]").wait_gone("Who").press("enter")
        pilot.wait_for("every 2 s").wait_for("Who ↑")


def test_a_newcomer_appears_and_the_chosen_row_stays_chosen(
    host: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting(host, monkeypatch)
    with opened(host) as pilot:
        with opened(host, "grace"):
            pilot.wait_for("grace (guest)").press("down")
            pilot.wait_for("▌ grace")
            with opened(host, "linus"):
                pilot.wait_for("linus (guest)")
                assert "▌ grace" in pilot.text
        pilot.wait_gone("grace").wait_for("▌ ada")


def test_a_name_cannot_draw(host: Hosted) -> None:
    """Names are checked at the login; should one get through, it is text all the same."""
    eve, peer = Account("eve\x1b[2J\x9b31m\u202e"), Peer("127.0.0.1", 1)
    entry = host.host.roster.enter(eve, "status", peer, lambda: 0.0, lambda: None)
    with opened(host) as pilot:
        pilot.wait_for("eve·[2J·31m")
        assert not {"\x9b", "\u202e"} & set(pilot.received.decode())
        assert "eve·[2J·31m" in host.run("status people").text
        with host.open("status", term="dumb") as plain:
            plain.wait_for("eve·[2J·31m· (guest) is in Status")
    host.host.roster.leave(entry)


# ------------------------------------------------------------------------------- the samples


def test_the_screen_is_left_also_while_its_pause_changes(host: Hosted) -> None:
    wait = part(host, "screen").StatusScreen._wait

    assert ends_although_it_changes(
        lambda changed: wait(SimpleNamespace(_changed=changed, paused=False, interval=60))
    )


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def fake_session(clock: Clock) -> Any:
    """A host that uses a tenth of a processor, and counts who asks."""
    asked: list[float] = []

    def gauges() -> Gauges:
        asked.append(clock.now)
        return Gauges(clock.now, 1, 1, 1, 8, 0, 2**26, clock.now / 10, (0.5, 0.4, 0.3))

    return SimpleNamespace(host=SimpleNamespace(gauges=gauges), asked=asked)


def test_all_who_look_share_one_sample_a_second(host: Hosted) -> None:
    clock = Clock()
    session = fake_session(clock)
    sampler = part(host, "samples").Sampler(clock)
    first = sampler.look(session)
    assert first.cpu is None
    clock.now += 0.5
    assert sampler.look(session) is first
    clock.now += 0.5
    assert sampler.look(session).cpu == pytest.approx(10.0)
    assert len(session.asked) == 2
    clock.now += 600  # nobody looked for ten minutes: what was in between is not said
    assert sampler.look(session).cpu is None


def test_memory_of_the_past_is_bounded(host: Hosted) -> None:
    clock = Clock()
    session = fake_session(clock)
    sampler = part(host, "samples").Sampler(clock)
    for _ in range(1000):
        clock.now += 1
        sampler.look(session)
    assert len(sampler.recent()) < 340


def test_gaps_stay_gaps_and_rare_looks_make_a_whole_line(host: Hosted) -> None:
    samples = part(host, "samples")
    clock = Clock()
    session = fake_session(clock)
    sampler = samples.Sampler(clock)
    for at in (1200, 1210, 1220, 1260, 1261):
        clock.now = at
        sampler.look(session)
    parts = samples.slices(sampler.recent(), 1261, 60)  # five seconds each
    drawn = "".join("#" if part else "." for part in parts)
    assert drawn.endswith("#####.......#")
    assert set(drawn[:-13]) == {"."}
    assert samples.means(parts, lambda one: one.threads)[-1] == 8


def test_what_was_drawn_moves_on_unchanged(host: Hosted) -> None:
    samples = part(host, "samples")
    clock = Clock()
    session = fake_session(clock)
    sampler = samples.Sampler(clock)
    lines = []
    for second in range(40):
        clock.now = 2000 + second
        sampler.look(session)
        lines.append(samples.means(samples.slices(sampler.recent(), clock.now, 60), lambda s: s.at))
    assert lines[34][:-1] == lines[32][:-1]  # within one part only the last cell changes
    assert lines[35][:-1] == lines[34][1:]  # and then all of them move by one


# ------------------------------------------------------------------------- commands and lines


def test_now_and_people_for_scripts(host: Hosted) -> None:
    with opened(host, "grace"):
        now = json.loads(host.run("status now --json").text)
        assert now["sessions"] == 1
        assert now["memory_bytes"] > 2**20
        assert len(now["load"]) == 3
        (grace,) = json.loads(host.run("status people --json").text)
        assert (grace["user"], grace["guest"], grace["app"]) == ("grace", True, "status")
        assert (grace["columns"], grace["rows"]) == (80, 24)
        for line in ("status now", "status", "ps aux"):
            assert "Memory" in host.run(line).text, line
        assert "grace (guest)" in host.run("status people").text
    assert host.run("status people x").status == 2


def test_where_people_come_from_is_not_for_guests(host: Hosted) -> None:
    with opened(host, "grace") as pilot:
        assert "127.0.0.1" not in host.run("status people --json").text
        assert "127.0.0.1" not in pilot.text
        view = part(host, "people")
        for guest, seen in ((True, ""), (False, "127.0.0.1")):
            session: Any = SimpleNamespace(
                host=host.host, account=Account("x", guest=guest), presence=None
            )
            assert [one.address for one in view.people(session)] == [seen]
            titles = [column.title for column in view.columns(session)]
            assert ("From" in titles) == (not guest)


def test_without_a_screen_it_tells_the_same_in_sentences(host: Hosted) -> None:
    with host.open("status", term="dumb") as pilot:
        pilot.wait_for("demo has been up for").wait_for("ada (you) is in Status")
        assert pilot.wait_end() == 0
        assert b"\x1b" not in pilot.received


def test_stuck_threads_are_marked(host: Hosted) -> None:
    host.host.count_stuck(+2)
    with opened(host) as pilot:
        pilot.wait_for("▲ 2 stuck").resize(40, 12).wait_for("▲ 2 threads stuck")
    assert "2 stuck" in host.run("status now").text
    host.host.count_stuck(-2)


def test_percents(host: Hosted) -> None:
    percent = part(host, "words").percent
    assert [percent(value) for value in (None, 3.14, 31.4)] == ["-", "3.1%", "31%"]


def test_a_browser_sees_it_over_a_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    # No such name comes in; the page would be harmless all the same.
    monkeypatch.setattr(LoginServices, "is_guest", lambda services, name: True)
    with hosted(bundled=["menu", "status"]) as host:
        client = host.connect("eve")
        channel = client.open_channel(
            "direct-tcpip", ("status", 80), ("127.0.0.1", 1), timeout=DEADLINE
        )
        channel.settimeout(DEADLINE)
        pages = []
        for path, method in (("/", "GET"), ("/status.json", "GET"), ("/x", "GET"), ("/", "POST")):
            channel.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            answer = http.client.HTTPResponse(channel, method=method)  # type: ignore[arg-type]
            answer.begin()
            pages.append((answer.status, answer.read().decode()))
        hang_up(client)
    statuses = [status for status, _ in pages]
    assert statuses == [200, 200, 404, 405]
    assert "How the host is doing, and who is here." in pages[0][1]
    assert json.loads(pages[1][1])["connections"] >= 1


def test_a_name_cannot_write_the_page(host: Hosted) -> None:
    sample = part(host, "samples").Sample(0, 5, None, 1, (0, 0, 0), 1, 1, 1, 1, 1, 0)
    person = part(host, "people").Person(1, "<script>", True, "menu", "<b>", 0, 0, 0, None)
    page = part(host, "page").page
    shown = page(WebRequest("GET", "/"), "the <host>", sample, [person], {}).body
    assert isinstance(shown, str)
    assert "<script>" not in shown
    assert "<b>" not in shown
    assert "&lt;script&gt;" in shown
