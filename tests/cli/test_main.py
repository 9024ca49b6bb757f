"""The command line, called as a person calls it: what it prints, and its exit status."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko
import pytest
from click.testing import CliRunner

from tests.waiting import DEADLINE
from tuihost.cli.main import _COMMANDS, cli

ROOT = Path(__file__).parents[2]

APP = """
from tuihost import App, command

class Echo(App):
    '''Says it again.'''
    title = "Écho 你好"
    @command
    def say(self, session, text: str) -> int:
        session.print(text)
        return 7
"""

FRONT = """
from tuihost.plugin import app

@app("front")
async def front(session):
    await session.ask("Your name? ")
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder to work in; the home of whoever calls is there too."""
    apps = tmp_path / "apps"
    apps.mkdir()
    (apps / "echo.py").write_text(APP)
    (apps / "front.py").write_text(FRONT)
    return tmp_path


def environment(place: Path, **more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    home = {"HOME": str(place), "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "COLUMNS": "100"}
    return {**kept, **home, **more}


def tuihost(
    place: Path, *words: str, status: int = 0, **env: str
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "tuihost", *words],
        cwd=place,
        env=environment(place, **env),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def test_help_imports_nothing_heavy(place: Path) -> None:
    heavy = ("paramiko", "prompt_toolkit", "rich", "pydantic", "cryptography", "asyncio")
    code = (
        "import sys; from tuihost.cli.main import cli; "
        "cli.main(['--help'], standalone_mode=False); "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(place),
        capture_output=True,
        text=True,
        check=True,
        timeout=DEADLINE,
    )
    assert done.stdout.endswith("[]\n")
    for name, (_, about) in _COMMANDS.items():
        assert name in done.stdout
        assert about in done.stdout


@pytest.mark.parametrize("name", list(_COMMANDS))
def test_every_command_has_a_help(name: str) -> None:
    done = CliRunner().invoke(cli, [name, "--help"], prog_name="tuihost")
    assert (done.exit_code, done.exception) == (0, None), done.output
    assert f"Usage: tuihost {name}" in done.output


def test_versions_and_mistyped_commands(place: Path) -> None:
    assert tuihost(place, "--version").stdout.startswith("tuihost, version ")
    assert "Did you mean 'demo'?" in tuihost(place, "dmeo", status=2).stderr


def test_apps_lists_what_works_and_what_does_not(place: Path) -> None:
    (place / "apps" / "bad.py").write_text("import nothing_there")
    (place / "tuihost.toml").write_text("[apps]\nfolders = ['apps']\n")
    lines = tuihost(place, "apps").stdout.splitlines()
    (echo,) = [line for line in lines if line.startswith("echo ")]
    (bad,) = [line for line in lines if line.startswith("bad ")]
    assert "Écho 你好" in echo
    assert "ready" in echo
    assert bad.endswith("ModuleNotFoundError: No module named 'nothing_there' (bad.py:1)")
    assert lines[0].index("STATE") == bad.index("broken")


def test_check_says_everything_and_opens_nothing(place: Path) -> None:
    file = place / "tuihost.toml"
    file.write_text(
        "[server]\ndefault_app = 'echo'\n[apps]\nfolders = ['apps']\nenabled = ['echo', 'bad']\n"
    )
    assert "all is well" in tuihost(place, "check").stdout
    assert not (place / ".local").exists()
    (place / "apps" / "bad.py").write_text("x = 1")
    assert "app bad: has no `app`" in tuihost(place, "check", status=1).stderr

    file.write_text("[server]\nprot = 1\n[login]\ngrace = 'x'\n")
    said = tuihost(place, "check", status=78).stderr
    assert said.splitlines() == [
        "tuihost.toml:2: server.prot: no such setting; did you mean 'port'?",
        "tuihost.toml:4: login.grace: should be a number, not 'x'",
    ]
    assert tuihost(place, "serve", status=78).stderr == said

    key = place / "key"
    key.write_text("no key")
    key.chmod(0o600)
    file.write_text(
        "[server]\ndefault_app = 'nope'\ntheme = 'pink'\nhost_keys = ['key']\n[app.ecco]\nx = 1\n"
    )
    said = tuihost(place, "check", status=78).stderr
    assert "there is no app 'nope' that works" in said
    assert "there is no theme 'pink'; there are " in said
    assert "app.ecco: there is no app of that name" in said
    assert f"host key {key}: " in said


def test_check_knows_the_ways_in_and_their_steps(place: Path) -> None:
    file, steps = place / "tuihost.toml", place / "steps"
    steps.mkdir()
    riddle = steps / "riddle.py"
    riddle.write_text(
        "from tuihost.login import Step\nclass Riddle(Step):\n    def ask(self, attempt):\n"
        "        yield from ()\n        return False\n"
    )
    chains = "[login]\nchains = ['password, riddle']\n"
    file.write_text(chains)
    unknown = "login.chains: no step is called 'riddle'; there are "
    said = tuihost(place, "check", status=78).stderr
    assert unknown in said
    assert unknown in tuihost(place, "serve", status=78).stderr
    file.write_text(chains + "step_folders = ['steps']\n")
    assert "all is well" in tuihost(place, "check").stdout
    assert not (place / ".local").exists()
    riddle.write_text("import nothing_there")
    said = tuihost(place, "check", status=78).stderr
    assert "login step riddle: ModuleNotFoundError" in said
    assert unknown in said
    file.write_text("[login]\nsteps = ['tuihost.login.steps.codes:Nothing']\n")
    said = tuihost(place, "check", status=1).stderr
    assert "login step codes: module tuihost.login.steps.codes has no 'Nothing'" in said


def test_a_settings_file_that_is_asked_for_has_to_be_there(place: Path) -> None:
    said = tuihost(place, "check", "--config", "gone.toml", status=78).stderr
    assert said == "gone.toml: there is no such file\n"
    assert tuihost(place, "check", status=78, TUIHOST_CONFIG="gone.toml").stderr == said


def test_init_makes_a_folder_in_which_a_host_can_live(place: Path) -> None:
    said = tuihost(place, "init", "new").stdout
    new = place / "new"
    key = new / "state" / "host_ed25519"
    assert key.stat().st_mode & 0o777 == 0o600
    assert "SHA256:" in said
    assert "tuihost serve --config new/tuihost.toml" in said
    lines = tuihost(new, "apps").stdout.splitlines()
    assert any(line.startswith("hello ") and "ready" in line for line in lines)

    before = (new / "tuihost.toml").read_bytes(), key.read_bytes()
    assert "exists already" in tuihost(place, "init", "new", status=1).stderr
    assert ((new / "tuihost.toml").read_bytes(), key.read_bytes()) == before


def test_run_gives_the_exit_status_of_the_app(place: Path) -> None:
    only = _only_ours(place)
    done = tuihost(place, "run", "echo", "say", "--", "--hello", status=7, **only)
    assert (done.stdout, done.stderr) == ("--hello\n", "")
    assert "no_such" in tuihost(place, "run", "no_such", status=127, **only).stderr


# ------------------------------------------------------------------------------ demo and serve


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else has."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock.getsockname()[1]


@pytest.mark.parametrize("command", ["demo", "serve"])
def test_a_port_in_use_is_one_sentence(place: Path, taken: int, command: str) -> None:
    done = tuihost(place, command, "--port", str(taken), status=1, **_only_ours(place))
    said = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert said == [
        f"Error: Port {taken} on 127.0.0.1 is in use already; take another one with --port."
    ]
    assert "Traceback" not in done.stderr


def test_an_address_of_another_machine_is_one_sentence(place: Path) -> None:
    done = tuihost(place, "demo", "--host", "192.0.2.1", status=1, **_only_ours(place))
    assert "Error: 192.0.2.1 is not an address of this machine." in done.stderr
    assert "Traceback" not in done.stderr


def test_a_demo_with_an_unknown_theme_names_those_there_are(place: Path) -> None:
    done = tuihost(place, "demo", "--theme", "pink", status=1)
    assert "There is no theme 'pink'; there are " in done.stderr


def _only_ours(place: Path) -> dict[str, str]:
    return {
        "TUIHOST_APPS__FOLDERS": str(place / "apps"),
        "TUIHOST_APPS__ENABLED": "echo, front",
        "TUIHOST_SERVER__DEFAULT_APP": "front",
    }


def demo(place: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "tuihost", *words],
        cwd=place,
        env=environment(place, **_only_ours(place)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


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
        with demo(place, "demo", "--port", "0") as process:
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


def test_whoever_is_inside_is_told_when_the_demo_stops(place: Path) -> None:
    with demo(place, "demo", "--port", "0") as process:
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
                transport.close()
                transport.join(DEADLINE)
        except BaseException:
            process.kill()
            raise
        _, errors = process.communicate(timeout=DEADLINE)
    assert (process.returncode, errors) == (0, "")
    assert b"Goodbye" in seen


def test_the_lines_on_the_start_page_work_as_they_stand(
    place: Path, program: Callable[[str], str]
) -> None:
    with demo(place, "demo", "--port", "0") as process:
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
