"""The settings as text: a file to start from, and the page in the documents."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tests.settings.test_loading import write
from tuihost.settings import pages
from tuihost.settings.loading import load
from tuihost.settings.models import Settings


def test_the_example_says_the_defaults_and_sets_what_was_chosen(tmp_path: Path) -> None:
    assert load(write(tmp_path, pages.example()), {}) == load(None, {})
    settings = load(write(tmp_path, pages.example({"server.port": 22})), {})
    assert settings.server.port == 22


def test_the_comments_of_the_example_are_settings_that_work(tmp_path: Path) -> None:
    lines = pages.example().splitlines()
    active = [line[1:] if line.startswith("#") and line[1:2] != " " else line for line in lines]
    settings = load(write(tmp_path, "\n".join(active)), {})
    given = settings.model_dump(exclude={"app"})
    assert set(given) == set(Settings.model_fields) - {"app"}
    assert settings.app == {"files": {"quota": 200}}


def test_the_page_in_the_docs_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "settings.md"
    assert page.read_text("utf-8") == pages.page(), "run `make docs`"


def test_whatever_is_chosen_stands_in_the_example_as_it_is() -> None:
    odd = "".join(map(chr, range(0x20))) + '\x7f"\\é'
    made = tomllib.loads(pages.example({"server.name": odd, "apps.folders": [odd, "b"]}))
    assert made["server"]["name"] == odd
    assert made["apps"]["folders"] == [odd, "b"]
