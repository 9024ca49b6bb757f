"""What brings a message to somebody by another way: the operator's own, or a file to try it out."""

from __future__ import annotations

import importlib
import os
import threading
from pathlib import Path
from typing import Any

from tuihost.errors import SettingsError
from tuihost.login import Delivery, DeliveryError
from tuihost.text import clean

OUTBOX = "outbox"


class Outbox:
    """Adds each message to a file that only who runs the host may read. Any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def send(self, account: str, subject: str, text: str) -> None:
        """Raises `DeliveryError` where the file cannot be written."""
        head = f"To: {clean(account, limit=64)}\nSubject: {clean(subject, limit=200)}"
        letter = f"{head}\n\n{clean(text, lines=True)}\n\n".encode()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            with self._lock:
                self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                file = os.open(self._path, flags, 0o600)
                try:
                    os.write(file, letter)
                finally:
                    os.close(file)
        except OSError as error:
            raise DeliveryError(f"{self._path} cannot be written: {error.strerror}") from None


def find_delivery(reference: str, state_dir: Path) -> Delivery | None:
    """What the setting `login.delivery` names: an object with a method `send`, or what makes one
    without arguments. None where it is empty. Raises SettingsError."""
    if not reference:
        return None
    if reference == OUTBOX:
        return Outbox(state_dir / OUTBOX)
    module_name, colon, attribute = reference.partition(":")
    if not colon or not attribute:
        raise _problem(reference, "should be `package.module:attr`, or `outbox`")
    try:
        found: Any = getattr(importlib.import_module(module_name), attribute)
        if isinstance(found, type):
            found = found()
    except (Exception, SystemExit) as error:  # whatever somebody's module does
        raise _problem(reference, f"{type(error).__name__}: {error}") from error
    if not callable(getattr(found, "send", None)):
        raise _problem(reference, "has no method `send`")
    delivery: Delivery = found
    return delivery


def _problem(reference: str, reason: str) -> SettingsError:
    text = clean(" ".join(reason.split()), limit=300)
    return SettingsError((f"login.delivery: {reference}: {text}",))
