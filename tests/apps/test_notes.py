"""Notes on a screen and line by line."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.waiting import DEADLINE
from tuihost.testing import Hosted, Pilot, hosted

SHOPPING = "# Shopping\n\n- milk\n- **sourdough** bread\n"


@pytest.fixture
def host() -> Iterator[Hosted]:
    with hosted(bundled=["menu", "notes"]) as host:
        yield host


def keep(host: Hosted, text: str, user: str = "ada") -> None:
    assert host.run("notes add", stdin=text.encode(), user=user).status == 0


def shown(host: Hosted, number: int, user: str = "ada") -> str:
    return host.run(f"notes show {number}", user=user).text


def row_of(pilot: Pilot, text: str) -> int:
    return next(index for index, line in enumerate(pilot.screen.lines) if text in line)


@pytest.mark.parametrize(
    ("size", "preview", "page"),
    [((40, 12), False, False), ((80, 24), True, False), ((200, 60), True, True)],
)
def test_the_list_fits_the_window(
    host: Hosted, size: tuple[int, int], preview: bool, page: bool
) -> None:
    keep(host, SHOPPING)
    keep(host, "A letter\n\nDear all,")
    with host.open("notes", size=size) as pilot:
        pilot.wait_for("A letter").press("down").wait_for("▌ Shopping")
        assert row_of(pilot, "A letter") < row_of(pilot, "▌ Shopping"), "the latest is first"
        assert ("milk sourdough bread" in pilot.text) is preview
        assert ("just now" in pilot.text) is preview
        if page:
            pilot.wait_for("• sourdough bread")
        told = "Anyone called ada can" if size[0] < 60 else "anyone who gives the name ada can"
        assert told in pilot.text.replace("Anyone who", "anyone who"), "who else can read this"
        assert all(len(line) <= size[0] for line in pilot.screen.lines)


def test_a_guest_with_a_long_name_reads_a_whole_sentence(host: Hosted) -> None:
    with host.open("notes", user="guest-of-the-long-name", size=(40, 12)) as pilot:
        pilot.wait_for("Guests with your name share these.")
    with host.open("notes", user="guest-of-the-long-name", size=(80, 24)) as pilot:
        pilot.wait_for("Anyone who gives the name guest-of-the-long-n")


def test_an_empty_list_says_what_to_do(host: Hosted) -> None:
    with host.open("notes", size=(40, 12)) as pilot:
        pilot.wait_for("No notes yet: Ctrl-N writes one.").press("c-c")
        assert pilot.wait_end() == 0


def test_a_note_is_written_saved_and_found_by_any_word_in_it(host: Hosted) -> None:
    keep(host, "Something else")
    with host.open("notes") as pilot:
        pilot.wait_for("Something else").press("c-n").wait_for("New note")
        pilot.type("Garden\rbeans in row seven").wait_for("unsaved").press("c-s")
        pilot.wait_for("Saved").press("escape").wait_for("▌ Garden")
        pilot.press("/").type("seven").wait_for("1 of 2").wait_for("beans in row seven")
        pilot.press("escape").wait_for("Something else")
    assert shown(host, 2) == "Garden\nbeans in row seven\n"


def test_leaving_the_editor_asks_only_where_something_would_be_lost(host: Hosted) -> None:
    keep(host, "One line")
    with host.open("notes") as pilot:
        pilot.wait_for("One line").press("enter").wait_for("saved  1:1")
        pilot.press("escape").wait_for("Type to filter")
        pilot.press("enter").wait_for("saved  1:1").type("No ").wait_for("unsaved")
        pilot.press("escape").wait_for("This is not saved").press("down", "enter")
        pilot.wait_for("Type to filter")
        assert "unsaved" not in pilot.text
        pilot.press("enter").wait_for("saved  1:1").type("My ").wait_for("unsaved")
        pilot.press("escape").wait_for("This is not saved").press("c-c").wait_gone("This is not")
        pilot.press("escape").wait_for("This is not saved").press("enter").wait_for("▌ My One line")
    assert shown(host, 1) == "My One line\n"


def test_unsaved_text_is_there_again_after_the_way_to_the_menu(host: Hosted) -> None:
    with host.open() as pilot:
        pilot.wait_for("Notes").press("enter").wait_for("No notes yet").press("c-n")
        pilot.wait_for("New note").type("half a thought").wait_for("unsaved  1:15")
        pilot.press("left").wait_for("unsaved  1:14").press("c-]").wait_for("Menu").press("enter")
        pilot.wait_for("half a thought").wait_for("unsaved  1:14")


def test_unsaved_text_outlives_the_line_and_is_offered_to_the_next_visit(host: Hosted) -> None:
    keep(host, "Old words")
    with host.open("notes") as pilot:
        pilot.wait_for("Old words").press("enter").wait_for("saved  1:1")
        pilot.type("New and ").wait_for("unsaved")
        pilot.drop()
    host.log.wait_for("session.end", times=2)
    with host.open("notes") as pilot:
        pilot.wait_for("Left unsaved").wait_for("▌ New and Old words").press("enter")
        pilot.wait_for("unsaved").press("c-s").wait_for("Saved").press("escape")
        pilot.wait_gone("Left unsaved").wait_for("▌ New and Old words")
    assert shown(host, 1) == "New and Old words\n"


def test_whoever_is_back_before_the_host_knew_that_the_line_was_gone_is_offered_the_text(
    host: Hosted,
) -> None:
    keep(host, "Old words")
    app: Any = host.host.catalog.apps["notes"].app
    on_disk = threading.Event()
    with host.open("notes") as hanging, host.open("notes") as back:
        hanging.wait_for("Old words").press("enter").wait_for("saved  1:1")
        back.wait_for("Old words")
        app.store.subscribe("guest:ada", on_disk.set)
        hanging.type("New and ").wait_for("unsaved")
        assert on_disk.wait(DEADLINE), "the draft was never written"
        back.type("Old").wait_for("1 of 1").press("escape").wait_gone("1 of 1")
        assert "Left unsaved" not in back.text
        hanging.drop()
        back.wait_for("Left unsaved").press("up").wait_for("▌ New and Old words").press("enter")
        back.wait_for("unsaved")


def test_a_draft_that_is_thrown_away_is_gone(host: Hosted) -> None:
    with host.open("notes") as pilot:
        pilot.wait_for("No notes yet").press("c-n").wait_for("New note").type("nothing")
        pilot.wait_for("unsaved").drop()
    host.log.wait_for("session.end")
    with host.open("notes") as pilot:
        pilot.wait_for("Left unsaved").press("enter").wait_for("unsaved").press("escape")
        pilot.wait_for("This is not saved").press("down", "enter").wait_for("No notes yet")
    with host.open("notes") as pilot:
        pilot.wait_for("No notes yet")


def test_two_who_change_one_note_both_keep_their_text(host: Hosted) -> None:
    keep(host, "Plan")
    with host.open("notes") as one, host.open("notes") as two:
        one.wait_for("Plan").press("enter").wait_for("saved  1:1")
        two.wait_for("Plan").press("enter").wait_for("saved  1:1")
        one.type("First ").press("c-s").wait_for("Saved")
        two.type("Second ").press("c-s").wait_for("yours is now note 2")
        two.type("and more ").wait_for("unsaved").press("c-s").wait_for("✓ Saved")
    assert shown(host, 1) == "First Plan\n"
    assert shown(host, 2) == "Second and more Plan\n"


def test_a_list_follows_what_another_session_does(host: Hosted) -> None:
    with host.open("notes") as pilot:
        pilot.wait_for("No notes yet")
        keep(host, "From elsewhere")
        pilot.wait_for("From elsewhere")
        host.run("notes remove 1")
        pilot.wait_for("No notes yet")


def test_deleting_asks_and_can_be_undone(host: Hosted) -> None:
    keep(host, SHOPPING)
    with host.open("notes") as pilot:
        pilot.wait_for("▌ Shopping").press("delete").wait_for("Delete “Shopping”?").press("enter")
        pilot.wait_gone("Delete “").press("delete").wait_for("Delete “").press("d")
        pilot.wait_for("Deleted").wait_for("No notes yet").press("c-z").wait_for("▌ Shopping")
        assert "Deleted" not in pilot.wait_for("It is back").text
    assert "sourdough" in shown(host, 1)


def test_everybody_has_their_own_notes(host: Hosted) -> None:
    keep(host, "A secret of ada's")
    keep(host, "Bob's own", user="bob")
    with host.open("notes") as ada, host.open("notes", user="bob") as bob:
        bob.wait_for("Bob's own")
        ada.wait_for("A secret")
        assert "secret" not in bob.text
        assert "Bob" not in ada.text
    assert host.run("notes show 1", user="bob").text == "Bob's own\n"


def test_what_a_note_holds_cannot_steer_the_terminal(host: Hosted) -> None:
    keep(host, "\x1b[2Jevil\x07\u202e\n" + ">" * 3000)
    with host.open("notes", size=(120, 30)) as pilot:
        pilot.wait_for("[2Jevil").press("enter").wait_for("saved  1:1")
        assert "·[2Jevil··" in pilot.text
    with host.open("notes show 1") as pilot:
        assert pilot.wait_end() == 0
        assert "·[2Jevil·" in pilot.received.decode()
        assert not any(text in pilot.received.decode() for text in ("\x1b[2J", "\x07", "\u202e"))


def hear(pilot: Pilot, words: str) -> Pilot:
    """Waits for words in plain lines, which no screen has cut."""
    return pilot.wait_until(lambda: words in pilot.received.decode(), repr(words))


def test_line_by_line(host: Hosted) -> None:
    keep(host, SHOPPING)
    with host.lines(user="ada+notes") as pilot:
        hear(pilot, "anyone who gives the name ada")
        hear(pilot, "You have 1 note, the latest first:\n1. Shopping (just now)\n")
        for typed, answer in [
            ("1", "- **sourdough** bread"),
            ("add A short one", "Note 2 added."),
            ("add", "a line with only . ends the note"),
            ("Long\nand longer\n.", "Note 3 added."),
            ("find LONGER", "Found 1 note:\n3. Long (just now)\n"),
            ("delete 2\nno", "It stays."),
            ("delete 2\nyes", "Note 2 is deleted."),
            ("2", "You have no note 2."),
            ("undo", "Note 2 is back."),
            ("undo", "There is nothing to bring back."),
            ("2", "A short one"),
            ("show 0000000000000000012", "You have no note 0"),
            ("dance", "Type ? for help"),
            ("add\ncut short", "> > "),
        ]:
            hear(pilot.type(f"{typed}\n"), answer)
        pilot.end_input()
        assert pilot.wait_end() == 0
        assert b"\x1b" not in pilot.received
    with host.lines(user="ada+notes") as pilot:
        hear(hear(pilot, "Left unsaved: cut short").type("keep\n"), "Note 4 saved: cut short")
        pilot.type("q\n")
        assert pilot.wait_end() == 0
    for word in ("quit", "Exit", "logout"):
        with host.lines(user="ada+notes") as pilot:
            assert pilot.type(f"{word}\n").wait_end() == 0


def test_what_does_not_fit_into_a_note_is_refused_and_nothing_is_cut(host: Hosted) -> None:
    full = "A" * 262_130 + "\nTHE-END\n"
    with host.open("notes") as pilot:
        pilot.wait_for("No notes yet").press("c-n").wait_for("New note")
        pilot.paste("A" * 262_140 + "\nTHE-END\n").wait_for("added: that is 5 characters too long.")
        assert "new" in pilot.screen.lines[0]
        pilot.paste(full).wait_gone("too long.").press("c-s").wait_for("Saved")
        pilot.type("\x1b[1;5H").type("at the top").wait_for("added: that is 1 character too long.")
        pilot.press("backspace").wait_for("saved")
    assert shown(host, 1).endswith("A\nTHE-END\n")
    assert len(shown(host, 1)) == len(full)


def test_the_page_of_a_note_keeps_its_lines(host: Hosted) -> None:
    keep(host, "Plan\n\nfirst\nsecond\n- third\n\n    code  here\n")
    with host.open("notes", size=(120, 30)) as pilot:
        pilot.wait_for("▌ Plan").wait_for("second")
        page = [line[50:].strip() for line in pilot.screen.lines]
        assert page[page.index("first") + 1] == "second"
    with host.open("notes show 1") as pilot:
        pilot.wait_end()
        assert "first second" not in pilot.text


def of_role(*commands: str) -> Any:
    """A host whose guests may run these commands only, and ada's note on it."""
    return hosted(
        bundled=["menu", "notes"], settings={"roles": {"guest": {"commands": list(commands)}}}
    )


