"""Every bundled app in a real terminal: opened, left, entered again, and found as it was."""

from __future__ import annotations

import re
import time

import pytest

from tests.e2e.e2e_demo import CHECKOUT, Demo, Run
from tests.e2e.e2e_tmux import WELL, Open, Terminal
from tests.waiting import allowed

# The menu is the way to the others; approvals are not for guests.
APPS = sorted(
    folder.name
    for folder in (CHECKOUT / "apps").iterdir()
    if (folder / "__init__.py").exists() and folder.name not in ("menu", "approvals")
)
# Where letters are what one types, other keys do what they do elsewhere.
BACK = {"shell": ("C-d", "C-]")}
HELP = {"shell": "F1"}
LEAVE = {"shell": ("C-d", "^D")} | dict.fromkeys(
    ("about", "account", "tunnels"),
    ("q", "q"),  # nothing is typed there
)
SIZES = [(40, 12), (80, 24), (200, 60)]


def titled(title: str) -> re.Pattern[str]:
    """The first row of an app, also where the window is narrow."""
    return re.compile(rf"\A (tuihost · )?{title}")


def wait_title(terminal: Terminal, title: str) -> Terminal:
    return terminal.wait_until(titled(title).search, f"the title {title}")


@pytest.mark.parametrize("app", APPS)
def test_an_app_opens_from_the_menu_and_leads_back(visit: Open, app: str) -> None:
    title = app.capitalize()
    terminal = visit(f"nia-{app}", *SIZES[APPS.index(app) % len(SIZES)]).wait_for(title)
    number = re.search(rf"(\d) +\S* *{title}", terminal.text)
    assert number, terminal.text
    terminal.press(number[1])
    for way_back in BACK.get(app, ("C-c", "Escape", "C-]")):
        wait_title(terminal.press("Enter"), title)
        wait_title(terminal.press(way_back), "Menu")
        terminal.wait_until(
            re.compile(rf"^ [▌┃].*{title}", re.MULTILINE).search, f"{title} chosen in the menu"
        )
    terminal.press("C-c").wait_shell(0)
    assert terminal.flags() == WELL


@pytest.mark.parametrize("app", APPS)
def test_an_app_opens_at_once_and_its_help_tells_the_keys(visit: Open, app: str) -> None:
    title = app.capitalize()
    terminal = wait_title(visit(f"oda-{app}", asks=app, first=title), title)
    help_key, (leave, leave_shown) = HELP.get(app, "?"), LEAVE.get(app, ("C-c", "^C"))
    terminal.press(help_key).wait_for("╭").wait_row(leave_shown, "leave")
    terminal.press("Escape").wait_gone("╭").resize(40, 12).wait_until(
        lambda text: len(text.split("\n")) == 12 and f"{help_key} keys" in text, "a small screen"
    )
    wait_title(terminal.resize(160, 50), title).press(leave).wait_shell(0)
    assert terminal.flags() == WELL


def test_the_name_of_the_app_may_go_with_the_persons(visit: Open) -> None:
    terminal = wait_title(visit("pia+notes", first="Notes"), "Notes")
    wait_title(terminal.press("C-]"), "Menu").press("C-c").wait_shell(0)
    terminal = wait_title(visit("pia+notes", first="Notes"), "Notes")
    terminal.press("C-c").wait_shell(0)


def test_a_pasted_note_is_kept_and_read_from_the_shell(visit: Open, ssh: Run) -> None:
    terminal = visit("quin", asks="notes", first="No notes yet")
    terminal.press("C-n").wait_for("New note").paste("Milk\n  and bread\n* q ?\n")
    terminal.wait_for("Milk", "  and bread", "* q ?", "unsaved")
    terminal.press("C-s").wait_for("Saved").press("Escape").wait_for("^N new note", "Milk")
    terminal.press("C-c").wait_shell(0)
    shown = ssh("quin@127.0.0.1", "notes", "show", "1").stdout
    assert shown.rstrip(b"\n") == b"Milk\n  and bread\n* q ?"


def test_what_was_not_saved_survives_a_dropped_line(demo: Demo, visit: Open) -> None:
    terminal = visit("rob", asks="notes", first="No notes yet")
    terminal.press("C-n").wait_for("New note").type("Half a thought").wait_for("Half a thought")
    begun = time.monotonic()
    terminal.kill_client()
    demo.wait_event("session.end", user="rob", seconds=allowed(1.0))
    assert time.monotonic() - begun < allowed(1.0)
    terminal.wait_for("Killed")
    again = visit("rob", asks="notes", first="Half a thought")
    again.press("Enter").wait_for("unsaved").press("End").type("!").wait_for("Half a thought!")
    again.press("C-s").wait_for("Saved").press("Escape").wait_for("^N new note")
    again.press("C-c").wait_shell(0)


def test_the_place_is_kept_between_two_visits_of_an_app(visit: Open, ssh: Run) -> None:
    for text in ("first", "second", "third"):
        assert ssh("sam@127.0.0.1", "notes", "add", text).returncode == 0
    terminal = visit("sam").press("1", "Enter").wait_for("tuihost · Notes", "third")
    chosen = re.compile(r"^ [▌┃].*first", re.MULTILINE).search
    terminal.press("End").wait_until(chosen, "the last row chosen")
    wait_title(terminal.press("C-]"), "Menu")
    wait_title(terminal.press("Enter"), "Notes").wait_until(chosen, "the last row chosen again")


def test_two_people_see_each_other(visit: Open) -> None:
    visit("tom", asks="status", first="Status").wait_row("tom", "Status")
    visit("una", asks="status", first="Status").wait_row("tom", "Status").wait_row("una", "Status")
