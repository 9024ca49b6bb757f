"""A list to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from prompt_toolkit.layout.containers import HSplit
from prompt_toolkit.mouse_events import MouseEventType

from tests.tui.screen import Person, make_session, play
from tuihost.session.session import Session
from tuihost.tui.widgets.keymap import Keymap
from tuihost.tui.widgets.list_view import ListView
from tuihost.tui.widgets.screen import Screen


@dataclass(frozen=True)
class Entry:
    name: str
    about: str = ""
    note: str = ""
    section: str = ""


APPS = [
    Entry("Notes", "Write, find and share your notes", "2 min ago", "Everyday"),
    Entry("Reader", "The handbook of this host", "3 new pages", "Everyday"),
    Entry("Guestbook", "Sign the book, read the book", "", "Everyday"),
    Entry("Chat", "Talk to who is here", "now", "Host"),
    Entry("System", "How the host is", "", "Host"),
]


def make(session: Session, items: list[Entry] | None = None, **more: Any) -> ListView[Entry]:
    return ListView(
        session,
        APPS if items is None else items,
        label=lambda entry: entry.name,
        description=lambda entry: entry.about,
        note=lambda entry: entry.note,
        section=lambda entry: entry.section,
        **more,
    )


def test_what_is_behind_an_item_is_found_last() -> None:
    texts = {"Chat": ("hello", "world"), "System": ("notes", "world")}

    def holds(entry: Entry, words: Sequence[str]) -> bool:
        return all(word in texts.get(entry.name, ()) for word in words)

    session = make_session(80, 24)
    view = make(session, holds=holds)
    for typed, found in (("world hello", ["Chat"]), ("notes", ["Notes", "System"])):
        view.filter.set(typed)
        assert [entry.name for entry in view.entries if entry is not None] == found


def screen_of(session: Session, view: ListView[Any], **more: Any) -> Any:
    return lambda: Screen(session, "Menu", view, **more).application()


def chosen(person: Person) -> str:
    return next(line for line in person.lines if line.lstrip().startswith("▌"))


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (120, 30)])
def test_how_it_looks(size: tuple[int, int], snapshot: Any) -> None:
    session = make_session(*size)
    view = make(session, number_keys=True, on_open=lambda entry: None)
    with play(screen_of(session, view), session) as me:
        assert me.text == snapshot(name="at first")
        me.press("down")
        me.type("oo")
        assert me.text == snapshot(name="filtered")


def test_how_it_looks_in_ascii(snapshot: Any) -> None:
    session = make_session(unicode=False)
    with play(screen_of(session, make(session, on_open=print)), session) as me:
        assert me.text.isascii()
        assert me.text == snapshot


def test_arrows_pass_over_headings_and_stop_at_the_ends() -> None:
    session = make_session()
    seen: list[str | None] = []
    view = make(session, on_change=lambda entry: seen.append(entry and entry.name))
    with play(screen_of(session, view), session) as me:
        me.press("up", "down", "down", "down", "down", "down")
        assert seen == ["Notes", "Reader", "Guestbook", "Chat", "System"]
        me.press("up", "home")
        assert seen[-2:] == ["Chat", "Notes"]
        assert "Everyday" in me.text
        me.press("end")
        assert view.selected is APPS[-1]


def test_letters_filter_and_show_what_matched() -> None:
    session = make_session()
    view = make(session)
    with play(screen_of(session, view), session) as me:
        me.type("ok")
        assert "2 of 5" in me.text
        assert "Guestbook" in chosen(me)  # its name matches; Reader's description does
        assert "Reader" in me.text
        assert "Notes" not in me.text
        assert "class:match.selection" in me.styles("ok  Sign")
        me.press("escape")
        assert "Notes" in me.text
        assert "Guestbook" in chosen(me)


def test_every_letter_digit_and_sign_is_text_from_the_first_one_on() -> None:
    session = make_session()
    view = make(session, number_keys=True)
    keys = Keymap()
    pressed: list[str] = []
    keys.add("t", "c-t", label="theme")(lambda event: pressed.append("t"))
    with play(screen_of(session, view, keys=keys), session) as me:
        assert "^T theme" in me.lines[-1]
        for word in (
            "tunnels",
            "windows",
            "quit",
            "jobs",
            "7zip",
            "deadline",
            "go",
            "Notes",
            "*",
            "tjkq1?/ t",
        ):
            me.type(word)
            assert view.filter.text == word
            me.press("escape")
        assert not me.ended
        assert pressed == []
        me.press("c-t")
        assert pressed == ["t"]


def test_signs_that_begin_no_word_work_until_something_is_typed() -> None:
    session = make_session()
    view = make(session)
    keys = Keymap()
    pressed: list[str] = []
    keys.add(":", label="shell", before_typing=True)(lambda event: pressed.append(":"))
    with play(screen_of(session, view, keys=keys), session) as me:
        me.press(":", "a", ":", "backspace", "backspace", ":")
        assert pressed == [":", ":"]
        me.press("?")
        assert "F1" in me.text
        me.press("escape", "a")
        assert "F1 keys" in me.lines[-1]
        me.press("?")
        assert view.filter.text == "a?"


def test_erasing_leads_back_to_commands() -> None:
    session = make_session()
    view = make(session)
    with play(screen_of(session, view), session) as me:
        me.type("ab")
        me.press("backspace", "backspace")
        assert not view.filter.typing()
        me.press("/", "backspace")
        assert not view.filter.typing()
        me.type("re two")
        me.press("c-w")
        assert view.filter.text == "re"
        me.press("c-u")
        assert view.filter.text == ""
        me.press("c-c")
        assert me.result == 0


def test_what_looks_like_one_character_is_erased_as_one() -> None:
    session = make_session()
    view = make(session)
    with play(screen_of(session, view), session) as me:
        me.paste("\ufeffa👨\u200d👩\u200d👧")
        assert view.filter.text == "a👨\u200d👩\u200d👧"
        me.press("backspace")
        assert view.filter.text == "a"


def test_a_paste_filters_on_one_harmless_line() -> None:
    session = make_session()
    view = make(session)
    with play(screen_of(session, view), session) as me:
        me.paste("re\nad\x1b[2J" + "x" * 100)
        assert view.filter.text.startswith("re ad·[2J")
        assert len(view.filter.text) < 120
        assert "Nothing matches" in me.text


def test_a_number_finds_its_item_and_opens_it_where_nothing_filters() -> None:
    session = make_session()
    opened: list[str] = []
    entries = [*APPS[:3], replace(APPS[3], name="2048"), APPS[4]]
    view = make(session, entries, number_keys=True, on_open=lambda entry: opened.append(entry.name))
    with play(screen_of(session, view), session) as me:
        me.press("2")
        assert "2 of 5" in me.text
        assert "2048" in chosen(me)  # what is called so comes first
        me.press("down", "enter")
        assert opened == [APPS[1].name]
        assert "2  " in chosen(me)  # its number stays beside it
    view = make(
        session, number_keys=True, filterable=False, on_open=lambda entry: opened.append(entry.name)
    )
    with play(screen_of(session, view), session) as me:
        me.press("4", "k", "g", "j", "9")
        assert opened[1:] == ["Chat"]
        assert view.selected is APPS[1]


def test_enter_and_clicks_open() -> None:
    session = make_session()
    opened: list[str] = []
    view = make(session, number_keys=True, on_open=lambda entry: opened.append(entry.name))
    with play(screen_of(session, view), session) as me:
        me.press("down", "enter")
        assert opened == ["Reader"]
        me.click_on("Guestbook")
        assert view.selected is APPS[2]
        assert opened == ["Reader"]
        me.click_on("Guestbook")
        assert opened[-1] == "Guestbook"
        me.click_on("Everyday")
        assert len(opened) == 2


def test_the_wheel_moves() -> None:
    session = make_session()
    view = make(session)
    with play(screen_of(session, view), session) as me:
        me.click(10, 10, MouseEventType.SCROLL_DOWN)
        assert view.cursor > 0
        me.click(10, 10, MouseEventType.SCROLL_UP)
        assert view.cursor < 3


def test_an_opener_may_wait() -> None:
    session = make_session()
    opened: list[str] = []

    async def on_open(entry: Entry) -> None:
        opened.append(entry.name)

    view = make(session, on_open=on_open)
    with play(screen_of(session, view), session) as me:
        me.press("enter")
        me.click_on("Notes")
        assert opened == ["Notes", "Notes"]


def test_new_items_keep_the_chosen_one_and_its_place_is_remembered() -> None:
    session = make_session()
    view = make(session, key=lambda entry: entry.name, place="apps")
    with play(screen_of(session, view), session) as me:
        me.press("down", "down")
        view.items = [Entry("New", section="Everyday"), *APPS]
        me.redraw()
        assert "Guestbook" in chosen(me)
        view.items = APPS[:1]
        me.redraw()
        assert "Notes" in chosen(me)
        view.items = APPS
        me.press("end")
    again = make(session, key=lambda entry: entry.name, place="apps")
    assert again.selected is APPS[-1]


def test_nothing_to_show_is_said() -> None:
    session = make_session()
    view = make(session, [], empty="No notes yet: n writes one.", on_open=print)
    with play(screen_of(session, view), session) as me:
        assert "No notes yet: n writes one." in me.text
        me.press("down", "enter", "pageup")
        assert view.selected is None
        assert "open" not in me.lines[-1]


@pytest.mark.parametrize(("columns", "rows"), [(80, 1), (30, 3)])
def test_why_it_is_empty_is_said_in_as_many_lines_as_it_takes(columns: int, rows: int) -> None:
    session = make_session(columns, 12)
    why = "No files yet. Press Ctrl-N, or copy some here with sftp."
    view = make(session, [], empty=why)
    with play(screen_of(session, view), session) as me:
        assert view.row_count() == rows
        assert why in " ".join(me.text.split())


def test_what_people_wrote_is_harmless_on_the_screen() -> None:
    session = make_session()
    view = make(session, [Entry("a\x1b[31m\u202eb", "c\x9bd\n", "e\x07", "f\x00")])
    with play(screen_of(session, view), session) as me:
        for bad in "\x1b\x9b\u202e\x07\x00\n":
            assert bad not in "".join(me.lines)
        assert "a·[31m·b" in me.text


def test_without_a_filter_letters_do_nothing() -> None:
    session = make_session()
    view = make(session, filterable=False)
    with play(screen_of(session, view), session) as me:
        me.type("zz")
        assert view.filter.text == ""
        assert "filter" not in me.text


def test_a_list_that_has_not_the_focus_is_calm() -> None:
    session = make_session()
    first, second = make(session), make(session)
    body = HSplit([first, second])
    with play(lambda: Screen(session, "Two", body).application(), session) as me:
        assert "class:selection" in me.styles("Write, find")
        me.press("tab")
        assert "class:selection" not in me.styles("Write, find")
        assert [line.lstrip()[:1] for line in me.lines].count("▌") == 2


def test_a_key_asks_only_for_the_rows_that_changed() -> None:
    session = make_session()
    asked: list[int] = []

    class Counted(ListView[int]):
        def row(self, index: int, width: int) -> Any:
            asked.append(index)
            return super().row(index, width)

    view = Counted(session, list(range(2000)))
    with play(screen_of(session, view), session) as me:
        assert len(asked) <= 24
        asked.clear()
        me.press("down")
        assert sorted(asked) == [0, 1]
