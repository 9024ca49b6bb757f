"""OpenSSH in a real terminal: the first screen, walking the menu, the theme, the window's size."""

from __future__ import annotations

import re
import time

import pytest

from tests.e2e.e2e_demo import Demo, Place
from tests.e2e.e2e_tmux import WELL, Open, Terminal
from tests.waiting import allowed


def chosen(terminal: Terminal, title: str) -> Terminal:
    """Waits until the mark of the chosen row stands beside `title`."""
    return terminal.wait_until(
        lambda text: re.search(rf"^ ?[▌┃].*\b{title}\b", text, re.MULTILINE), f"{title} chosen"
    )


def colours(terminal: Terminal) -> list[str]:
    """The colours of the title line, in their order."""
    return re.findall(r"\x1b\[([0-9;:]*)m", terminal.coloured.split("\n")[0])


@pytest.mark.parametrize(("columns", "rows"), [(40, 12), (80, 24), (200, 60)])
def test_the_first_screen_fits_the_window(visit: Open, columns: int, rows: int) -> None:
    name = f"zoe-{columns}"
    terminal = visit(name, columns, rows).wait_for("Menu", "Notes", "? keys", "^C leave")
    lines = terminal.lines
    assert len(lines) == rows
    assert "Menu" in lines[0]
    assert "^C leave" in lines[-1]
    text = terminal.text
    assert ("Write" in text) == (columns > 40)  # what each app is for
    assert bool(re.search(rf"{name} · \d+ here · \d\d:\d\d", lines[0])) == (columns > 40)
    assert ("^] back here from any app" in lines[-1]) == (columns > 40)
    # The chosen app's page has what leads there, with the real address.
    assert bool(re.search(rf"ssh -t -p \d+ {name}@localhost notes", text)) == (columns >= 100)
    if columns == 40:
        names = [line for line in lines[1:-1] if line]
        assert all(len(line) < 24 for line in names), "only names and keys have room here"
    terminal.press("C-c").wait_shell(0)
    assert terminal.flags() == WELL


def test_arrows_move_and_the_place_is_kept(visit: Open) -> None:
    terminal = chosen(visit("bea"), "Notes")
    chosen(terminal.press("Down"), "Reader")
    chosen(terminal.press("Down"), "Files")
    chosen(terminal.press("Up"), "Reader")
    chosen(terminal.press("Up"), "Notes")
    chosen(terminal.press("End"), "Probe")
    terminal.press("Enter").wait_for("size 80x24")
    chosen(terminal.press("C-]").wait_for("Menu"), "Probe")


def test_a_number_finds_an_app(visit: Open) -> None:
    terminal = visit("cay").wait_for("Probe")
    number = re.search(r"(\d) +\S* *About", terminal.text)
    assert number
    terminal.press(number[1], "Enter").wait_for("tuihost · About")
    chosen(terminal.press("C-c").wait_for("Menu"), "About")


def test_letters_filter_and_escape_takes_it_back(visit: Open) -> None:
    terminal = visit("dan").type("prb").wait_for("› prb", "1 of").wait_gone("Notes")
    chosen(terminal, "Probe")
    terminal.press("Escape").wait_for("Notes", "Type to filter", seconds=allowed(1.0))
    terminal.type("zzz").wait_for("Nothing matches")
    terminal.press("Escape").wait_for("Notes").type("prb").wait_for("1 of")
    terminal.press("Enter").wait_for("size 80x24")


def test_a_click_chooses_and_another_opens(visit: Open) -> None:
    terminal = visit("eve").wait_for("Probe")
    row = next(at for at, line in enumerate(terminal.lines) if "Probe" in line)
    chosen(terminal.click(10, row), "Probe")
    terminal.click(10, row).wait_for("size 80x24")


def test_keys_and_people_are_shown_above_the_menu(visit: Open) -> None:
    terminal = visit("fay")
    terminal.press("?").wait_for("╭", "Everywhere").press("Escape").wait_gone("╭")
    terminal.press("C-p").wait_row("fay (you)", "in the menu").press("Escape").wait_gone("╭")