def put(host: Hosted, text: str) -> None:
    """Keeps a note for ada past all rights."""
    # The app was loaded from its folder, so its class is not to be had by an import.
    app: Any = host.host.catalog.apps["notes"].app
    app.store.add("guest:ada", text)


def test_whoever_may_not_run_add_and_remove_reads_only() -> None:
    with of_role("notes show", "notes list") as host:
        with host.open("notes") as pilot:
            pilot.wait_for("No notes yet.").wait_for("can read these notes")
            assert "Ctrl-N" not in pilot.text
        put(host, SHOPPING)
        with host.open("notes") as pilot:
            pilot.wait_for("Shopping").press("c-n")
            assert not {"new note", "delete"} & set(pilot.text.split("  "))
            pilot.press("delete", "c-d", "enter").wait_for("Notes: Shopping")
            pilot.type("changed").press("c-s").press("escape").wait_for("Type to filter")
            pilot.press("c-c")
            assert pilot.wait_end() == 0
        assert shown(host, 1) == SHOPPING.rstrip("\n") + "\n"


def test_the_same_line_by_line() -> None:
    with of_role("notes show", "notes list") as host:
        put(host, SHOPPING)
        with host.open("notes", term="dumb") as pilot:
            for line, command in (("add x", "add"), ("a", "add"), ("keep", "add"),
                                  ("delete 1", "remove"), ("d 1", "remove")):  # fmt: skip
                pilot.type(f"{line}\r").wait_for(f"You may not run notes {command}.")
            pilot.type("1\r").wait_for("sourdough").type("q\r")
            assert pilot.wait_end() == 0
        assert shown(host, 1)


def test_each_change_has_the_right_of_its_command() -> None:
    with of_role("notes add", "notes show") as host:
        put(host, SHOPPING)
        with host.open("notes") as pilot:
            pilot.wait_for("new note").press("delete", "c-d", "c-n").wait_for("New note")
