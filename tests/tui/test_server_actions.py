"""prompt_toolkit does nothing to the server on a person's behalf."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import Any

import pytest
from prompt_toolkit.application import Application
from prompt_toolkit.application.current import set_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.input import DummyInput
from prompt_toolkit.output import DummyOutput

from tuihost.tui.running.loop import run
from tuihost.tui.server_actions import refuse_server_actions


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test patches is put back as prompt_toolkit made it, or as it was patched."""
    for owner, name in (
        (Application, "suspend_to_background"),
        (Application, "run_system_command"),
        (Buffer, "open_in_editor"),
        (sys, "breakpointhook"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name))


def application() -> Application[Any]:
    return Application(input=DummyInput(), output=DummyOutput())


class Lines(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.fields.append(record.fields)  # type: ignore[attr-defined]  # of `EventLog`


def test_side_doors_are_refused_with_a_line_in_the_log(tmp_path: Path) -> None:
    refuse_server_actions()
    refuse_server_actions()
    lines, made = Lines(), tmp_path / "made"
    app = application()

    async def main() -> None:
        app.loop = asyncio.get_running_loop()
        app.suspend_to_background()
        await app.run_system_command(f"touch {made}")
        with set_app(app):
            await Buffer().open_in_editor()
        breakpoint()

    logging.getLogger("tuihost").addHandler(lines)
    try:
        run(main())
    finally:
        logging.getLogger("tuihost").removeHandler(lines)
    assert [fields["refused"] for fields in lines.fields] == [
        "suspend_to_background",
        "run_system_command",
        "open_in_editor",
        "breakpoint",
    ]
    assert not made.exists()


def test_an_application_leaves_our_breakpoint_hook_alone() -> None:
    refuse_server_actions()
    hook = sys.breakpointhook
    with application()._enable_breakpointhook():
        assert sys.breakpointhook is hook
    assert sys.breakpointhook is hook
