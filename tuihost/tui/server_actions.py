"""What prompt_toolkit must not do to the server on a person's behalf: it is refused, and logged."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any, cast

from prompt_toolkit.application.application import Application
from prompt_toolkit.application.current import get_app
from prompt_toolkit.buffer import Buffer

from tuihost.logs import Event, event_log


def _refuse(what: str) -> None:
    event_log().warning(Event.APP_LOG, refused=what, reason="it would act on the server")


def _no_breakpoint(*args: object, **options: object) -> None:
    _refuse("breakpoint")


def _no_suspend(self: Application[Any], suspend_group: bool = True) -> None:
    _refuse("suspend_to_background")


async def _no_command(self: Application[Any], *args: object, **options: object) -> None:
    _refuse("run_system_command")


def _no_editor(self: Buffer, validate_and_handle: bool = False) -> asyncio.Task[None]:
    async def refuse() -> None:
        _refuse("open_in_editor")

    return get_app().create_background_task(refuse())


def refuse_server_actions() -> None:
    """Refuses, in this process, what prompt_toolkit would do to the server on a person's behalf:
    suspend it, run commands and editors on it, stop in a debugger. Each leaves a line in the log
    and changes nothing for the person. Does nothing the second time."""
    sys.breakpointhook = cast(Callable[..., Any], _no_breakpoint)
    Application.suspend_to_background = _no_suspend  # type: ignore[method-assign]  # in place of its own
    Application.run_system_command = _no_command  # type: ignore[method-assign]  # in place of its own
    Buffer.open_in_editor = _no_editor  # type: ignore[method-assign]  # in place of its own
