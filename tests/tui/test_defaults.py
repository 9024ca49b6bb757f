"""Defaults exist once a process."""

from __future__ import annotations

import time
from typing import Any

import pytest
from prompt_toolkit import utils as utils_module
from prompt_toolkit.application import Application
from prompt_toolkit.application import application as application_module
from prompt_toolkit.application.current import set_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition, to_filter
from prompt_toolkit.input import DummyInput
from prompt_toolkit.key_binding.defaults import load_key_bindings
from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import BufferControl, FormattedTextControl, Layout, Window
from prompt_toolkit.layout.screen import _CHAR_CACHE
from prompt_toolkit.output import DummyOutput
from prompt_toolkit.styles import Style
from prompt_toolkit.utils import get_cwidth

from tuihost.tui import defaults
from tuihost.tui.running.loop import run

FAMILY = "👨\u200d👩\u200d👧"


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test patches is put back as prompt_toolkit made it, or as it was patched."""
    for owner, name in (
        (application_module, "load_key_bindings"),
        (application_module, "load_page_navigation_bindings"),
        (Application, "_create_merged_style"),
        (Buffer, "save_to_undo_stack"),
        (utils_module, "_CHAR_SIZES_CACHE"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name))


def application(**options: Any) -> Application[Any]:
    return Application(input=DummyInput(), output=DummyOutput(), **options)


def test_applications_share_their_default_bindings() -> None:
    defaults.share_defaults()
    one, other = application(), application()
    assert one._default_bindings is other._default_bindings is defaults.shared_key_bindings()
    assert one._page_navigation_bindings is defaults.shared_page_bindings()
    own = len(defaults.field_bindings().bindings)
    assert len(defaults.shared_key_bindings().bindings) == len(load_key_bindings().bindings) + own


@pytest.mark.parametrize(
    ("pasted", "keys", "text"),
    [
        ("KEY\n", [], "KEY"),
        ("a\r\nb\n", [], "a b"),
        (FAMILY, [Keys.Backspace], ""),
        (FAMILY, [Keys.Left, "x"], f"x{FAMILY}"),
        ("ab", [Keys.Left, "x"], "axb"),
        (f"{FAMILY}b", [Keys.Home, Keys.Right, "x"], f"{FAMILY}xb"),
        (f"{FAMILY}b", [Keys.Home, Keys.Delete], "b"),
    ],
)
def test_a_field_of_one_line_that_an_app_made_itself(
    pasted: str, keys: list[Keys | str], text: str
) -> None:
    defaults.share_defaults()
    buffer = Buffer(multiline=False)
    app = application(layout=Layout(Window(BufferControl(buffer))))

    async def press() -> None:
        with set_app(app):
            app.key_processor.feed(KeyPress(Keys.BracketedPaste, pasted))
            app.key_processor.feed_multiple([KeyPress(key) for key in keys])
            app.key_processor.process_keys()

    run(press())
    assert buffer.text == text


def test_a_paste_where_nothing_takes_text_rings_the_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    defaults.share_defaults()
    app = application(layout=Layout(Window(FormattedTextControl("a list", focusable=True))))
    rung: list[int] = []
    monkeypatch.setattr(app.output, "bell", lambda: rung.append(1))

    async def press() -> None:
        with set_app(app):
            app.key_processor.feed(KeyPress(Keys.BracketedPaste, "a\nb"))
            app.key_processor.process_keys()

    run(press())
    assert rung == [1]


def test_an_application_costs_a_fraction(monkeypatch: pytest.MonkeyPatch) -> None:
    def cost() -> float:
        began = time.thread_time()
        for _ in range(20):
            application()
        return time.thread_time() - began

    monkeypatch.setattr(application_module, "load_key_bindings", load_key_bindings)
    monkeypatch.setattr(Application, "_create_merged_style", defaults._stock_merged_style)
    stock = cost()
    defaults.share_defaults()
    application()
    assert cost() < stock / 4


@pytest.mark.parametrize("pygments", [True, False, Condition(lambda: False)])
def test_styles_come_out_as_before(pygments: Any) -> None:
    own = Style.from_dict({"title": "italic", "pygments.keyword": "underline"})
    options = {"style": own, "include_default_pygments_style": pygments}
    defaults.share_defaults()
    ours = application(**options)
    theirs = defaults._stock_merged_style(ours, to_filter(pygments))
    for style in ("", "class:title", "class:pygments.keyword", "class:pygments.comment", "bold"):
        assert ours._merged_style.get_attrs_for_style_str(style) == (
            theirs.get_attrs_for_style_str(style)
        )
    ours.style = Style.from_dict({"title": "blink"})
    assert ours._merged_style.get_attrs_for_style_str("class:title").blink


def test_the_cells_that_a_process_remembers_are_bounded() -> None:
    defaults.share_defaults()
    assert _CHAR_CACHE.size <= defaults.CELLS_KEPT


def test_the_texts_whose_width_a_process_remembers_are_bounded() -> None:
    defaults.share_defaults()
    for number in range(defaults.WIDTHS_KEPT + 1):
        assert get_cwidth(f"é{number}") == 1 + len(str(number))
    assert get_cwidth("語" * 1000) == 2000
    kept = utils_module._CHAR_SIZES_CACHE
    assert len(kept) <= defaults.WIDTHS_KEPT
    assert max(map(len, kept)) <= defaults.WIDTH_LENGTH
    defaults.share_defaults()
    assert utils_module._CHAR_SIZES_CACHE is kept


@pytest.mark.parametrize(
    "text", ["", "abc", "a\tb", "\x1b[1m", "語", "e\u0301", FAMILY, "\x1f", "x" * 65, "é" * 65]
)
def test_the_width_of_a_text_is_what_prompt_toolkit_says(text: str) -> None:
    assert defaults.Widths()[text] == utils_module._CharSizesCache()[text]