def test_a_theme_is_seen_before_it_is_chosen_and_remembered(visit: Open) -> None:
    terminal = visit("gil")
    before = colours(terminal)
    terminal.press("C-t").wait_for("Theme", "Paper").type("paper").wait_for("1 of")
    terminal.wait_until(lambda _: colours(terminal) != before, "the preview")
    seen = colours(terminal)
    terminal.press("C-c").wait_gone("╭")
    terminal.wait_until(lambda _: colours(terminal) == before, "the colours from before")
    terminal.press("C-t").wait_for("Theme").type("paper").wait_for("1 of").press("Enter")
    terminal.wait_for("Paper it is").press("C-c").wait_shell(0)
    again = visit("gil")
    assert colours(again) == seen
    assert colours(visit("gus")) == before


def test_the_screen_follows_the_window(visit: Open) -> None:
    terminal = visit("hal").wait_for("tuihost · Menu")
    for columns, rows in ((40, 12), (120, 40)):
        terminal.resize(columns, rows).wait_until(
            lambda text, rows=rows: text.split("\n")[rows - 1 :] and "^C leave" in text,
            f"a screen of {columns}x{rows}",
        )
    terminal.resize(20, 5).wait_for("20×5").resize(80, 24).wait_for("tuihost · Menu", "Notes")
    terminal.press("End", "Enter").wait_for("size 80x24")
    terminal.resize(132, 43).wait_for("size 132x43").resize(31, 9).wait_for("size 31x9")
    terminal.press("q").wait_for("Menu").press("C-c").wait_shell(0)
    assert terminal.flags() == WELL


def test_a_lone_escape_is_quick_and_a_key_is_whole(visit: Open) -> None:
    terminal = visit("ida", asks="probe", first="size 80x24")
    best = 9.0
    for number in range(1, 4):
        begun = time.monotonic()
        terminal.press("Escape").wait_for(f"{number} key Escape")
        best = min(best, time.monotonic() - begun)
    assert best < allowed(0.4), f"a lone Escape took {best:.2f} s"
    terminal.press("F5").wait_for("4 key Keys.F5").press("M-a").wait_for("5 key Escape", "6 key a")


def test_a_paste_is_one_and_a_click_has_its_place(visit: Open) -> None:
    terminal = visit("jan", asks="probe", first="size 80x24")
    # The keys of the menu and of the crash are text here; the first is none that can be shown.
    terminal.paste("one\ntwo\x1dx").wait_row("1 paste of 8", "one", "two")
    terminal.click(5, 3).wait_for("MOUSE_DOWN 5,1", "MOUSE_UP 5,1")


def test_the_host_key_is_asked_about_once(
    own_demo: Demo, open_terminal: Open, place: Place
) -> None:
    place.known_hosts(own_demo.port).unlink()
    terminal = open_terminal()
    line = f"ssh -p {own_demo.port} kim@127.0.0.1"
    terminal.shell(line).wait_for("Menu").press("C-c").wait_shell()
    terminal.wait_for("Permanently added")
    own_demo.interrupt()
    assert own_demo.wait_end() == 0
    again = Demo(own_demo.folder, port=own_demo.port)
    try:
        terminal.shell("clear").wait_shell().shell(line).wait_for("Menu")
        terminal.press("C-c").wait_shell(0)
        assert "added" not in terminal.text
        assert again.fingerprint == own_demo.fingerprint
    finally:
        again.close()


def test_every_line_of_the_start_page_works_as_it_stands(demo: Demo, open_terminal: Open) -> None:
    lines = re.findall(r"^ +(ssh .+?)   ", demo.page, re.MULTILINE)
    assert len(lines) == 5, demo.page
    for line in lines:
        terminal = open_terminal()
        terminal.shell(line)
        if " ada@" in line:
            terminal.wait_for("Password:").type(demo.proof("Password")).press("Enter")
            terminal.wait_for("One-time code:").type(demo.code()).press("Enter")
            terminal.wait_for("Menu", "ada").press("C-c")
        elif " new@" in line:
            terminal.wait_for("Invitation code:").type(demo.proof("Invitation")).press("Enter")
            terminal.wait_for("Your name here:").type("nele").press("Enter")
            for again in ("New password:", "New password again:"):
                terminal.wait_for(again).type("from-now-on-mine").press("Enter")
            terminal.wait_for("Menu", "nele").press("C-c")
        elif " -t " in line:
            terminal.wait_for("tuihost · Notes").press("C-c")
        elif line.endswith("localhost"):
            terminal.wait_for("Menu", "Notes").press("C-c")
        else:
            terminal.wait_for("Memory", "Threads")
        terminal.wait_shell(0)
