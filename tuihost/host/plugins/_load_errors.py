"""What is wrong with a plugin's code, as one sentence with the file and the line of its author."""

from __future__ import annotations

import inspect
import re
import signal
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, cast

from tuihost.errors import AppLoadError
from tuihost.text import clean

PRIVATE = re.compile(r"_tuihost_[a-z]+_\d+_")
"""How the name begins under which a module of a folder is loaded."""


@contextmanager
def mistakes_told(top: str) -> Iterator[None]:
    """Whatever the author's code in the package `top` raises comes out as an `AppLoadError`."""
    with operator_interrupts() as pressed:
        try:
            yield
        except BaseException as error:
            if pressed:
                raise
            raise load_error(error, top) from error


@contextmanager
def operator_interrupts() -> Iterator[list[int]]:
    """Yields a list that gets an entry when the operator presses Ctrl-C inside the block: so a
    `KeyboardInterrupt` that an author's code raised by itself can be told from theirs."""
    pressed: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield pressed  # no signal comes here, or it raises nothing
        return

    def note(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        before(number, frame)

    signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        if signal.getsignal(signal.SIGINT) is note:
            signal.signal(signal.SIGINT, before)


def trace_of(error: AppLoadError) -> BaseException | None:
    """What the log shows beside the sentence: whatever an author's code raised by itself."""
    return None if isinstance(error.__cause__, AppLoadError) else error.__cause__


def load_error(error: BaseException, top: str) -> AppLoadError:
    """What went wrong as one sentence, with the last line that it went through in the author's own
    modules: those in the package `top`."""
    own_name = PRIVATE.sub("", top)
    file = error.filename if isinstance(error, SyntaxError) else None
    if isinstance(error, SyntaxError) and isinstance(file, str) and Path(file).is_file():
        place, text = f" ({Path(file).name}:{error.lineno})", str(error.msg)
    else:
        place, text = _line_in(error, top), _text_of(error)
    if isinstance(error, ModuleNotFoundError) and top_of(str(error.name or "")) == own_name != top:
        text += "; import the package's own modules by `from . import …`"
    if isinstance(error, AppLoadError):
        reason = text
        place = place or _place_of(error.part)
    else:
        reason = f"{type(error).__name__}: {text}" if text else type(error).__name__
    reason = " ".join(PRIVATE.sub("", reason).split())
    return AppLoadError(clean(reason, limit=300) + place)


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an author's `__str__` can raise anything
        return "its text cannot be shown"


def _place_of(part: object) -> str:
    """` (file.py:12)`: where a class or a function is written; empty if nobody can say."""
    try:
        _, line = inspect.getsourcelines(cast(Any, part))
        file = inspect.getsourcefile(cast(Any, part))
    except (OSError, TypeError):  # made by code that is in no file
        return ""
    return f" ({Path(file).name}:{max(1, line)})" if file else ""


def _line_in(error: BaseException, top: str) -> str:
    place = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        if top_of(str(frame.f_globals.get("__name__", ""))) == top:
            place = f" ({Path(frame.f_code.co_filename).name}:{line})"
    return place


def top_of(module_name: str) -> str:
    """The name of the package that a module is in."""
    return module_name.partition(".")[0]
