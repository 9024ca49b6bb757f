"""The reader: pages, links between them, and folders that hold what they should not."""

from __future__ import annotations

import importlib
import json
import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tuihost.errors import AppLoadError
from tuihost.host.plugins.app_checks import load_path
from tuihost.testing import Hosted, Pilot, hosted

FOLDER = Path(__file__).parents[2] / "apps" / "reader"
LONG = "# Long\n\n" + "".join(f"## Part {n}\n\n{'word ' * 60}\n\n" for n in range(1, 30))


@pytest.fixture
def host() -> Iterator[Hosted]:
    with hosted(bundled=["menu", "reader"]) as host:
        yield host


Reading = Callable[[dict[str, str | bytes]], Hosted]


@pytest.fixture
def reading(tmp_path: Path) -> Iterator[Reading]:
    """A host whose reader has these files."""
    with ExitStack() as hosts:

        def start(files: dict[str, str | bytes]) -> Hosted:
            for name, content in files.items():
                path = tmp_path / "pages" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.encode() if isinstance(content, str) else content)
            settings = {"app.reader.folder": str(tmp_path / "pages")}
            return hosts.enter_context(hosted(bundled=["menu", "reader"], settings=settings))

        yield start


def at(pilot: Pilot, title: str) -> Pilot:
    """Waits until the title line says where one is."""
    return pilot.wait_until(lambda: title in pilot.screen.lines[0], f"the page {title!r}")


def hear(pilot: Pilot, words: str) -> Pilot:
    """Waits for words in plain lines, which no screen has cut."""
    return pilot.wait_until(lambda: words in pilot.received.decode(), repr(words))


# ------------------------------------------------------------------------------ the handbook


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (200, 60)])
def test_the_handbook_opens_and_its_links_lead_on_and_back(
    host: Hosted, size: tuple[int, int]
) -> None:
    with host.open("reader", size=size) as pilot:
        pilot.wait_for("▌ Welcome").wait_for("Your privacy here")
        assert ("Finding your way" in pilot.text) is (size[0] >= 100), "the page stands beside"
        at(pilot.press("enter"), "Welcome").wait_for("This is a host of small programs")
        assert all(len(line) <= size[0] for line in pilot.screen.lines)
        at(pilot.press("tab", "enter"), "Keys and screens").wait_for("The last line of every")
        at(pilot.press("backspace"), "Welcome")
        at(pilot.press("right"), "Keys and screens")
        at(pilot.press("escape"), "Reader").wait_for("▌ Keys and screens").press("c-c")
        assert pilot.wait_end() == 0


def test_a_key_that_is_held_down_goes_one_page_back(reading: Reading) -> None:
    pages = {"a.md": "# One\n\n[on](b.md)", "b.md": "# Two\n\n[on](c.md)", "c.md": "# Three"}
    with reading(pages).open("reader") as pilot:
        pilot.wait_for("▌ One").press("enter", "tab", "enter", "tab", "enter")
        at(pilot, "Three").press(*["backspace"] * 20, "?").wait_for("Keys")
        assert "Two" in pilot.screen.lines[0]


def test_keys_may_be_typed_ahead(host: Hosted) -> None:
    with host.open("reader") as pilot:
        at(pilot.wait_for("▌ Welcome").type("\r\t\r"), "Keys and screens")


def test_every_link_of_the_handbook_leads_somewhere() -> None:
    app = load_path(FOLDER)
    app.options = {}
    app.start()
    pages = app.library.pages()  # type: ignore[attr-defined]
    bundled = {path.name for path in FOLDER.parent.iterdir() if (path / "__init__.py").exists()}
    assert [page.name for page in pages] == [
        *("welcome", "keys", "shell", "privacy"),
        *(f"apps/{name}" for name in sorted(bundled)),
    ], "a page for each app"
    for page in pages:
        _, text = app.library.text(page)  # type: ignore[attr-defined]
        assert page.problem == ""
        for link in re.findall(r"\]\(([^)]+)\)", text):
            assert app.library.linked(page, link)[0] is not None, link  # type: ignore[attr-defined]


# ------------------------------------------------------------------------------ reading


def test_the_place_is_kept_on_the_way_to_the_menu(reading: Reading) -> None:
    with reading({"long.md": LONG, "short.md": "# Short"}).open() as pilot:
        pilot.wait_for("Reader").press("enter").wait_for("▌ Long").press("enter")
        pilot.wait_for("Part 1").press("o").wait_for("On this page").press("/").type("Part 17")
        pilot.wait_for("▌   Part 17").press("enter")
        pilot.wait_gone("On this page").wait_until(
            lambda: "Part 17" in pilot.screen.lines[2], "the heading on top"
        )
        pilot.press("c-]").wait_for("Menu").press("enter")
        pilot.wait_until(lambda: "Part 17" in pilot.screen.lines[2], "the same place")


