"""The plugin interface: an app is a class with one method for each kind of request.

A method that an app does not have is refused. What it accepts is data (`Accepts`), which the host
checks by itself; the methods run on the app's own thread and may take their time.

    class Guestbook(App):
        '''Sign the book, read the book.'''
        title = "Guestbook"

        def build(self, session):             # a person at a terminal
            return Application(...)           # a fresh prompt_toolkit Application

        @command
        def sign(self, session, text: str, *, loud: bool = False) -> int:
            ...                               # ssh host guestbook sign "hi" --loud

The smallest app is a function:

    @app("hello")
    async def hello(session):
        name = await session.ask("Your name? ")
        await session.say(f"Hello, {name}!")
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, overload

from tuihost.core.accepts import Accepts
from tuihost.errors import AppLoadError
from tuihost.session.session import Result, Session

if TYPE_CHECKING:
    from prompt_toolkit.application import Application

    from tuihost.files.tree import FileTree
    from tuihost.session.host_view import HostView
    from tuihost.session.streams import Forward, Listening, X11Display

Talk = Callable[[Session], Awaitable[Result]]
_Method = TypeVar("_Method", bound=Callable[..., Any])

_METHODS = "_command_methods"

NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


class App:
    """One thing that people can ssh into. A host makes one object of it; what belongs to a person
    goes into `build`, or into `session.memory`, which lasts as long as they stay.

    `build` and `talk` end with an exit status, None for 0, or with a `Launch`.
    """

    name: str = ""
    """What people type: `ssh -t host NAME`. If empty, the name of the folder or entry point."""
    title: str = ""
    description: str = ""
    """One line. If empty, the first line of the docstring."""
    group: str = "Apps"
    icon: str = ""
    order: int = 100
    """Place in the menu among the apps that the person has not used yet; lower is higher."""
    hidden: bool = False
    """Left out of the menu."""
    accepts: Accepts = Accepts()
    loop: Literal["light", "selector"] = "light"
    """The event loop of the app's thread: `light` needs no file descriptors, and `selector` is for
    asyncio's sockets and subprocesses."""

    host: HostView
    """The running host, as far as an app may look, from `start` on."""
    data: Path
    """This app's own folder, which the host makes before `start`."""
    options: Mapping[str, Any]
    """The table `[app.NAME]` of the settings."""
    known_options: tuple[str, ...] | Mapping[str, type] | None = None
    """Their names, if the app knows them all, or a table of their names and types (`str`, `int`,
    `float`, `bool`, `list`, `dict`): then `tuihost check` reports what is not as it says."""
    default_command: str = ""
    """The command that `ssh host NAME` runs, with no more words and no terminal. It has to do
    without arguments. If empty, that shows the app's help."""

    def start(self) -> None:
        """Called once, before the first session. If it raises `AppLoadError`, the app is listed as
        broken, with that sentence."""

    def option_mistakes(self, options: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """For `tuihost check`: the name of each option whose value is wrong beyond its type, and
        what it should be. Changes nothing; `start` may not have been called."""
        return ()

    def roles_in(self, options: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """For `tuihost check`: the roles that the options name, each as a pair of the option's name
        and the role's, so that a role is reported that no account can have."""
        return ()

    def stop(self) -> None:
        """Called once, after the last session."""

    def build(self, session: Session) -> Application[Any]:
        """A fresh Application for a person at a terminal."""
        raise NotImplementedError

    async def talk(self, session: Session) -> Result:
        """A talk with `session.ask` and `session.say`: on a screen if there is no `build`, and line
        by line without a terminal."""
        raise NotImplementedError

    def subsystem(self, session: Session, name: str) -> int:
        """Serves a subsystem that `accepts.subsystems` names, with `read` and `write`."""
        raise NotImplementedError

    def files(self, session: Session) -> FileTree:
        """The files that a person sees with `sftp` and `scp`, in a folder named after this app."""
        raise NotImplementedError

    def x11(self, session: Session, display: X11Display) -> int | None:
        """Shows something to a person who came with `ssh -X`, without a terminal or a command, if
        `accepts.x11` is set. In `build` and in commands the display is `session.display`."""
        raise NotImplementedError

    def forward(self, forward: Forward) -> None:
        """Answers one stream to a target of `accepts.forwards`, on a thread of its own. The stream
        is closed when it returns."""
        raise NotImplementedError

    def listen(self, listening: Listening) -> None:
        """Takes an address of `accepts.listens` for a person, until `listening` ends. The client
        waits until it returns, ten seconds at most. For each connection to the address, call
        `listening.connect`. To refuse, raise `TuihostError` with the reason."""
        raise NotImplementedError

    # ------------------------------------------------------------------ what an app can do

    @property
    def has_screen(self) -> bool:
        return type(self).build is not App.build

    @property
    def has_files(self) -> bool:
        return type(self).files is not App.files

    @property
    def has_x11(self) -> bool:
        return type(self).x11 is not App.x11

    @property
    def has_talk(self) -> bool:
        return type(self).talk is not App.talk

    def command_methods(self) -> Mapping[str, Callable[..., Any]]:
        """The methods marked with `@command`, by the name that people type. Found once."""
        found = vars(self).get(_METHODS)
        if found is None:
            found = vars(self)[_METHODS] = MappingProxyType(
                {
                    attribute.replace("_", "-") if marked is None else marked: getattr(
                        self, attribute
                    )
                    for attribute, member in inspect.getmembers(type(self), callable)
                    if (marked := getattr(member, "__tuihost_command__", False)) is not False
                }
            )
        return cast("Mapping[str, Callable[..., Any]]", found)


class FunctionApp(App):
    """An app made from one async function by `@app`."""

    def __init__(self, name: str, talk: Talk) -> None:
        self.name = name
        self._talk = talk

    async def talk(self, session: Session) -> Result:
        return await self._talk(session)


def app(
    name: str,
    *,
    title: str = "",
    description: str = "",
    group: str = App.group,
    icon: str = App.icon,
    order: int = App.order,
    hidden: bool = App.hidden,
    accepts: Accepts = App.accepts,
    loop: Literal["light", "selector"] = App.loop,
) -> Callable[[Talk], FunctionApp]:
    """Makes an app of an async function, its talk: `@app("hello", title="Say hello")`.

    The arguments are those of `App`. The description is the first line of the docstring if empty,
    and the title is the name.
    """
    if callable(name):
        raise AppLoadError('`@app` needs a name: write `@app("hello")`', name)
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise AppLoadError(
            f"{name!r} cannot be an app's name: lower-case letters, digits and '-' only"
        )

    def make(talk: Talk) -> FunctionApp:
        if not inspect.iscoroutinefunction(talk):
            raise AppLoadError(f"@app({name!r}) needs an `async def`")
        if not _takes_a_session(talk):
            raise AppLoadError(f"@app({name!r}) needs a function with one parameter, the session")
        made = FunctionApp(name, talk)
        made.title = title or name.replace("-", " ").capitalize()
        made.description = description or first_line(talk.__doc__)
        made.group, made.icon, made.order, made.hidden = group, icon, order, hidden
        made.accepts, made.loop = accepts, loop
        return made

    return make


def _takes_a_session(talk: Talk) -> bool:
    try:
        inspect.signature(talk).bind(None)
    except TypeError:
        return False
    return True


@overload
def command(method: _Method) -> _Method: ...


@overload
def command(*, name: str | None = None) -> Callable[[_Method], _Method]: ...


def command(method: _Method | None = None, *, name: str | None = None) -> Any:
    """Makes a method a command: `ssh host APP METHOD args…`. Without a `name` it has that of the
    method, with `-` for `_`.

    Parameters without a default are arguments, and those after `*` are options; type hints give
    their types, and the docstring is the help. The int that it returns is the exit status, from 0
    to 255; None is 0.
    """

    def mark(method: _Method) -> _Method:
        method.__tuihost_command__ = name  # type: ignore[attr-defined]  # ours
        return method

    return mark if method is None else mark(method)


def first_line(doc: str | None) -> str:
    """The first line of a docstring, without its full stop; its first sentence, if that goes on
    in the next line."""
    paragraph = inspect.cleandoc(doc or "").partition("\n\n")[0].splitlines()
    if len(paragraph) < 2:
        return "".join(paragraph).rstrip(".")
    return re.split(r"\.\s+(?=[^a-z])", " ".join(paragraph), maxsplit=1)[0].rstrip(".")
