"""A window that is drawn here, request by request, through python-xlib."""

from __future__ import annotations

import importlib.util
from typing import Any

from tuihost import NotOpened, Session, X11Display

WIDTH, HEIGHT, LINE = 360, 140, 22
PAPER, INK, ACCENT = 0x1B2430, 0xE8EDF2, 0x7FD1AE
CLOSE_KEYS = (ord("q"), ord("Q"), 0xFF1B)  # and Escape


def can_draw() -> bool:
    """Whether the library is here."""
    return importlib.util.find_spec("Xlib") is not None


class Note:
    """One window with a few words in it, until it is closed. Thread: the one that calls `run`,
    except the constructor."""

    def __init__(self, session: Session, display: X11Display) -> None:
        self._lines = (
            f"Hello, {session.user}.",
            f"{session.host.name} draws this window, from afar.",
            "Press q to close it.",
        )
        self._title = f"{session.host.name}: a note"
        self._display = display

    def run(self) -> None:
        """Shows it, and returns when it is closed or the person has left. Raises `NotOpened` if
        there is no way to the screen."""
        from Xlib import error

        from .xlib import open_display

        try:
            server = open_display(self._display)
            try:
                self._serve(server)
            finally:
                server.display.socket.close()
        except error.ConnectionClosedError:
            return  # from the other side: the person has gone, or has closed the window for good
        except error.DisplayError as refused:
            raise NotOpened(str(refused)) from None

    def _serve(self, server: Any) -> None:
        from Xlib import X

        screen = server.screen()
        window = screen.root.create_window(
            0, 0, WIDTH, HEIGHT, 0, screen.root_depth,
            background_pixel=PAPER, event_mask=X.ExposureMask | X.KeyPressMask,
        )  # fmt: skip
        window.set_wm_name(self._title)
        window.set_wm_class("tuihost", "Tuihost")
        closing = server.intern_atom("WM_DELETE_WINDOW")
        window.set_wm_protocols([closing])
        window.map()
        while True:
            event = server.next_event()
            if event.type == X.Expose:
                self._draw(window)
            elif event.type == X.KeyPress:
                if server.keycode_to_keysym(event.detail, 0) in CLOSE_KEYS:
                    return
            elif event.type == X.DestroyNotify or _asks_to_close(event, closing):
                return

    def _draw(self, window: Any) -> None:
        accent = window.create_gc(foreground=ACCENT)
        window.fill_rectangle(accent, 0, 0, 6, HEIGHT)
        pen = window.create_gc(foreground=INK, background=PAPER)
        for number, line in enumerate(self._lines):
            window.draw_text(pen, 28, 40 + number * LINE, line.encode("latin-1", "replace"))
        for context in (accent, pen):
            context.free()


def _asks_to_close(event: Any, closing: int) -> bool:
    """The person closes the window, as their window manager says it (ICCCM §4.2.8)."""
    from Xlib import X

    return bool(event.type == X.ClientMessage and event.data[1][0] == closing)
