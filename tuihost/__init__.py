"""tuihost: interactive terminal applications over SSH.

The names that an app's author needs; each is imported when it is first used, so that the
command line stays quick.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_PLACES = {
    "Accepts": "tuihost.core.policy",
    "Account": "tuihost.session",
    "Agent": "tuihost.forwarding",
    "AgentKey": "tuihost.forwarding",
    "App": "tuihost.app",
    "AppCard": "tuihost.session",
    "AppLoadError": "tuihost.errors",
    "BreakSent": "tuihost.wire",
    "ByteStream": "tuihost.forwarding",
    "Caller": "tuihost.approvals",
    "Disconnected": "tuihost.errors",
    "Colors": "tuihost.terminal",
    "CommandInfo": "tuihost.reach",
    "DiskTree": "tuihost.files_disk",
    "DoorView": "tuihost.approvals",
    "EndOfInput": "tuihost.wire",
    "Ends": "tuihost.reach",
    "FileError": "tuihost.files",
    "FileInfo": "tuihost.files",
    "FileTree": "tuihost.files",
    "Folders": "tuihost.files",
    "Forward": "tuihost.forwarding",
    "ForwardRule": "tuihost.core.policy",
    "Gauges": "tuihost.session",
    "HostKeyCard": "tuihost.session",
    "HostView": "tuihost.session",
    "Interrupted": "tuihost.errors",
    "KeyRecord": "tuihost.accounts",
    "Launch": "tuihost.session",
    "ListenRule": "tuihost.core.policy",
    "Listening": "tuihost.forwarding",
    "LoginRecord": "tuihost.accounts",
    "NewSecond": "tuihost.own_account",
    "NotOpened": "tuihost.forwarding",
    "NotPossible": "tuihost.own_account",
    "OpenFile": "tuihost.files",
    "OpenMode": "tuihost.files",
    "OwnAccount": "tuihost.own_account",
    "OwnLogin": "tuihost.own_account",
    "Page": "tuihost.web",
    "Peer": "tuihost.wire",
    "Presence": "tuihost.session",
    "Quota": "tuihost.files_disk",
    "Reach": "tuihost.reach",
    "ReadOnlyTree": "tuihost.files",
    "Reason": "tuihost.files",
    "Running": "tuihost.reach",
    "Session": "tuihost.session",
    "SessionEvent": "tuihost.wire",
    "Short": "tuihost.commands",
    "SignalSent": "tuihost.wire",
    "Standing": "tuihost.own_account",
    "StoreError": "tuihost.accounts",
    "Stream": "tuihost.wire",
    "TerminalFacts": "tuihost.terminal",
    "Theme": "tuihost.theme",
    "TuihostError": "tuihost.errors",
    "WebRequest": "tuihost.web",
    "WindowChange": "tuihost.wire",
    "X11Display": "tuihost.forwarding",
    "app": "tuihost.app",
    "clean": "tuihost.text",
    "command": "tuihost.app",
    "names_of": "tuihost.files",
    "path_of": "tuihost.files",
    "qr_lines": "tuihost.steps.pictures",
    "serve_pages": "tuihost.web",
}

__all__ = [*_PLACES, "__version__"]

if TYPE_CHECKING:
    from tuihost.accounts import KeyRecord as KeyRecord
    from tuihost.accounts import LoginRecord as LoginRecord
    from tuihost.accounts import StoreError as StoreError
    from tuihost.app import App as App
    from tuihost.app import app as app
    from tuihost.app import command as command
    from tuihost.approvals import Caller as Caller
    from tuihost.approvals import DoorView as DoorView
    from tuihost.commands import Short as Short
    from tuihost.core.policy import Accepts as Accepts
    from tuihost.core.policy import ForwardRule as ForwardRule
    from tuihost.core.policy import ListenRule as ListenRule
    from tuihost.errors import AppLoadError as AppLoadError
    from tuihost.errors import Disconnected as Disconnected
    from tuihost.errors import Interrupted as Interrupted
    from tuihost.errors import TuihostError as TuihostError
    from tuihost.files import FileError as FileError
    from tuihost.files import FileInfo as FileInfo
    from tuihost.files import FileTree as FileTree
    from tuihost.files import Folders as Folders
    from tuihost.files import OpenFile as OpenFile
    from tuihost.files import OpenMode as OpenMode
    from tuihost.files import ReadOnlyTree as ReadOnlyTree
    from tuihost.files import Reason as Reason
    from tuihost.files import names_of as names_of
    from tuihost.files import path_of as path_of
    from tuihost.files_disk import DiskTree as DiskTree
    from tuihost.files_disk import Quota as Quota
    from tuihost.forwarding import Agent as Agent
    from tuihost.forwarding import AgentKey as AgentKey
    from tuihost.forwarding import ByteStream as ByteStream
    from tuihost.forwarding import Forward as Forward
    from tuihost.forwarding import Listening as Listening
    from tuihost.forwarding import NotOpened as NotOpened
    from tuihost.forwarding import X11Display as X11Display
    from tuihost.own_account import NewSecond as NewSecond
    from tuihost.own_account import NotPossible as NotPossible
    from tuihost.own_account import OwnAccount as OwnAccount
    from tuihost.own_account import OwnLogin as OwnLogin
    from tuihost.own_account import Standing as Standing
    from tuihost.reach import CommandInfo as CommandInfo
    from tuihost.reach import Ends as Ends
    from tuihost.reach import Reach as Reach
    from tuihost.reach import Running as Running
    from tuihost.session import Account as Account
    from tuihost.session import AppCard as AppCard
    from tuihost.session import Gauges as Gauges
    from tuihost.session import HostKeyCard as HostKeyCard
    from tuihost.session import HostView as HostView
    from tuihost.session import Launch as Launch
    from tuihost.session import Presence as Presence
    from tuihost.session import Session as Session
    from tuihost.steps.pictures import qr_lines as qr_lines
    from tuihost.terminal import Colors as Colors
    from tuihost.terminal import TerminalFacts as TerminalFacts
    from tuihost.text import clean as clean
    from tuihost.theme import Theme as Theme
    from tuihost.web import Page as Page
    from tuihost.web import WebRequest as WebRequest
    from tuihost.web import serve_pages as serve_pages
    from tuihost.wire import BreakSent as BreakSent
    from tuihost.wire import EndOfInput as EndOfInput
    from tuihost.wire import Peer as Peer
    from tuihost.wire import SessionEvent as SessionEvent
    from tuihost.wire import SignalSent as SignalSent
    from tuihost.wire import Stream as Stream
    from tuihost.wire import WindowChange as WindowChange


def __getattr__(name: str) -> Any:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module 'tuihost' has no attribute {name!r}")
    value = getattr(import_module(place), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


class _Package(ModuleType):
    """`tuihost.app` is the decorator, also after somebody imported the module of that name."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "app" and isinstance(value, ModuleType):
            value = value.app
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
