"""The menu line by line, and the words that both its forms use."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from tuihost import Session, app
from tuihost.host.plugins.app_catalog import Broken
from tuihost.host.plugins.app_checks import load_path
from tuihost.host.plugins.bundled import bundled_folder
from tuihost.session.host_view import AppCard, Presence
from tuihost.testing import hosted
from tuihost.wire import Peer

_menu = type(load_path(bundled_folder("apps") / "menu")).__module__
words: Any = importlib.import_module(f"{_menu}.words")
people: Any = importlib.import_module(f"{_menu}.people")
lines: Any = importlib.import_module(f"{_menu}.lines")

ASKED = lines.QUESTION
CARDS = (
    AppCard("notes", "Notes", "Write things down"),
    AppCard("reader", "Reader"),
    AppCard("readings", "Readings of old"),
    AppCard("q", "Quiz"),
)


@app("hello", title="Hello", description="Says hello to you", order=1)
async def hello(session: Session) -> None:
    await session.say(f"Hello, {session.user}!")
    await session.ask("Well? ")


@app("lamp", title="Lamp", order=2)
async def lamp(session: Session) -> None:
    await session.say("It is lit.")


def spoken(typed: str, motd: str = "") -> tuple[int, list[str]]:
    """What a person without a terminal reads when they type `typed`, and the exit status."""
    with hosted(hello, lamp, bundled=["menu"], settings={"app.menu": {"motd": motd}}) as host:
        host.host.catalog.broken = (Broken("engine", "here", "no steam"),)
        with host.lines() as pilot:
            pilot.type(typed).end_input()
            status = pilot.wait_end()
            text = bytes(pilot.received).decode()
    return status, text.replace(ASKED, "").splitlines()


def test_numbered_list_and_quiet_end_of_input() -> None:
    status, said = spoken("", motd="Closed on Sunday.")
    assert status == 0
    assert said == [
        "Welcome to tuihost, ada. You are the only one here.",
        "Closed on Sunday.",
        "1. Hello: Says hello to you",
        "2. Lamp",
        "3. engine (out of order)",
    ]


def test_number_opens_and_the_list_is_short_afterwards() -> None:
    with hosted(hello, lamp, bundled=["menu"]) as host, host.lines() as ada:

        def said() -> list[str]:
            return bytes(ada.received).decode().splitlines()

        ada.wait_until(lambda: said()[-1:] == [ASKED], "the question")
        ada.type("1\n").wait_until(lambda: said()[-1] == "Well? ", "the app")
        ada.type("fine\n").wait_until(lambda: said()[-1] == ASKED, "the question again")
        assert said()[-3:] == ["Well? 1. Hello", "2. Lamp", ASKED]
        ada.type("LAM\n").wait_for("It is lit.")
        ada.wait_until(lambda: said()[-1] == ASKED, "the question once more")
        assert ada.type("q\n").wait_end() == 0
        assert said()[-1].endswith("Goodbye, ada. Come back soon.")


def test_every_answer_gets_one_helpful_sentence() -> None:
    status, said = spoken("\nzebra\n99\n3\nl\nw\n")
    assert status == 0
    assert said[4:] == [
        "A number from 1 to 3 opens an app.",
        "Nothing here is called zebra. A number from 1 to 3 opens an app.",
        "Nothing here is called 99. A number from 1 to 3 opens an app.",
        "engine is out of order: no steam",
        "1. Hello: Says hello to you",
        "2. Lamp",
        "3. engine (out of order)",
        "ada (you): in the menu, just arrived",
    ]


def test_help_names_every_letter() -> None:
    _, said = spoken("?\n")
    assert [line[:2] for line in said[5:]] == ["l ", "w ", "q "]


def test_plain_lines_hold_nothing_but_text() -> None:
    with hosted(hello, lamp, bundled=["menu"]) as host, host.open(term="dumb") as ada:
        ada.wait_for("q to leave:").type("1\r").wait_for("Well?").type("\r")
        ada.wait_until(lambda: ada.text.count("1. Hello") == 2, "the list again")
        assert ada.type("q\r").wait_end() == 0
        assert b"\x1b" not in ada.received
        assert bytes(ada.received).isascii()


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        ("1", ["notes"]),
        ("0", []),
        ("5", []),
        ("²", []),
        ("9" * 400, []),
        ("0000000012", []),
        ("notes", ["notes"]),
        ("READER", ["reader"]),
        ("read", ["reader", "readings"]),
        ("qu", ["q"]),
        ("nts", ["notes"]),
        ("", []),
        ("xyzzy", []),
    ],
)
def test_what_an_answer_means(answer: str, names: list[str]) -> None:
    assert [card.name for card in lines.meant(answer, CARDS)] == names


def test_letters_are_commands_unless_an_app_is_called_so() -> None:
    assert lines.meant("w", CARDS) == "w"
    assert [card.name for card in lines.meant("q", CARDS)] == ["q"]
    assert lines.meant("q", CARDS[:3]) == "q"


@pytest.mark.parametrize(
    ("word", "letter"), [("help", "?"), ("exit", "q"), ("QUIT", "q"), ("logout", "q"), ("who", "w")]
)
def test_words_that_people_know_mean_the_letters(word: str, letter: str) -> None:
    assert lines.meant(word, CARDS[:3]) == letter


def test_people_are_idle_after_a_while_and_hidden_apps_are_not_named() -> None:
    one = Presence(1, "ada", False, "vault", 1e9 - 7200, 1e9 - 600, Peer("127.0.0.1", 1))
    assert people.what_they_do(one, {"menu": "the menu"}, 1e9) == "elsewhere, here 2 h, idle 10 min"
