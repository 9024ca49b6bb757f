"""The settings as text: a file to start from, and the page in the documents."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from tests.settings.test_loading import write
from tuihost.settings import pages
from tuihost.settings.loading import load
from tuihost.settings.models import Group, Limits, Login, Role, Section, Settings


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
    assert settings.groups["teachers"].roles == ("staff",)


def test_the_page_has_every_setting_with_its_values_and_an_example(tmp_path: Path) -> None:
    page = pages.page()
    examples = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    given = tomllib.loads("".join(examples))
    load(write(tmp_path, "".join(examples)), {})
    tables = {name: given[name] for name in given if name not in ("roles", "groups", "app")}
    tables |= {"roles": given["roles"]["staff"], "groups": given["groups"]["teachers"]}
    for name, field in Settings.model_fields.items():
        section = {"roles": Role, "groups": Group}.get(name, field.annotation)
        if name == "app":
            continue
        assert isinstance(section, type)
        assert issubclass(section, Section)
        assert list(tables[name]) == list(section.model_fields)
        for setting in section.model_fields.values():
            assert f"| {pages.values_of(setting)} | {setting.description} |" in page


def test_a_setting_says_its_bounds_and_its_unit() -> None:
    limits, login = Limits.model_fields, Login.model_fields
    assert pages.values_of(limits["share"]) == "0.1 to 100"
    assert pages.values_of(limits["memory"]) == "64 to 1,000,000 MB"
    assert pages.values_of(login["grace"]) == "more than 0 to 31,536,000 seconds"
    assert pages.values_of(login["banner"]) == "text, at most 4,000 characters"
    assert pages.values_of(login["terms"]) == "a path"
    assert "(0.1 to 100)" in pages.example()


def test_the_page_in_the_docs_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "settings.md"
    assert page.read_text("utf-8") == pages.page(), "run `make docs`"


def test_whatever_is_chosen_stands_in_the_example_as_it_is() -> None:
    odd = "".join(map(chr, range(0x20))) + '\x7f"\\é'
    made = tomllib.loads(pages.example({"server.name": odd, "apps.folders": [odd, "b"]}))
    assert made["server"]["name"] == odd
    assert made["apps"]["folders"] == [odd, "b"]