@pytest.mark.parametrize(("lang", "shown"), [("C.UTF-8", "Für später"), ("C", "Fur spater")])
def test_the_outline_finds_a_heading_however_it_is_drawn(
    reading: Reading, lang: str, shown: str
) -> None:
    page = LONG + "## Für später\n\n" + "end\n\n" * 40
    with reading({"long.md": page}).open("reader", env={"LANG": lang}) as pilot:
        at(pilot.wait_for("Long").press("enter"), "Long").press("o").wait_for("On this page")
        pilot.press("end").wait_for(shown).press("enter").wait_gone("On this page")
        pilot.wait_until(lambda: shown in pilot.screen.lines[2], "the heading on top")


def test_a_page_is_searched(reading: Reading) -> None:
    with reading({"long.md": LONG + "The needle.\n\n## End\n"}).open("reader") as pilot:
        pilot.wait_for("▌ Long").press("enter").wait_for("Part 1").press("/").type("needle")
        pilot.wait_for("1 of 1").wait_for("The needle.").press("enter").wait_for("n next found")
        pilot.press("escape").wait_gone("1 of 1")
        pilot.press("escape").wait_for("▌ Long")


def test_a_page_that_changes_is_read_anew(reading: Reading, tmp_path: Path) -> None:
    host = reading({"news.md": "# News\n\nold words"})
    path = tmp_path / "pages" / "news.md"
    with host.open("reader") as pilot:
        pilot.wait_for("▌ News").press("enter").wait_for("old words").press("escape")
        pilot.wait_for("▌ News")
        path.write_text("# Later news\n\nnew words")
        pilot.press("enter").wait_for("new words").wait_for("Later news")
        path.unlink()
        pilot.press("escape").wait_for("There are no pages here yet.")
    assert host.run("reader list").text == ""


def test_there_are_five_hundred_pages_at_most(reading: Reading) -> None:
    host = reading({f"{number}.md": f"# Page {number}" for number in range(510)})
    assert len(json.loads(host.run("reader list --json").stdout)) == 500


def test_links_to_places_to_nowhere_and_out_of_the_host(reading: Reading) -> None:
    page = (
        "# Links\n\n[far](sub/far.md#part-9) [gone](gone.md) [up](../secret.md) "
        "[out](https://example.net/a?b=c) [odd](http://[) [here](#bottom)\n\n"
    )
    host = reading({"1-links.md": page + "filler\n\n" * 40 + "## Bottom\n", "sub/far.md": LONG})
    with host.open("reader") as pilot:
        pilot.wait_for("▌ Links").press("enter").wait_for("far gone up")
        pilot.press("tab", "enter").wait_until(
            lambda: "Part 9" in pilot.screen.lines[2], "the place that the link names"
        )
        pilot.press("escape").wait_for("far gone up").press("tab", "tab", "enter")
        pilot.wait_for("There is no page gone.md here").press("tab", "enter")
        pilot.wait_for("There is no page ../secret.md").press("tab", "enter")
        pilot.wait_for("leads away from this host").wait_for("https://example.net/a?b=c").press(
            "right", "left", "enter"
        )
        pilot.wait_for("Copied")
        assert b"\x1b]52;c;aHR0cHM6Ly9leGFtcGxlLm5ldC9hP2I9Yw==" in pilot.received
        pilot.press("tab", "enter").wait_for("http://%5B").press("escape").wait_gone("%5B")
        pilot.press("tab", "enter").wait_for("Bottom")


MARKED = """---
title: "Named in front"
draft: true
---

# Heading

<div>
Some <b>plain</b> HTML &amp; more <!-- not this -->
</div>

<script>alert("nor this")</script>

Look at ![a cat](pictures/cat.png) and [![logo](l.png)](https://example.org/l) here<br>and below.

| what | where |
|---|---|
| [a link](other.md) | ![a picture](p.png) |
| ![](unnamed.png) | ![far away](https://example.org/x.png) |

<details><summary>More</summary>

Hidden words

</details>
"""


