"""Notes drawn as pages: nothing in them takes long."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.waiting import allowed
from tuihost.host.plugins.app_checks import load_path
from tuihost.theme.theme import load_theme
from tuihost.tui.layout.renderables import render_lines

ROOT = Path(__file__).parents[2]
THEME = load_theme(ROOT / "themes" / "harbor-night.toml")


@pytest.fixture
def drawing() -> ModuleType:
    app = load_path(ROOT / "apps" / "notes")
    return sys.modules[f"{type(app).__module__}.drawing"]


def beside_front_matter(drawing: ModuleType, name: str) -> Any:
    """Something of the module of notes, which was loaded from its folder as `drawing` was."""
    return getattr(sys.modules[drawing.front_matter.__module__], name)


SIZE = 10_000
SLOW_OTHERWISE = {
    "code": "```adl\nText\n" + " " * (SIZE - 20) + "\n```\n",
    "brackets": "[" * SIZE,
    "pictures": "![" * (SIZE // 2),
    "links": "[a](" * (SIZE // 4),
    "stars": "*a_" * (SIZE // 3),
    "emphasis": "**a" * (SIZE // 3),
    "ticks": "".join("`" * size + "a" for size in range(1, 190)),
    "quotes": ">" * SIZE,
    "lists": "- " * (SIZE // 2),
    "items": "- a\n" * (SIZE // 4),
    "tags": "<a " * (SIZE // 3),
    "lines": "a\n" * (SIZE // 2),
    "columns": "|a" * (SIZE // 5) + "|\n" + "|-" * (SIZE // 5) + "|\n",
    "rows": "|a|b|\n|-|-|\n" + "|c|d|\n" * (SIZE // 6 - 10),
    "fences": "```\n```\n" * (SIZE // 8),
    "entities": "&a;" * (SIZE // 3),
    "references": "[a]: b\n" * (SIZE // 7),
    "blanks": "a" + " " * (SIZE - 2) + "b",
    "words": "a " * (SIZE // 2),
    "front": "---\na:\n" + "---a\n" * (SIZE // 5 - 2),
}
"""Texts that some parsers need a time for that grows with the square of their size, or worse."""


@pytest.mark.parametrize("kind", SLOW_OTHERWISE)
def test_no_note_takes_long_to_draw(drawing: ModuleType, kind: str) -> None:
    text = SLOW_OTHERWISE[kind]
    begun = time.thread_time()
    render_lines(drawing.drawn(text), 80, THEME)
    assert time.thread_time() - begun < allowed(1.0)


@pytest.mark.parametrize(
    ("text", "preview"),
    [
        ("---\ntitle: X\n---\nmilk\n", "milk"),
        ("---\ntitle: X\n---\n\n# X\n\nmilk\n", "milk"),
        ("---\ntags: [a]\n---\n# X\nmilk\n", "milk"),
        ("\n\n# X\n- milk\n\nbread\n", "milk bread"),
        (f"{'x' * 300}\nmilk\n", "milk"),
        ("---\ntitle: X\n---\n", ""),
        ("", ""),
    ],
)
def test_a_list_shows_how_a_note_goes_on_without_what_is_for_other_programs(
    drawing: ModuleType, text: str, preview: str
) -> None:
    summary = beside_front_matter(drawing, "Summary")
    assert summary.of(1, 1, 0.0, 0.0, len(text), text).preview == preview


def test_what_is_in_front_for_other_programs_is_no_heading(drawing: ModuleType) -> None:
    title_of = beside_front_matter(drawing, "title_of")
    text = "---\ntitle: 'The plan'\ntags: [a]\n---\nmilk\n"
    assert title_of(text) == "The plan"
    assert title_of("---\ntags: [a]\n---\n\n# Milk\n") == "Milk"
    assert title_of("---\nmilk\n---\n") == "milk"
    rows = [
        "".join(part for _, part, *_ in row).strip()
        for row in render_lines(drawing.drawn(text), 60, THEME)
    ]
    assert [row for row in rows if row] == ["title: 'The plan'", "tags: [a]", "milk"]


def test_nothing_that_somebody_wrote_is_left_out(drawing: ModuleType) -> None:
    text = (
        "<TODO> buy milk\n\n<div>a block</div>\n\nif a<b and c>d\n\n<!-- aside -->\n\n"
        "[bob]: call him\n\n| pictures |\n|---|\n| ![a cat](cat.png) |\n"
    )
    shown = [
        "".join(text for _, text, *_ in row) for row in render_lines(drawing.drawn(text), 60, THEME)
    ]
    for words in (
        "<TODO> buy milk",
        "<div>a block</div>",
        "if a<b and c>d",
        "<!-- aside -->",
        "[bob]: call him",
    ):
        assert words in [row.strip() for row in shown]
    heads, cells = (at for at, row in enumerate(shown) if "pictures" in row or "cat.png" in row)
    assert cells > heads
    assert shown[cells].split() == ["![a", "cat](cat.png)"]
