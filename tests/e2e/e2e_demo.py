"""Hosts as people start them: a process of its own, a log, ended by Ctrl-C; and the demo."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import paramiko

from tests.waiting import DEADLINE, until

CHECKOUT = Path(__file__).parents[2]
APPS = Path(__file__).parent / "apps"

Run = Callable[..., subprocess.CompletedProcess[bytes]]
"""A client with these words and this `input`, to its end."""


def clean_env(home: Path, **more: str) -> dict[str, str]:
    """The environment of somebody who has just logged in: nothing of who runs the tests."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", **more}


class Served:
    """A host that runs: a process of its own with a log. Every wait has a deadline and shows it."""

    def __init__(
        self,
        folder: Path,
        words: Sequence[str],
        *,
        ready: Callable[[Served], bool],
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self._page, self._log = folder / "page", folder / "log"
        with self._page.open("wb") as page, self._log.open("wb") as log:
            self._process = subprocess.Popen(
                # What the next Python refuses shows in the log of this one.
                [sys.executable, "-W", "error::DeprecationWarning", "-m", "tuihost", *words],
                stdin=subprocess.DEVNULL,
                stdout=page,
                stderr=log,
                cwd=folder,
                env=clean_env(folder, PYTHONPATH=str(CHECKOUT), **(env or {})),
            )
        try:
            until(
                lambda: ready(self) or self._process.poll() is not None,
                "the host to be ready",
                shown=self._everything,
            )
            found = re.search(r"(?:listening on |address=)127\.0\.0\.1:(\d+)", self.page + self.log)
            assert found, f"nothing names the port\n{self._everything()}"
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise
        self.port = int(found[1])

    @property
    def key(self) -> str:
        """The public half of the host's key, as `known_hosts` has it."""
        pair = paramiko.Ed25519Key.from_private_key_file(str(self.folder / "state/host_ed25519"))
        return f"{pair.get_name()} {pair.get_base64()}"

    @property
    def page(self) -> str:
        """What the person who started it reads."""
        return self._page.read_text()

    @property
    def log(self) -> str:
        return self._log.read_text()

    def events(self, name: str, **fields: str) -> list[str]:
        """The lines of one event with these fields."""
        wanted = [f" {name} ", *(f" {key}={value} " for key, value in fields.items())]
        lines = [f"{line} " for line in self.log.splitlines()]
        return [line for line in lines if all(part in line for part in wanted)]

    def wait_event(
        self,
        name: str,
        *,
        seconds: float = DEADLINE,
        count: int = 1,
        having: str = "",
        **fields: str,
    ) -> str:
        """The last of `count` events of that name. A thread of the host writes the log: a line may
        come later than its client knows."""

        def look() -> list[str]:
            found = [line for line in self.events(name, **fields) if having in line]
            return found if len(found) >= count else []

        what = f"{count} x {name} with {fields} {having!r} in the log"
        return until(look, what, seconds=seconds, shown=self._everything)[-1]

    def interrupt(self) -> None:
        """Ctrl-C, where it was started."""
        self._process.send_signal(signal.SIGINT)

    def wait_end(self) -> int:
        """Its exit status."""
        try:
            return self._process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the host does not end\n{self._everything()}") from None

    def close(self) -> None:
        """Ends it, well or not."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _everything(self) -> str:
        last = "\n".join(self.log.splitlines()[-40:])
        return f"--- page\n{self.page}\n--- end of the log\n{last}"


class Demo(Served):
    """`tuihost demo` with a state folder of its own, and the apps of this folder."""

    def __init__(self, folder: Path, *, port: int = 0) -> None:
        self.env = {
            "TUIHOST_SERVER__STATE_DIR": str(folder / "state"),
            # Every client of these tests comes from one address.
            "TUIHOST_SERVER__PER_ADDRESS": "200",
        }
        words = ["demo", "-v", "--port", str(port), "--apps", str(APPS)]
        super().__init__(folder, words, ready=lambda demo: "Ctrl-C" in demo.page, env=self.env)

    @property
    def fingerprint(self) -> str:
        found = re.search(r"SHA256:\S+", self.page)
        assert found, self.page
        return found[0]

    def proof(self, label: str) -> str:
        """The password or the invitation that the start page shows."""
        found = re.search(rf"^ +{label} +(\S+)", self.page, re.MULTILINE)
        assert found, self.page
        return found[1]

    def code(self) -> str:
        """The code of the moment, as `tuihost demo --code` says it."""
        said = subprocess.run(
            [sys.executable, "-m", "tuihost", "demo", "--code"],
            env=clean_env(self.folder, PYTHONPATH=str(CHECKOUT), **self.env),
            capture_output=True,
            timeout=DEADLINE,
            check=True,
        )
        return said.stdout.decode().strip()


@dataclass(frozen=True, slots=True)
class Place:
    """A home folder with an `ssh` that keeps its host keys there, a file for each port."""

    folder: Path

    def known_hosts(self, port: int) -> Path:
        return self.folder / "known" / str(port)

    def meet(self, host: Served) -> None:
        """From now on `ssh` knows this host, whoever had its port before."""
        self.known_hosts(host.port).write_text(f"[127.0.0.1]:{host.port} {host.key}\n")

    @property
    def bin(self) -> Path:
        return self.folder / "bin"
