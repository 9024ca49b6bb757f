"""`tuihost demo` as people start it: what its page says to type, and how it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import paramiko
import pytest

from tests.cli.calling import environment, only_ours, started, tuihost
from tests.cli.operator import Run
from tests.waiting import DEADLINE
from tuihost.cli import demo as demo_command
from tuihost.testing.hosted import hang_up


def test_a_demo_with_an_unknown_theme_names_those_there_are(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_command, "leave_at_once", lambda: None)  # the signals of this process
    assert "There is no theme 'pink'; there are " in run("demo", "--theme", "pink", status=1).err


@pytest.mark.parametrize(
    ("folder", "status", "said"),
    [
        ("", 2, "Invalid value for '--state-dir': It is empty."),
        ("file/x", 1, "/file/x, where the host keeps its data, cannot be used: Not a directory. "),
        ("open", 1, "cannot be used: others can write to it; run chmod go-w on it. Mend that, or"),
    ],
)
def test_a_folder_that_a_demo_cannot_have_is_one_sentence(
    place: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    folder: str,
    status: int,
    said: str,
) -> None:
    monkeypatch.setattr(demo_command, "leave_at_once", lambda: None)  # the signals of this process
    monkeypatch.setenv("TUIHOST_APPS__ENABLED", "menu")
    (place / "file").touch()
    (place / "open").mkdir()
    (place / "open").chmod(0o777)
    err = run("demo", "--port", "0", "--state-dir", folder, status=status).err
    assert said in err
    assert "Traceback" not in err
    assert not list((place / "open").iterdir())


def demo(place: Path, *words: str) -> subprocess.Popen[str]:
    return started(place, "demo", "--port", "0", *words, **only_ours(place))


def page_of(process: subprocess.Popen[str]) -> list[str]:
    """The start page, up to its last line."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip())
        if line.strip().startswith("Stop"):
            return lines
    assert process.stderr is not None
    raise AssertionError(f"no start page: {lines}\n{process.stderr.read()}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_says_what_to_type_and_parts_with_status_0(
    place: Path, number: signal.Signals
) -> None:
    keys = set()
    for _ in range(2):
        with demo(place) as process:
            try:
                page = page_of(process)
            finally:
                process.send_signal(number)
            out, err = process.communicate(timeout=DEADLINE)
        assert (process.returncode, err) == (0, "")
        assert out.endswith("Goodbye.\n")
        text = "\n".join(page)
        assert " localhost echo" in text
        assert "anyone on this machine, as a guest" in text
        keys.add(next(line for line in page if "SHA256:" in line))
    assert len(keys) == 1, "the host key is kept"
    kept = place / ".local" / "state" / "tuihost" / "demo" / "host_ed25519"
    assert kept.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_demo_parts_with_status_0_while_it_starts_too(
    place: Path, number: signal.Signals
) -> None:
    code = (
        "import os\nfrom tuihost.cli import demo\n"
        f"demo.leave_at_once()\nos.kill(os.getpid(), {int(number)})\nprint('still here')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(place),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "\n  Goodbye.\n", "")


def test_whoever_is_inside_is_told_when_the_demo_stops(place: Path) -> None:
    with demo(place) as process:
        try:
            page = page_of(process)
            (port,) = [line.rpartition(":")[2] for line in page if "listening on" in line]
            transport = paramiko.Transport(("127.0.0.1", int(port)))
            try:
                transport.start_client(timeout=DEADLINE)
                transport.auth_none("zoe")
                channel = transport.open_session(timeout=DEADLINE)
                channel.settimeout(DEADLINE)
                channel.get_pty("xterm", 80, 24)
                channel.invoke_shell()
                seen = b""
                while b"Your name?" not in seen:
                    data = channel.recv(4096)
                    assert data, f"the app ended by itself: {seen!r}"
                    seen += data
                process.send_signal(signal.SIGINT)
                while data := channel.recv(4096):
                    seen += data
            finally:
                hang_up(transport)
        except BaseException:  # it passes on; no process may be left behind
            process.kill()
            raise
        _, errors = process.communicate(timeout=DEADLINE)
    assert (process.returncode, errors) == (0, "")
    assert b"Goodbye" in seen


def test_the_lines_on_the_start_page_work_as_they_stand(
    place: Path, program: Callable[[str], str]
) -> None:
    with demo(place) as process:
        try:
            page = page_of(process)
            line = next(line for line in page if "localhost echo" in line)
            words = line.split()[1 : line.split().index("localhost")]
            words += ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
            words += ["-o", "LogLevel=ERROR", "-F", "none"]
            done = subprocess.run(
                [program("ssh"), *words, "localhost", "echo", "say", "hello"],
                capture_output=True,
                text=True,
                timeout=DEADLINE,
                stdin=subprocess.DEVNULL,
            )
        finally:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=DEADLINE)
    assert (done.returncode, done.stdout, done.stderr) == (7, "hello\n", "")


def test_a_second_demo_has_a_folder_of_its_own(place: Path) -> None:
    with demo(place) as first:
        try:
            page_of(first)
            done = tuihost(place, "demo", "--port", "0", status=1, **only_ours(place))
            folder = place / ".local" / "state" / "tuihost" / "demo"
            assert done.stderr == (
                f"Error: Another demo uses the folder {folder} already. Stop that one, or choose"
                " another folder and port: --state-dir FOLDER --port 0\n"
            )
            with demo(place, "--state-dir", "other") as second:
                try:
                    page = "\n".join(page_of(second))
                finally:
                    second.send_signal(signal.SIGINT)
                second.communicate(timeout=DEADLINE)
        finally:
            first.send_signal(signal.SIGINT)
        first.communicate(timeout=DEADLINE)
    assert f"demo --code --state-dir {place}/other" in page
    assert (place / "other" / "host_ed25519").exists()
    mine, others = (
        tuihost(place, "demo", "--code", *words).stdout for words in ((), ("--state-dir", "other"))
    )
    assert mine != others
