"""Leaving the last app while others can still reach the person's machine: they are asked first."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import paramiko
import pytest
from prompt_toolkit.application import Application

from tests.waiting import DEADLINE
from tuihost import Accepts, App, Launch, Listening, ListenRule, Session
from tuihost.testing import Hosted, Pilot, hosted
from tuihost.testing.hosted import hang_up
from tuihost.widgets import Keymap, ListView, Screen

ASKED, OPEN = "Close it and leave?", "http://web.example.org is still open for visitors."
STATUS = 7


class Lighthouse(App):
    """Shows people's machines, and ends at a key."""

    name = "lighthouse"
    accepts = Accepts(listens=(ListenRule("*", 80),))

    def listen(self, listening: Listening) -> None:
        listening.reached_at("" if listening.account.name == "eve" else "http://web.example.org")

    def build(self, session: Session) -> Application[Any]:
        keys = Keymap()

        @keys.add("x", label="leave")
        def _leave(event: Any) -> None:
            event.app.exit(result=STATUS)

        @keys.add("b", label="buoy")
        def _launch(event: Any) -> None:
            event.app.exit(result=Launch("buoy"))

        shown = ListView(session, session.closes() or ["nothing closes"], filterable=False)
        return Screen(session, "Lighthouse", shown, keys=keys, quits=False).application()

    async def talk(self, session: Session) -> int:
        await session.say("A light.")
        return STATUS


class Buoy(App):
    """An app that another leads to."""

    name = "buoy"

    async def talk(self, session: Session) -> int:
        await session.ask(f"{len(session.closes())} would close.")
        return 0


@pytest.fixture
def host() -> Iterator[Hosted]:
    with hosted(Lighthouse(), Buoy()) as host:
        yield host


def at(client: paramiko.Transport, term: str = "xterm-256color") -> Pilot:
    """Somebody at a terminal of a connection that is there already."""
    channel = client.open_session(timeout=DEADLINE)
    channel.set_environment_variable("LANG", "C.UTF-8")
    channel.get_pty(term, 80, 24)
    channel.invoke_shell()
    return Pilot(channel, lambda: hang_up(client), 80, 24)


@contextmanager
def forwarding(host: Hosted, term: str = "xterm-256color", user: str = "ada") -> Iterator[Pilot]:
    """Somebody at a terminal whose client listens as `ssh -R web:80:…` does."""
    client = host.connect(user)
    client.request_port_forward("web", 80, lambda *_: None)
    with at(client, term) as pilot:
        yield pilot


def test_the_last_app_is_not_left_unasked(host: Hosted) -> None:
    with forwarding(host) as pilot:
        pilot.wait_for("http://web.example.org").press("x").wait_for(ASKED)
        assert OPEN in " ".join(pilot.text.split())
        pilot.press("escape").wait_gone(ASKED).wait_for("http://web.example.org")
        pilot.press("x").wait_for(ASKED).press("enter").wait_gone(ASKED)  # which is to stay
        pilot.press("x").wait_for(ASKED).press("left", "enter")
        assert pilot.wait_end() == STATUS


def test_the_question_is_in_lines_where_the_app_is(host: Hosted) -> None:
    with forwarding(host, term="dumb") as pilot:

        def wait_for_question(number: int) -> None:
            pilot.wait_until(lambda: pilot.text.count(ASKED) == number, f"question {number}")

        pilot.wait_for(OPEN).wait_for(f"{ASKED} (yes or no)")
        for number, answer in enumerate(("what", "no"), start=2):
            pilot.type(f"{answer}\r")
            wait_for_question(number)
        pilot.type("YES\r")
        assert pilot.wait_end() == STATUS


def test_nobody_is_asked_once_the_forward_is_closed(host: Hosted) -> None:
    with forwarding(host) as pilot:
        pilot.wait_for("http://web.example.org")
        pilot.channel.get_transport().cancel_port_forward("web", 80)
        pilot.press("x")
        assert pilot.wait_end() == STATUS


def test_nobody_is_asked_about_an_address_that_its_app_has_taken_away(host: Hosted) -> None:
    with forwarding(host, user="eve") as pilot:
        pilot.wait_for("nothing closes").press("x")
        assert pilot.wait_end() == STATUS


def test_somebody_who_is_shown_out_need_not_answer(host: Hosted) -> None:
    with forwarding(host) as pilot:
        pilot.wait_for("http://web.example.org").press("x").wait_for(ASKED)
        threading.Thread(target=host.server.stop, args=("The host is closing. Bye!",)).start()
        assert pilot.wait_for("The host is closing. Bye!").wait_end() == 0


def test_nobody_is_asked_where_their_client_stays_for_another_session(host: Hosted) -> None:
    with forwarding(host) as pilot, at(pilot.channel.get_transport()) as other:
        other.wait_for("nothing closes")
        pilot.press("x")
        assert pilot.wait_end() == STATUS


def test_going_back_to_another_app_asks_nothing(host: Hosted) -> None:
    with forwarding(host) as pilot:
        pilot.wait_for("http://web.example.org").press("b").wait_for("0 would close.")
        pilot.press("enter").wait_for("Lighthouse")


def test_a_line_that_drops_meanwhile_ends_all(host: Hosted) -> None:
    with forwarding(host) as pilot:
        pilot.wait_for("http://web.example.org").press("x").wait_for(ASKED).drop()
        host.log.wait_for("session.end")
        host.log.wait_for("conn.closed")
        assert not host.log.named("host.error")


def test_the_port_of_a_real_forward_is_named_too() -> None:
    rules = {"forwarding.listen": ["localhost:*"], "roles.guest.listens": ["localhost:*"]}
    with hosted(Buoy(), settings=rules) as host:
        client = host.connect()
        port = client.request_port_forward("localhost", 0, lambda *_: None)
        with at(client) as pilot:
            pilot.wait_for("1 would close.").press("enter").wait_for(ASKED)
            assert f"localhost:{port} is still open for visitors." in pilot.text
