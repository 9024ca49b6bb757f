"""What we rely on in prompt_toolkit's drawing, one fact a test."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from prompt_toolkit.application import Application
from prompt_toolkit.application import application as application_module
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.data_structures import Point
from prompt_toolkit.input import DummyInput
from prompt_toolkit.key_binding.bindings.page_navigation import load_page_navigation_bindings
from prompt_toolkit.key_binding.defaults import load_key_bindings
from prompt_toolkit.layout import Layout, Window
from prompt_toolkit.layout.mouse_handlers import MouseHandlers
from prompt_toolkit.layout.screen import _CHAR_CACHE, Char, Screen, Transparent
from prompt_toolkit.output import ColorDepth, DummyOutput
from prompt_toolkit.output.vt100 import Vt100_Output, _EscapeCodeCache
from prompt_toolkit.renderer import Renderer
from prompt_toolkit.styles import Attrs, DummyStyle, Style


def renderer() -> Renderer:
    return Renderer(DummyStyle(), DummyOutput(), full_screen=True)


def application(**options: Any) -> Application[Any]:
    return Application(input=DummyInput(), output=DummyOutput(), **options)


@pytest.mark.parametrize(
    "name",
    [
        "_in_alternate_screen",
        "_mouse_support_enabled",
        "_bracketed_paste_enabled",
        "_cursor_key_mode_reset",
        "_last_screen",
        "_last_size",
        "_last_cursor_shape",
        "_cursor_pos",
        "_min_available_height",
        "mouse_handlers",
    ],
)
def test_a_renderer_keeps_its_state_under_this_name(name: str) -> None:
    assert name in vars(renderer())


def test_reset_leaves_the_modes_that_render_entered_and_flushes_once() -> None:
    calls: list[str] = []

    class Output(DummyOutput):
        def __getattribute__(self, name: str) -> Any:
            if name.startswith(("quit_", "disable_", "flush")):
                calls.append(name)
            return super().__getattribute__(name)

    subject = Renderer(DummyStyle(), Output(), full_screen=True)
    calls.clear()
    subject._in_alternate_screen = subject._mouse_support_enabled = True
    subject._bracketed_paste_enabled = True
    subject.reset()
    assert calls == [
        "quit_alternate_screen",
        "disable_mouse_support",
        "disable_bracketed_paste",
        "flush",
    ]


def test_an_application_renders_by_its_plain_attribute() -> None:
    app = application()
    assert app.renderer is vars(app)["renderer"]
    assert list(inspect.signature(Renderer.render).parameters) == [
        "self",
        "app",
        "layout",
        "is_done",
    ]
    assert isinstance(app._merged_style, object)
    assert app.renderer.style is app._merged_style


def test_an_application_has_the_defaults_that_we_change() -> None:
    app = application()
    assert app.terminal_size_polling_interval == 0.5
    assert (app.ttimeoutlen, app.timeoutlen) == (0.5, 1.0)
    assert app.min_redraw_interval is None
    assert app.erase_when_done is False


def test_an_application_looks_for_its_defaults_in_its_own_module(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys, pages, style = load_key_bindings(), load_page_navigation_bindings(), DummyStyle()
    monkeypatch.setattr(application_module, "load_key_bindings", lambda: keys)
    monkeypatch.setattr(application_module, "load_page_navigation_bindings", lambda: pages)
    monkeypatch.setattr(Application, "_create_merged_style", lambda self, pygments: style)
    app = application()
    assert app._default_bindings is keys
    assert app._page_navigation_bindings is pages
    assert app._merged_style is style


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (Application, "suspend_to_background"),
        (Application, "run_system_command"),
        (Application, "_enable_breakpointhook"),
        (Application, "_on_resize"),
        (Buffer, "open_in_editor"),
    ],
)
def test_the_doors_that_we_close_are_still_there(owner: type, name: str) -> None:
    # By its source: what we put in the place of a method is there either way.
    source = inspect.getsource(inspect.getmodule(owner) or owner)
    assert f"def {name}(" in source


def test_a_resize_erases_then_draws() -> None:
    called: list[str] = []
    app = application(full_screen=True)
    app.renderer.erase = lambda leave_alternate_screen=True: called.append(  # type: ignore[method-assign]
        f"erase {leave_alternate_screen}"
    )
    app._redraw = lambda *args: called.append("redraw")  # type: ignore[assignment,method-assign]
    app._on_resize()
    assert called == ["erase False", "redraw"]


def test_a_screen_is_rows_of_cells_with_a_transparent_blank() -> None:
    screen = Screen()
    assert screen.data_buffer[3][4] is _CHAR_CACHE[" ", Transparent]
    assert dict.get(screen.data_buffer, 9) is None
    assert screen.zero_width_escapes.get(0) is None
    assert screen.get_cursor_position(Window()) == Point(0, 0)


def test_cells_are_shared_so_that_equal_rows_compare_by_identity() -> None:
    assert _CHAR_CACHE["a", "bold"] is _CHAR_CACHE["a", "bold"]
    assert isinstance(_CHAR_CACHE.size, int)


def test_a_cell_knows_its_width_and_makes_controls_visible() -> None:
    assert [Char(char).width for char in ("a", "漢", "\u0301", "")] == [1, 2, 0, 0]
    assert (Char("\x1b").char, Char("\x1b").width) == ("^[", 2)
    assert (Char("\x9b").char, Char("\x9b").width) == ("<9b>", 4)


def test_a_style_ignores_what_stands_in_brackets() -> None:
    style = Style.from_dict({"a": "bold"})
    with_link = style.get_attrs_for_style_str("class:a [link:https://example.org/?a=b&c#d]")
    assert with_link == style.get_attrs_for_style_str("class:a")


def test_attributes_become_one_sequence_that_begins_with_a_reset() -> None:
    attrs = Style([]).get_attrs_for_style_str("bold fg:#ff0000")
    codes = _EscapeCodeCache(ColorDepth.DEPTH_24_BIT)
    assert codes[attrs] == "\x1b[0;38;2;255;0;0;1m"
    assert codes[Style([]).get_attrs_for_style_str("")] == "\x1b[0m"
    assert {"color", "bgcolor", "underline", "strike", "blink", "reverse"} <= set(Attrs._fields)


def test_an_output_buffers_text_under_this_name() -> None:
    import io

    output = Vt100_Output(io.StringIO(), lambda: None, term="xterm")  # type: ignore[arg-type,return-value]
    output.write_raw("x")
    assert output._buffer == ["x"]
    assert output._cursor_visible is None
    assert output._cursor_shape_changed is False
    assert set(output._escape_code_caches) == set(ColorDepth)


def test_the_mouse_is_looked_up_by_row_and_column() -> None:
    handlers = MouseHandlers()
    handlers.set_mouse_handler_for_range(1, 3, 1, 2, lambda event: None)
    event: Any = None
    assert handlers.mouse_handlers[1][2](event) is None
    assert handlers.mouse_handlers[0][0](event) is NotImplemented


def test_a_window_draws_itself_through_this_method() -> None:
    drawn: list[tuple[Any, ...]] = []

    class Mine(Window):
        def _write_to_screen_at_index(self, *args: Any) -> None:
            drawn.append(args)

    app = application(layout=Layout(Mine()), full_screen=True)
    app.renderer.render(app, app.layout)
    ((screen, mouse, area, style, erase),) = drawn
    assert isinstance(screen, Screen)
    assert isinstance(mouse, MouseHandlers)
    assert (area.xpos, area.ypos, style, erase) == (0, 0, "", False)
