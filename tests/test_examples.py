"""The examples, loaded as an operator's folder of apps is and visited as people visit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tuihost import App
from tuihost.host.plugins._loading import candidates
from tuihost.host.plugins.app_checks import load_path
from tuihost.testing import Hosted, hosted

EXAMPLES = Path(__file__).parents[1] / "examples"


def example(name: str) -> App:
    return load_path(EXAMPLES / f"{name}.py")


@pytest.fixture
def guestbook() -> Iterator[Hosted]:
    with hosted(example("guestbook")) as host:
        yield host


def test_every_example_is_an_app_and_says_how_to_run_it() -> None:
    paths = candidates(EXAMPLES)
    assert paths
    for path in paths:
        app = load_path(path)
        text = path.read_text("utf-8")
        assert app.name == path.stem, "the app is called otherwise than its file"
        assert "tuihost demo --apps examples" in text
        assert f"ssh -t -p 8022 localhost {app.name}\n" in text


def test_hello_greets_on_a_screen_and_line_by_line() -> None:
    with hosted(example("hello")) as host:
        with host.open("hello") as pilot:
            pilot.wait_for("Your name?").type("Ada").press("enter").wait_for("Hello, Ada!")
            pilot.press("down", "enter")  # another key first: an Enter that is held closes no page
            assert pilot.wait_end() == 0
        with host.lines("hello") as pilot:
            pilot.wait_for("Your name?").type("Bob\n").wait_for("Hello, Bob!")
            assert pilot.wait_end() == 0


def test_hello_is_six_lines_beside_its_words() -> None:
    lines = (EXAMPLES / "hello.py").read_text("utf-8").splitlines()
    code = [line for line in lines if line.strip() and not line.lstrip().startswith(("#", '"'))]
    assert len(code) <= 6


def test_a_guestbook_is_signed_on_a_screen(guestbook: Hosted) -> None:
    with guestbook.open() as pilot:
        pilot.wait_for("Nobody has signed yet.").press("c-n").wait_for("What do you want to say?")
        pilot.type("I was here").press("enter").wait_for("Thank you.").wait_for("I was here")
        pilot.press("c-c")
        assert pilot.wait_end() == 0
    assert guestbook.run("guestbook read").text == "ada: I was here\n"


def test_who_reads_the_guestbook_sees_who_signs_it(guestbook: Hosted) -> None:
    with guestbook.open(user="grace") as reader:
        reader.wait_for("Nobody has signed yet.")
        assert guestbook.run("guestbook sign hello --loud").text == "Thank you.\n"
        reader.wait_for("HELLO").wait_for("ada")


def test_a_reader_who_is_gone_is_told_nothing_more(guestbook: Hosted) -> None:
    app = guestbook.host.catalog.apps["guestbook"].app
    with guestbook.open() as pilot:
        pilot.wait_for("sign").press("c-n").wait_for("What do you want to say?")
        pilot.type("hello").press("enter").wait_for("ada").wait_for("hello")
        assert len(app.readers) == 1  # type: ignore[attr-defined]
        pilot.drop()
        guestbook.log.wait_for("session.end")
    assert not app.readers  # type: ignore[attr-defined]


def test_a_guestbook_is_signed_without_a_terminal(guestbook: Hosted) -> None:
    with guestbook.lines() as pilot:
        pilot.wait_for("What do you want to say?").type("hi\n").wait_for("Thank you.")
        assert pilot.wait_end() == 0
    done = guestbook.run("guestbook sign")
    assert (done.status, done.errors) == (1, "Say something: guestbook sign WORDS\n")
    for word in ("one", "two", "three"):
        guestbook.run(f"guestbook sign {word}")
    assert guestbook.run("guestbook read --last 2").text == "ada: three\nada: two\n"


def test_what_is_written_cannot_steer_a_terminal(guestbook: Hosted) -> None:
    guestbook.run("guestbook sign 'red \x1b[31m\x9b2Jtext'")
    assert "\x1b" not in guestbook.run("guestbook read").text
