"""`tuihost serve`, and what it shares with the demo: an address that cannot be had."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.cli.calling import environment, only_ours, tuihost
from tests.cli.operator import Run
from tests.waiting import DEADLINE, until
from tuihost.cli import serve as serve_command
from tuihost.errors import SettingsError

HABITS = (
    *(signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2),
    *(signal.SIGINT, signal.SIGTERM, signal.SIGQUIT),
)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else has."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock.getsockname()[1]


@pytest.mark.parametrize("command", ["demo", "serve"])
def test_a_port_in_use_is_one_sentence(place: Path, taken: int, command: str) -> None:
    (place / "tuihost.toml").touch()
    done = tuihost(place, command, "--port", str(taken), status=1, **only_ours(place))
    said = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert said == [
        f"Error: Port {taken} on 127.0.0.1 is already in use. Choose another: --port {taken + 1}"
    ]
    assert "Traceback" not in done.stderr


def test_under_make_the_advice_is_for_make(place: Path, taken: int) -> None:
    more = {**only_ours(place), "TUIHOST_CALLED_BY": "make"}
    done = tuihost(place, "demo", "--port", str(taken), status=1, **more)
    assert f'already in use. Choose another: make demo ARGS="--port {taken + 1}"' in done.stderr


def test_without_a_settings_file_no_host_is_opened(run: Run) -> None:
    for command in ("serve", "check"):
        assert run(command, status=78).err == (
            "There is no settings file: no --config, and no tuihost.toml in this folder."
            " To write one: tuihost init. To try tuihost out: tuihost demo.\n"
        )


def test_an_address_of_another_machine_is_one_sentence(place: Path) -> None:
    done = tuihost(place, "demo", "--host", "192.0.2.1", status=1, **only_ours(place))
    assert "Error: 192.0.2.1 is not an address of this machine." in done.stderr
    assert "Traceback" not in done.stderr


@contextmanager
def serving(place: Path, more: str = "") -> Iterator[subprocess.Popen[str]]:
    """A host in a process group of its own, whose log is the file `log`."""
    text = f"[logs]\nfile = 'log'\n[server]\nstate_dir = 'state'\n{more}"
    (place / "tuihost.toml").write_text(text)
    process = subprocess.Popen(
        [sys.executable, "-m", "tuihost", "serve", "--port", "0"],
        cwd=place,
        env=environment(place, **only_ours(place)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            until(lambda: "host.start" in said(place / "log"), "the host to start")
            yield process
        finally:
            process.kill()


def greeting_of(place: Path) -> str:
    """The pattern of what a host with a log in a file says on standard error."""
    log = re.escape(str(place / "log"))
    return rf"Settings: tuihost\.toml\nListening on 127\.0\.0\.1:\d+; the log is {log}\n"


def said(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def test_a_log_that_was_moved_away_is_opened_again_and_no_habit_kills(place: Path) -> None:
    with serving(place) as process:
        process.send_signal(signal.SIGUSR1)
        process.send_signal(signal.SIGUSR2)
        (place / "log").rename(place / "log.1")
        process.send_signal(signal.SIGHUP)
        until(lambda: said(place / "log").endswith("\n"), "a new log")
        (first,) = said(place / "log").splitlines()
        assert first.endswith(f" INFO log.reopened file={place / 'log'}")
        assert (place / "log").stat().st_mode & 0o777 == 0o600
        (place / "log").rename(place / "log.2")
        (place / "log").touch()
        (place / "log").chmod(0o666)
        process.send_signal(signal.SIGHUP)
        until(lambda: "host.error" in said(place / "log.2"), "a word on the file of others")
        (place / "log").unlink()
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE) == 0
    assert "others can write to it; run chmod go-w on it" in said(place / "log.2")
    assert "host.stop" in said(place / "log")
    assert "host.stop" not in said(place / "log.1")


def test_no_habit_kills_a_host_that_is_still_starting(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    monkeypatch.setattr(os, "_exit", lambda status: seen.append(f"ended with {status}"))

    def starting(config: object) -> Path:
        for number in HABITS:
            os.kill(os.getpid(), number)
            seen.append(number.name)
        raise SettingsError(("that is all",))

    monkeypatch.setattr(serve_command, "hosts_file", starting)
    former = [signal.getsignal(number) for number in HABITS]
    assert run("serve", status=78).err == "that is all\n"
    assert seen == [
        *("SIGHUP", "SIGUSR1", "SIGUSR2"),
        *("ended with 0", "SIGINT", "ended with 0", "SIGTERM", "ended with 0", "SIGQUIT"),
    ]
    assert [signal.getsignal(number) for number in HABITS] == former


def test_a_quit_is_a_goodbye_too(place: Path) -> None:
    with serving(place) as process:
        process.send_signal(signal.SIGQUIT)
        assert process.wait(DEADLINE) == 0
    assert "host.stop" in said(place / "log")


def test_signals_to_the_process_and_its_group_are_one_goodbye(place: Path) -> None:
    with serving(place) as process:
        # What `timeout` does, and a service manager: each of them, and more than once.
        for _ in range(3):
            process.send_signal(signal.SIGTERM)
            with suppress(ProcessLookupError):  # it may have ended already
                os.killpg(process.pid, signal.SIGTERM)
        _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0
    assert re.fullmatch(greeting_of(place), err)
    assert "host.stop" in said(place / "log")


def test_the_process_ends_when_all_is_closed_whatever_it_still_holds(place: Path) -> None:
    """What is freed slowly is an app's here, at the end of the interpreter."""
    echo = place / "apps" / "echo.py"
    echo.write_text(f"import atexit, time\n{echo.read_text()}\natexit.register(time.sleep, 600)\n")
    with serving(place) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE) == 0
    assert "broken=0" in said(place / "log")
    assert "host.stop" in said(place / "log")


