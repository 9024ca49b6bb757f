"""What brings codes to people another way: the operator's own delivery, or a file to try it out."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from tuihost.errors import AppLoadError, SettingsError
from tuihost.host.plugins._loading import Kind, load_reference
from tuihost.login import Delivery, DeliveryError
from tuihost.text import clean

OUTBOX = "outbox"
DELIVERY: Kind[Delivery] = Kind(
    "delivery", Delivery, "a Delivery: it has no method `send`", "class with a method `send`"
)


class Outbox:
    """Adds each message to a file that only the user of the host may read. Threads: any."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def send(self, account: str, subject: str, text: str) -> None:
        """Raises `DeliveryError` if the file cannot be written."""
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
    """The delivery that the setting `login.delivery` names, as `package.module:attr` or `outbox`;
    None if it is empty. Raises `SettingsError`."""
    if not reference:
        return None
    if reference == OUTBOX:
        return Outbox(state_dir / OUTBOX)
    try:
        return load_reference(DELIVERY, reference)
    except AppLoadError as error:
        raise SettingsError((f"login.delivery: {reference}: {error}",)) from error
