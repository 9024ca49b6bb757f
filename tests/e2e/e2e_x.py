"""An X server of the tests' own, without a screen that anybody sees."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.waiting import DEADLINE


@dataclass(frozen=True, slots=True)
class Screen:
    """An X server of the test's own, and how its clients find it."""

    number: int
    cookies: Path

    @property
    def env(self) -> dict[str, str]:
        return {"DISPLAY": f":{self.number}", "XAUTHORITY": str(self.cookies)}

    def look(self, read: Callable[[Any], Any]) -> Any:
        """What `read` gets of the root window."""
        from Xlib.support import unix_connect
        from Xlib.xauth import Xauthority

        cookie = Xauthority(str(self.cookies)).entries[0][4]
        real = unix_connect.get_auth
        unix_connect.get_auth = lambda *_: (b"MIT-MAGIC-COOKIE-1", cookie)
        try:
            from Xlib.display import Display

            server = Display(f":{self.number}")
        finally:
            unix_connect.get_auth = real
        try:
            return read(server.screen().root)
        finally:
            server.close()

    def windows(self) -> list[str]:
        """The names of the windows that are open."""
        return sorted(filter(None, self.look(_names)))

    def pixels(self) -> bytes:
        """Everything on the screen."""

        def read(root: Any) -> bytes:
            from Xlib import X

            size = root.get_geometry()
            data = root.get_image(0, 0, size.width, size.height, X.ZPixmap, 0xFFFFFFFF).data
            return data if isinstance(data, bytes) else data.encode("latin-1")

        shot: bytes = self.look(read)
        return shot


def _names(root: Any) -> list[str | None]:
    return [window.get_wm_name() for window in root.query_tree().children]


StartScreen = Callable[[], Screen]


def start_server(
    folder: Path, program: Callable[[str], str]
) -> tuple[subprocess.Popen[bytes], Screen]:
    """Xvfb, on a display that is free; its log and its cookie are in `folder`."""
    cookies = folder / "cookies"
    cookie = secrets.token_hex(16)
    auth = [program("xauth"), "-q", "-f", str(cookies)]
    subprocess.run([*auth, "add", "x/unix:99", ".", cookie], check=True, timeout=DEADLINE)
    read, write = os.pipe()
    words = ["-screen", "0", "640x480x24", "-auth", str(cookies), "-displayfd", str(write)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program("Xvfb"), *words, "-noreset", "-nolisten", "tcp"], pass_fds=[write], stderr=log
        )
    os.close(write)
    with os.fdopen(read) as told:
        number = int(told.readline())
    # The same cookie by the number that it took.
    subprocess.run([*auth, "add", f":{number}", ".", cookie], check=True, timeout=DEADLINE)
    return process, Screen(number, cookies)
