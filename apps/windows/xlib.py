"""python-xlib over a screen that is reached through somebody's connection.

The library finds its server by name, in functions of its module `connect`, and nowhere else can it
be given a socket. This module is asked instead, and passes on every name that is not ours.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Any

from Xlib import display as xlib_display
from Xlib.protocol import display as xlib_protocol
from Xlib.support import connect as by_name

from tuihost import X11Display

COOKIE = b"MIT-MAGIC-COOKIE-1"


@dataclass(frozen=True, slots=True)
class _Reached:
    """A server by a socket that leads to it already, in place of a name."""

    socket: socket.socket
    cookie: bytes
    screen: int


class _Connect:
    """The library's `connect`, which knows such servers too."""

    @staticmethod
    def get_display(name: Any) -> Any:
        if isinstance(name, _Reached):
            return name, None, "", 0, name.screen
        return by_name.get_display(name)

    @staticmethod
    def get_socket(name: Any, *where: Any) -> Any:
        return name.socket if isinstance(name, _Reached) else by_name.get_socket(name, *where)

    @staticmethod
    def get_auth(sock: Any, name: Any, *where: Any) -> Any:
        if isinstance(name, _Reached):
            return COOKIE, name.cookie
        return by_name.get_auth(sock, name, *where)


xlib_protocol.connect = _Connect


def open_display(display: X11Display) -> Any:
    """An `Xlib.display.Display` on the person's screen. Raises `NotOpened`, `Disconnected`, and
    what the library raises."""
    sock = display.connect_socket()
    try:
        return xlib_display.Display(_Reached(sock, display.cookie, display.screen))
    except BaseException:
        sock.close()
        raise