def test_front_matter_html_and_pictures_are_words_in_their_place(reading: Reading) -> None:
    host = reading({"page.md": MARKED, "other.md": "# Other"})
    with host.open("reader", size=(80, 40)) as pilot:
        pilot.wait_for("Other").type("named in front").wait_gone("Other")
        at(pilot.press("enter"), "Named in front")
        pilot.wait_for("Hidden words")
        text = pilot.text
        for words in (
            "Some plain HTML & more",
            "Look at a cat and logo here",
            "and below.",
            "More",
        ):
            assert words in text
        for words in ("draft", "<", "not this", "nor this", "🌆"):
            assert words not in text
        rows = [line.split() for line in pilot.screen.lines if "picture" in line or "far" in line]
        assert rows == [["a", "link", "a", "picture"], ["unnamed.png", "far", "away"]]
        assert text.count("a link") == 1
    assert host.run("reader show page").text.startswith("# Heading\n")
    assert host.run("reader search Hidden").text == "page:23: Hidden words\n"


@pytest.mark.parametrize("text", ["---\n\nwords\n---\n", "---\nwords\n", "a\n---\ntitle: b\n---\n"])
def test_a_line_across_the_page_is_not_front_matter(reading: Reading, text: str) -> None:
    assert reading({"page.md": text}).run("reader show page").text == text


def test_pages_are_found_by_what_they_say(reading: Reading) -> None:
    pages = {"a.md": "# One\n\nNothing.", "b.md": LONG + "In Zürich there is a needle.\n"}
    with reading(pages).open("reader") as pilot:
        pilot.wait_for("▌ One").type("needle zurich").wait_gone("One")
        pilot.wait_for("In Zürich there is a").press("enter")
        pilot.wait_for("In Zürich there is a needle.")
    with reading({}).open("reader") as pilot:
        pilot.wait_for("▌ One").type("zurich").wait_gone("One").press("enter").wait_for("1 of 1")


def test_a_line_that_is_found_is_shown_without_its_markup(reading: Reading) -> None:
    page = "# One\n\nText.\n\n| a | b |\n|---|---|\n| `Esc` | goes **back**, [see](a.md) |\n\n"
    with reading({"a.md": page + "```\nssh HOST notes needle\n```\n"}).open("reader") as pilot:
        pilot.wait_for("▌ One").type("esc goes").wait_for("Esc goes back, see")
        pilot.press("c-u").type("needle").wait_for(" notes needle")
        assert "HOST" not in pilot.text
    host = reading({"a.md": "ssh HOST notes needle\n"})
    told = "a:1: ssh -p 8022 ada@localhost notes needle"
    assert host.run("reader search needle").text == f"{told}\n"
    with host.lines(user="ada+reader") as lines:
        hear(lines.type("find needle\n"), told)


def test_line_by_line(reading: Reading) -> None:
    host = reading(
        {"a.md": "# First\n\nshort [way](b.md#x) [out](ssh://b)", "b.md": LONG, "c.md": b"\xff\xfe"}
    )
    with host.lines(user="ada+reader") as pilot:
        hear(pilot, "1. First\n2. Long\n3. c\n")
        hear(pilot.type("1\n"), "short way out (ssh://b)")
        hear(pilot.type("long\n"), "Enter for more, q to stop: ")
        hear(pilot.type("\n"), "Part 4")
        hear(pilot.type("q\nc\n"), "c: This file is not text in UTF-8.")
        hear(pilot.type("find part 29\n"), "b:115: ## Part 29")
        hear(pilot.type("nowhere\n"), "There is no page nowhere")
        hear(pilot.type("help\n"), "l lists the pages again.")
        pilot.end_input()
        assert pilot.wait_end() == 0
        assert b"\x1b" not in pilot.received
    for word in ("q", "Quit", "exit", "logout"):
        with host.lines(user="ada+reader") as pilot:
            assert pilot.type(f"{word}\n").wait_end() == 0


# ------------------------------------------------------------------------------ commands


def test_commands(host: Hosted) -> None:
    listed = json.loads(host.run("reader list --json").text)
    assert [page["name"] for page in listed][:4] == ["welcome", "keys", "shell", "privacy"]
    assert host.run("reader list").text.splitlines()[1] == "keys            Keys and screens"
    for name in ("keys", "2", "'Keys and screens'", "2-keys.md", "KEY"):
        assert host.run(f"reader show {name}").text.startswith("# Keys and screens\n")
    found = host.run("reader search MENU arrive")
    assert (found.status, found.text.partition(":")[0]) == (0, "welcome")
    for wrong in (
        "show nowhere",
        "show 0",
        "show 999999999999",
        "show 0000012",
        "show ''",
        "search xyzzy",
    ):
        done = host.run(f"reader {wrong}")
        assert (done.status, done.text, done.errors.count("\n")) == (1, "", 1)
    with host.open("reader show shell", size=(60, 24)) as pilot:
        pilot.wait_end()
        assert b"\x1b[" in pilot.received, "drawn where there is a terminal"


# ------------------------------------------------------------------------------ folders


