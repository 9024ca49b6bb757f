"""Every way out gives the terminal back, with OpenSSH in tmux: goodbyes, crashes, cut lines."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from tests.e2e.e2e_demo import Demo, Place, clean_env
from tests.e2e.e2e_tmux import PROMPT, WELL, Open
from tests.waiting import DEADLINE, allowed


def test_the_lines_from_before_stand_again_and_a_good_bye(visit: Open) -> None:
    terminal = visit("dot").press("C-c").wait_shell()
    text = terminal.text
    assert re.match(r"shell> ssh -p \d+ dot@127\.0\.0\.1", text)
    assert "Goodbye, dot. Come back soon." in text, text
    assert "Connection to 127.0.0.1 closed." in text
    assert terminal.flags() == WELL


def test_nothing_is_left_of_an_app_that_was_asked_for(visit: Open) -> None:
    terminal = visit("eli", asks="probe", first="size 80x24").press("q").wait_shell(0)
    assert "size" not in terminal.text
    assert terminal.flags() == WELL


def test_the_host_says_good_bye_to_everybody_inside(own_demo: Demo, open_terminal: Open) -> None:
    people = [
        ("fox@127.0.0.1", "Menu"),
        ("-t fox@127.0.0.1 probe", "size 80x24"),
        ("-t fox@127.0.0.1 notes", "No notes yet"),
    ]
    terminals = []
    for who, first in people:
        terminal = open_terminal()
        terminals.append(terminal.shell(f"ssh -p {own_demo.port} {who}").wait_for(first))
    terminals[2].press("C-n").wait_for("New note").type("Kept").wait_for("Kept")
    idle = open_terminal().shell(f"ssh -N -p {own_demo.port} fox@127.0.0.1")
    own_demo.wait_event("auth.ok", count=4)
    begun = time.monotonic()
    own_demo.interrupt()
    assert own_demo.wait_end() == 0
    assert time.monotonic() - begun < allowed(3.0)
    assert own_demo.page.endswith("Goodbye.\n")
    for terminal in terminals:
        terminal.wait_for("The host is closing. Goodbye!").wait_shell(0)
        assert terminal.flags() == WELL
    idle.wait_shell(255)
    again = Demo(own_demo.folder, port=own_demo.port)
    try:
        terminal = open_terminal().shell(f"ssh -t -p {again.port} fox@127.0.0.1 notes")
        terminal.wait_for("Kept").press("C-c").wait_shell(0)
    finally:
        again.close()


def test_a_slow_client_reads_how_its_program_ended_first(
    own_demo: Demo, program: Callable[[str], str]
) -> None:
    options = "-F /dev/null -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -tt"
    line = [program("ssh"), *options.split(), "-p", str(own_demo.port), "fry@127.0.0.1", "probe"]
    pipe = subprocess.PIPE
    env = clean_env(own_demo.folder, TERM="xterm-256color")
    with subprocess.Popen(line, stdin=pipe, stdout=pipe, stderr=pipe, env=env) as client:
        try:
            own_demo.wait_event("app.start", user="fry")
            client.send_signal(signal.SIGSTOP)
            own_demo.interrupt()
            own_demo.wait_event("session.end", user="fry")
            client.send_signal(signal.SIGCONT)
            shown, said = client.communicate(timeout=DEADLINE)
        except BaseException:
            client.kill()
            raise
    assert (client.returncode, b"Goodbye!" in shown) == (0, True), said
    assert own_demo.wait_end() == 0


def test_a_crash_leads_back_to_the_menu(demo: Demo, visit: Open) -> None:
    terminal = visit("guy").press("End", "Enter").wait_for("size 80x24").press("x")
    terminal.wait_for("because of an error")
    incident = re.search(r"canfinditas([0-9A-F-]+)", re.sub(r"\s", "", terminal.text))
    assert incident, terminal.text
    demo.wait_event("app.error", user="guy", incident=incident[1])
    assert "Traceback" not in terminal.text
    terminal.press("Enter").wait_for("tuihost · Menu").press("C-c").wait_shell(0)
    assert terminal.flags() == WELL


def test_a_crash_of_the_only_app_leaves(visit: Open) -> None:
    terminal = visit("hob", asks="probe", first="size 80x24").press("x")
    terminal.wait_for("because of an error").press("Enter").wait_shell(70)
    assert terminal.flags() == WELL


@pytest.mark.parametrize("way", ["client killed", "window closed"])
@pytest.mark.parametrize("asks", ["", "probe", "status"])
def test_a_dropped_line_ends_the_session_within_a_second(
    demo: Demo, visit: Open, open_terminal: Open, way: str, asks: str
) -> None:
    user = f"ivo-{asks}-{way[:6]}"
    terminal = visit(user, asks=asks, first="? keys")
    begun = time.monotonic()
    if way == "client killed":
        terminal.kill_client()
    else:
        terminal.close()
    demo.wait_event("session.end", user=user, seconds=allowed(1.0))
    assert time.monotonic() - begun < allowed(1.0)
    assert not demo.events("app.stuck", user=user)
    visit(user, asks=asks, first="? keys").press("C-c").wait_shell(0)


def test_openssh_can_cut_the_line_itself(demo: Demo, visit: Open) -> None:
    terminal = visit("jo").press("End", "Enter").wait_for("size 80x24").press("Enter")
    # Nobody else is left who could give the terminal back: the prompt stands on what was drawn.
    terminal.wait_for("1 key").type("~.").wait_for("Connection to 127.0.0.1 closed", PROMPT)
    demo.wait_event("session.end", user="jo", seconds=allowed(1.0))


def test_a_command_that_nobody_reads_ends_at_once(
    demo: Demo, place: Place, program: Callable[[str], str]
) -> None:
    """OpenSSH's client tells of that only hosts whose identification begins like OpenSSH's."""
    program("ssh")
    line = f"'{place.bin / 'ssh'}' -p {demo.port} ivy@127.0.0.1 probe lines | head -1"
    begun = time.monotonic()
    done = subprocess.run(
        ["sh", "-c", line], capture_output=True, timeout=DEADLINE, env=clean_env(place.folder)
    )
    assert done.stdout == b"line 0\n"
    assert time.monotonic() - begun < allowed(1.0)
    demo.wait_event("session.end", user="ivy", seconds=allowed(1.0))
