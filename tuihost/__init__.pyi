"""The names that an app's author needs: this list is the one place where they are written.

`__init__.py` imports each when it is first used, so that the command line stays quick.
"""

from .accounts import KeyRecord as KeyRecord
from .accounts import LoginRecord as LoginRecord
from .accounts import StoreError as StoreError
from .commands import Short as Short
from .core.accepts import Accepts as Accepts
from .core.accepts import ForwardRule as ForwardRule
from .core.accepts import ListenRule as ListenRule
from .errors import AppLoadError as AppLoadError
from .errors import Disconnected as Disconnected
from .errors import Interrupted as Interrupted
from .errors import TuihostError as TuihostError
from .files.disk import DiskTree as DiskTree
from .files.disk import Quota as Quota
from .files.tree import FileError as FileError
from .files.tree import FileInfo as FileInfo
from .files.tree import FileTree as FileTree
from .files.tree import Folders as Folders
from .files.tree import OpenFile as OpenFile
from .files.tree import OpenMode as OpenMode
from .files.tree import ReadOnlyTree as ReadOnlyTree
from .files.tree import Reason as Reason
from .files.tree import names_of as names_of
from .files.tree import path_of as path_of
from .login.approvals import ApprovalsView as ApprovalsView
from .login.approvals import Caller as Caller
from .login.steps.pictures import qr_lines as qr_lines
from .plugin import App as App
from .plugin import app as app
from .plugin import command as command
from .session.host_view import Account as Account
from .session.host_view import AppCard as AppCard
from .session.host_view import Gauges as Gauges
from .session.host_view import HostKeyCard as HostKeyCard
from .session.host_view import HostView as HostView
from .session.host_view import Presence as Presence
from .session.other_apps import CommandInfo as CommandInfo
from .session.other_apps import OtherApps as OtherApps
from .session.other_apps import Running as Running
from .session.other_apps import Stdio as Stdio
from .session.own_account import AccountSummary as AccountSummary
from .session.own_account import NewSecond as NewSecond
from .session.own_account import NotPossible as NotPossible
from .session.own_account import OwnAccount as OwnAccount
from .session.own_account import OwnLogin as OwnLogin
from .session.session import Launch as Launch
from .session.session import Session as Session
from .session.streams import Agent as Agent
from .session.streams import AgentKey as AgentKey
from .session.streams import ByteStream as ByteStream
from .session.streams import Forward as Forward
from .session.streams import Listening as Listening
from .session.streams import NotOpened as NotOpened
from .session.streams import X11Display as X11Display
from .session.web import Page as Page
from .session.web import WebRequest as WebRequest
from .session.web import serve_pages as serve_pages
from .terminal_facts import Colors as Colors
from .terminal_facts import TerminalFacts as TerminalFacts
from .text import clean as clean
from .theme.theme import Theme as Theme
from .wire import BreakSent as BreakSent
from .wire import EndOfInput as EndOfInput
from .wire import Peer as Peer
from .wire import SessionEvent as SessionEvent
from .wire import SignalSent as SignalSent
from .wire import Stream as Stream
from .wire import WindowChange as WindowChange

__version__: str