def test_what_is_no_page_is_refused_with_a_sentence(reading: Reading) -> None:
    host = reading({
        "big.md": b"# Big\n" + b"x" * 300_000,
        "binary.md": b"# Zero\0",
        "fine.md": "# Fine \x1b[2J\n",
        "latin.md": "# Käse".encode("latin-1"),
        ".hidden.md": "# Hidden",
        "image.png": b"\x89PNG",
    })  # fmt: skip
    listed = host.run("reader list").text
    assert listed.splitlines() == [
        "big     This file is larger than 256 kB.",
        "binary  This file is not text.",
        "fine    Fine ·[2J",
        "latin   This file is not text in UTF-8.",
    ]
    assert host.run("reader show big").errors == "big: This file is larger than 256 kB.\n"
    assert host.run("reader show .hidden").status == 1
    with host.open("reader") as pilot:
        pilot.wait_for("▌ big").press("enter").wait_for("big: This file is larger")


def test_nothing_outside_the_folder_is_read(tmp_path: Path, reading: Reading) -> None:
    (tmp_path / "secret.md").write_text("# Secret")
    host = reading({"page.md": "# Page", "sub/page.md": "# Below"})
    pages = tmp_path / "pages"
    (pages / "link.md").symlink_to(tmp_path / "secret.md")
    (pages / "folder").symlink_to(tmp_path, target_is_directory=True)
    (pages / "inside.md").symlink_to(pages / "sub" / "page.md")
    (pages / "loop.md").symlink_to(pages / "loop.md")
    os.mkfifo(pages / "pipe.md")
    names = [line.split()[0] for line in host.run("reader list").text.splitlines()]
    assert names == ["inside", "page", "sub/page"]
    library = host.host.catalog.apps["reader"].app.library  # type: ignore[attr-defined]
    page = library.find("page")
    for link in ("../secret.md", "%2e%2e/secret.md", "/etc/passwd", "folder/secret.md", "link.md",
                 "pipe.md", "a" * 5000 + ".md", "nul%00.md", "sub", ".git/x.md"):  # fmt: skip
        assert library.linked(page, link)[0] is None, link
    assert library.linked(library.find("sub/page"), "../page.md#x") == (page, "x")


def test_a_folder_that_is_not_there_is_a_broken_app(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = load_path(FOLDER)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path)
    for folder, why in (
        (str(tmp_path / "nowhere"), "no folder with pages"),
        ("~nobody-of-that-name", "no folder with pages"),
        ("here", "should begin with / or ~"),
    ):
        app.options = {"folder": folder}
        with pytest.raises(AppLoadError, match=why):
            app.start()
        assert [name for name, _ in app.option_mistakes(app.options)] == ["folder"]


@pytest.mark.parametrize(
    ("text", "target", "shown"),
    [
        ("ssh HOST notes list", "-p 8022 localhost", "ssh -p 8022 localhost notes list"),
        ("ssh HOST", "box.example.org", "ssh box.example.org"),
        ("ssh -t HOST notes", "-p 8022 ada@box", "ssh -t -p 8022 ada@box notes"),
        ("ssh -t you@HOST notes", "-p 8022 ada@box", "ssh -t -p 8022 you@box notes"),
        ("date | ssh HOST notes add", "box", "date | ssh box notes add"),
        ("`HOST` stands for what you type", "box", "`HOST` stands for what you type"),
        ("ssh HOSTS", "box", "ssh HOSTS"),
        ("ssh-copy-id you@HOST", "-p 22 ada@box", "ssh-copy-id -p 22 you@box"),
    ],
)
def test_commands_are_shown_with_the_real_address(
    host: Hosted, text: str, target: str, shown: str
) -> None:
    module = type(host.host.catalog.apps["reader"].app).__module__
    assert importlib.import_module(f"{module}.markdown").addressed(text, target) == shown


@pytest.mark.parametrize(
    ("settings", "target"),
    [
        ({"server.port": 22, "server.host": "box.example.org"}, "box.example.org"),
        ({"server.port": 8022, "server.host": "::1"}, "-p 8022 localhost"),
        ({"server.host": "0.0.0.0", "server.port": 22}, socket.gethostname()),
        ({"app.about.address": "box.example.org:2222"}, "-p 2222 box.example.org"),
        ({"app.about.address": "box", "server.port": 2022}, "-p 2022 box"),
    ],
)
def test_the_address_is_the_one_that_people_type(settings: dict[str, Any], target: str) -> None:
    with hosted(bundled=["menu", "reader"], settings=settings) as host:
        assert host.host.ssh_target == target
        shown = host.run("reader show 3").text
        options, _, name = target.rpartition(" ")
        target = f"{options} ada@{name}".lstrip()
        assert f"ssh {target} notes list" in shown
