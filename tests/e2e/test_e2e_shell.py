"""Apps as commands, from one's own shell with OpenSSH; and plain lines where nothing is drawn."""

from __future__ import annotations

import json
import re

from tests.e2e.e2e_demo import Demo, Run
from tests.e2e.e2e_tmux import WELL, Open
from tests.waiting import allowed


def test_commands_have_two_outputs_and_an_exit_status(ssh: Run) -> None:
    done = ssh("vic@127.0.0.1", "notes", "add", "milk")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"Note 1 added.\n", b"")
    done = ssh("vic@127.0.0.1", "notes", "list", "--json")
    assert [note["title"] for note in json.loads(done.stdout)] == ["milk"]
    done = ssh("vic@127.0.0.1", "notes", "show", "99")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"You have no note 99.\n"
    done = ssh("vic@127.0.0.1", "notes", "lst")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"list" in done.stderr
    assert ssh("vic+notes@127.0.0.1", "list").stdout.split()[::3] == [b"1", b"milk"]


def test_standard_input_goes_through_untouched(ssh: Run) -> None:
    data = bytes(range(ord("a"), ord("z"))) * 20_000 + b"\x00\xff\n"
    done = ssh("wim@127.0.0.1", "probe", "upper", input=data)
    assert (done.returncode, done.stderr) == (7, b"made large\n")
    assert done.stdout == data.upper()


def test_what_is_not_there_is_said_in_one_sentence(ssh: Run) -> None:
    done = ssh("xia@127.0.0.1", "nots")
    assert (done.returncode, done.stdout) == (127, b"")
    assert done.stderr == b"tuihost: no app is called nots; did you mean notes?\n"
    assert ssh("xia+nots@127.0.0.1", "list").returncode == 127
    done = ssh("xia@127.0.0.1", "notes 'open")
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)


def test_a_crash_of_a_command_costs_one_sentence(demo: Demo, ssh: Run) -> None:
    done = ssh("yan@127.0.0.1", "probe", "fail")
    assert (done.returncode, done.stdout) == (70, b"")
    assert b"Traceback" not in done.stderr
    incident = re.search(rb"can find it as (\S+)\.", done.stderr)
    assert incident, done.stderr
    demo.wait_event("app.error", user="yan", incident=incident[1].decode())


def test_help_is_for_people_at_a_shell(ssh: Run) -> None:
    done = ssh("zoe@127.0.0.1", "status", "--help")
    assert done.returncode == 0
    assert b"now" in done.stdout
    assert b"\x1b" not in done.stdout
    assert ssh("zoe@127.0.0.1", "status").stdout.startswith(b"Up "), "what it shows most often"
    assert json.loads(ssh("zoe@127.0.0.1", "status", "now", "--json").stdout)


def test_without_a_terminal_the_menu_is_plain_lines(ssh: Run) -> None:
    done = ssh("-T", "abe+menu@127.0.0.1", input=b"nonsense\nnotes\nq\nq\n")
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode()
    assert "Welcome to tuihost, abe." in text
    assert "Nothing here is called nonsense" in text
    assert "You have no notes yet" in text or "No notes yet" in text, text
    assert "Goodbye, abe" in text
    assert not re.search("[\x1b\x08│─]", text)
    assert ssh("-T", "abe+menu@127.0.0.1").returncode == 0, "the end of input leaves quietly"


def test_lines_without_a_terminal_are_commands(ssh: Run) -> None:
    lines = b"""# what an operator keeps in a file
echo one two | grep -c ONE || echo none
notes add Soup 'with | carrots' && notes list | grep -i soup
status now --json > status.txt
files cat status.txt | json .sessions_total | head -n 1
nothing
exit 7
echo never
"""
    done = ssh("-T", "abc@127.0.0.1", input=lines)
    assert done.returncode == 7
    first, second, *rest = done.stdout.decode().splitlines()
    assert (first, second) == ("0", "none")
    assert any("with | carrots" in line for line in rest), rest
    assert rest[-1].isdecimal()
    assert b"no app is called nothing" in done.stderr
    assert b"never" not in done.stdout


def test_somebody_at_a_terminal_without_one_here_is_greeted(
    demo: Demo, open_terminal: Open
) -> None:
    terminal = open_terminal()
    terminal.shell(f"ssh -T -p {demo.port} tess@127.0.0.1")
    terminal.wait_for("tuihost: type a command; help lists them, and exit leaves.", "\n>")
    terminal.type("whoami").press("Enter").wait_for("tess (a guest)")
    terminal.type("exit").press("Enter").wait_shell(0)


def test_a_line_for_the_shell_reads_what_is_given(ssh: Run) -> None:
    given = b"b 2\na 1\nb 2\n"
    done = ssh("abd@127.0.0.1", "shell", "-c", "'sort -u | count'", input=given)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"2\n", b"")
    done = ssh("abd@127.0.0.1", "shell", "sort", "-r", input=given)
    assert (done.returncode, done.stdout) == (0, b"b 2\nb 2\na 1\n")


def test_a_terminal_that_cannot_draw_gets_plain_lines_and_an_echo(
    demo: Demo, open_terminal: Open
) -> None:
    terminal = open_terminal()
    terminal.shell(f"TERM=dumb ssh -p {demo.port} bo@127.0.0.1").wait_for("1. Notes", "q to leave:")
    terminal.type("probx").press("BSpace").wait_for("q to leave: prob").press("Enter")
    terminal.wait_for("Probe needs a terminal that can draw")
    assert terminal.flags() == WELL
    terminal.type("q").press("Enter").wait_for("Goodbye, bo").wait_shell(0)


def test_a_command_at_a_terminal_has_colours_and_can_be_interrupted(
    demo: Demo, open_terminal: Open
) -> None:
    terminal = open_terminal()
    terminal.shell(f"ssh -t -p {demo.port} cat@127.0.0.1 about fingerprints")
    terminal.wait_for(demo.fingerprint).wait_shell(0)
    terminal.shell(f"ssh -p {demo.port} cat@127.0.0.1 probe upper")
    demo.wait_event("app.start", user="cat", app="probe")
    terminal.press("C-c").wait_shell()
    demo.wait_event("session.end", user="cat", count=2, seconds=allowed(1.0))