def test_a_host_tells_in_its_log_what_it_leaves_out_of_its_settings(place: Path) -> None:
    more = "[roles.staff]\napps = ['ecko']\nforwards = ['x']\n[themes]\nfolders = ['away']\n"
    with serving(place, more) as process:
        log = place / "log"
        until(lambda: said(log).count("settings.doubtful") == 3, "the log to tell of all")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=DEADLINE)
        assert process.returncode == 0
    assert "tuihost.toml:6: roles.staff.apps: no app is called 'ecko'" in err
    told = [line.split(" ", 1)[1] for line in said(log).splitlines() if "doubtful" in line]
    assert told[0] == (
        'WARNING settings.doubtful reason="tuihost.toml:6: roles.staff.apps: no app is called '
        "'ecko'; did you mean 'echo'?\""
    )
    assert "tuihost.toml:7: roles.staff.forwards: 'x': should be host:port" in told[1]
    assert f"tuihost.toml:9: themes.folders: {place}/away: No such file" in told[2]


def greeting(port: int) -> bytes:
    """What the host says first; empty if it is not there yet."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), DEADLINE) as sock:
        return sock.recv(8)
    return b""


def test_a_log_that_nobody_reads_does_not_stop_the_host(place: Path) -> None:
    """As with `tuihost serve 2>&1 | less`: the pipe is full, and its reader takes nothing."""
    (place / "tuihost.toml").write_text("[server]\nstate_dir = 'state'\n")
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    reader, writer = os.pipe()
    room = fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    process = subprocess.Popen(
        [sys.executable, "-m", "tuihost", "serve", "--verbose", "--port", str(port)],
        cwd=place,
        env=environment(place, **only_ours(place)),
        stdout=writer,
        stderr=writer,
    )
    os.close(writer)
    with process, open(reader, "rb") as log:

        def full() -> bool:
            assert greeting(port) == b"SSH-2.0-"
            waiting = fcntl.ioctl(reader, termios.FIONREAD, bytes(4))
            return int.from_bytes(waiting, sys.byteorder) > room - 200

        try:
            until(lambda: greeting(port), "the host to start")
            until(full, "the pipe to be full")
            for _ in range(50):
                assert greeting(port) == b"SSH-2.0-"
            process.send_signal(signal.SIGTERM)
            assert process.wait(DEADLINE) == 0
            assert b" INFO host.start version=" in log.read()
        finally:
            process.kill()


THREADS = """
import threading
from tuihost import App, command

def fails():
    raise ValueError("in a thread of the app's")

class Threads(App):
    def start(self):
        threading.Thread(target=fails, name="of the app").start()
        threading.Thread(target=int, args=("x",), name="of nobody").start()

    @command
    def nothing(self, session):
        '''Nothing.'''
"""


def test_an_error_that_ends_a_thread_is_in_the_log(place: Path) -> None:
    (place / "apps" / "echo.py").write_text(THREADS)
    with serving(place) as process:
        until(lambda: "of nobody" in said(place / "log"), "the errors to be logged")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=DEADLINE)
    log = said(place / "log")
    assert re.search(r" ERROR app.error app=echo during=.of the app.\n    Traceback", log)
    assert re.search(r" ERROR host.error where=thread reason=.of nobody.\n    Traceback", log)
    assert re.fullmatch(greeting_of(place), err)


def test_a_log_on_standard_error_has_nothing_else_there(place: Path) -> None:
    with serving(place):  # so that the other one ends by itself
        (place / "tuihost.toml").write_text("[server]\nstate_dir = 'state'\n")
        err = tuihost(place, "serve", "--port", "0", status=1, **only_ours(place)).stderr
    first, *_ = err.splitlines()
    assert re.fullmatch(r"\S+ INFO settings.read file=tuihost.toml", first)


def test_two_hosts_do_not_share_a_folder(place: Path) -> None:
    with serving(place):
        err = tuihost(place, "serve", "--port", "0", status=1, **only_ours(place)).stderr
    assert err.splitlines()[1:] == [
        f"Error: Another host uses the folder {place}/state already. Stop that one, or set"
        " server.state_dir (TUIHOST_SERVER__STATE_DIR) to a folder of its own."
    ]
