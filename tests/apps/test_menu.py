"""The menu on a screen, over the real host."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tuihost import App, Session, app, command
from tuihost.host.plugins.app_catalog import Broken
from tuihost.testing import Hosted, Pilot, hosted

EVENING = 1_795_467_840.0  # 2026-11-23 21:04 UTC


@app("hello", title="Hello", description="Says hello to you", group="Everyday", icon="☺", order=1)
async def hello(session: Session) -> None:
    await session.say(f"Hello, {session.user}!")
    await session.ask("Well? ")


class Ledger(App):
    """Keeps the accounts."""

    name = "ledger"
    title = "Ledger"
    description = "Keeps the accounts"
    group = "Everyday"
    order = 2

    async def talk(self, session: Session) -> None:
        await session.ask("Which page? ")

    @command
    def total(self, session: Session) -> None:
        """The sum of everything."""


@app("lamp", title="Lamp", description="Light for the night watch", group="Host", order=3)
async def lamp(session: Session) -> None:
    await session.ask("On or off? ")


@contextmanager
def house(motd: str = "", *, broken: bool = False) -> Iterator[Hosted]:
    """A host with a menu of three apps, on one evening that does not pass."""
    with hosted(
        hello, Ledger(), lamp, bundled=["menu"], settings={"app.menu": {"motd": motd}}
    ) as it:
        it.host.now = lambda: EVENING  # type: ignore[method-assign]
        it.host.catalog.broken = (
            (Broken("engine", "here", "ImportError: No module named 'steam'"),) if broken else ()
        )
        yield it


def come(it: Hosted, size: tuple[int, int] = (80, 24), user: str = "ada") -> Pilot:
    pilot = it.open(user=user, size=size, env={"LANG": "C.UTF-8", "TZ": "UTC"})
    return pilot.wait_for("Menu").wait_for("leave" if size[0] >= 24 else "^C")


def chosen(pilot: Pilot) -> str:
    """The row on which the bar stands."""
    return next((line for line in pilot.screen.lines if "▌" in line), "")


def wait_chosen(pilot: Pilot, text: str) -> None:
    """Waits until the bar stands on the row that holds `text`."""
    pilot.wait_until(lambda: text in chosen(pilot), f"the bar to stand on {text!r}")


AT_80 = """\
 tuihost · Menu                                            ada · 1 here · 21:04
 ──────────────────────────────────────────────────────────────────────────────
  › Type to filter                                                       3 apps
  Everyday
 ▌ 1  ☺ Hello   Says hello to you
   2    Ledger  Keeps the accounts
  Host
   3    Lamp    Light for the night watch
"""
AT_40 = """\
 Menu
 ▌ 1  ☺ Hello
   2    Ledger
   3    Lamp
"""
AT_120 = """\
  Everyday                                                              Ledger
   1  ☺ Hello   Says hello to you                                       Keeps the accounts
 ▌ 2    Ledger  Keeps the accounts
  Host                                                                  Last used  never
   3    Lamp    Light for the night watch                               In it now  nobody

                                                                        From your shell
                                                                        ssh -t HOST ledger
                                                                        ssh HOST ledger …
                                                                          total  SUM

                                                                        Here now
                                                                          ada (you)  in the menu"""


def test_first_screen_at_80_by_24() -> None:
    with house() as it, come(it) as ada:
        assert ada.text.startswith(AT_80)
        keys = ada.screen.lines[-1]
        assert "⏎ open" in keys
        assert "^] back here from any app" in keys
        assert keys.endswith("^C leave")


def test_only_names_and_keys_remain_at_40_by_12() -> None:
    with house("Closed on Sunday.") as it, come(it, (40, 12)) as ada:
        assert ada.text.startswith(AT_40)
        assert "^C leave" in ada.screen.lines[-1]
        assert not any("─" in line or "Sunday" in line for line in ada.screen.lines)


def test_wide_windows_show_the_page_of_the_chosen_app() -> None:
    with house() as it, come(it, (120, 30)) as ada:
        ada.press("down").wait_for("From your shell").wait_for("total")
        options, _, name = it.host.ssh_target.rpartition(" ")
        target = f"{options} ada@{name}"
        assert AT_120.replace("HOST", target).replace("SUM", "The sum of everything") in ada.text


def test_what_a_command_does_is_told_in_full_where_there_are_rows_for_it() -> None:
    with hosted(bundled=["menu", "notes"]) as host, host.open("menu", size=(130, 40)) as pilot:
        pilot.wait_for('or with "-", keep standard input').wait_for("those with every one of WORDS")
        pilot.resize(130, 30).wait_gone("keep standard input").wait_for("Keep TEXT as a new no")
        pilot.resize(130, 40).wait_for("keep standard input")


def test_window_follows_its_size_and_says_kindly_when_it_is_too_small() -> None:
    with house() as it, come(it) as ada:
        ada.resize(40, 12).wait_gone("Everyday")
        ada.resize(120, 30).wait_for("From your shell").wait_for("Everyday")
        ada.resize(16, 4).wait_for("small")
        ada.resize(80, 24).wait_for("Everyday")


def test_message_of_the_day_stands_above_and_cannot_steer_the_terminal() -> None:
    with house("Closed on \x1b[31mSunday.") as it, come(it) as ada:
        assert "Closed on ·[31mSunday." in ada.text


def test_person_comes_back_to_the_app_that_was_open_and_to_no_filter() -> None:
    with house() as it, come(it) as ada:
        ada.press("down", "enter").wait_for("Which page?")
        ada.press("c-]").wait_for("Type to filter")
        wait_chosen(ada, "Ledger")
        ada.type("la").wait_for("1 of 3 apps").press("enter").wait_for("On or off?")
        ada.press("c-]").wait_for("Type to filter").wait_for("Everyday")
        wait_chosen(ada, "Lamp")
        ada.type("hel").wait_for("1 of 3 apps")


def test_nothing_changes_its_place_because_it_was_opened() -> None:
    with house() as it:
        with come(it) as ada:
            ada.press("down", "enter").wait_for("Which page?").press("c-]").wait_for("just now")
            wait_chosen(ada, " 2    Ledger")
        with come(it) as ada:  # nor at the next visit
            assert " 1  ☺ Hello" in ada.text
            assert " 2    Ledger" in ada.text


def test_filter_finds_as_one_types_and_takes_every_letter() -> None:
    with house() as it, come(it) as ada:
        for word in ("tunnels", "windows", "quit", "jobs", "7zip"):
            ada.type(word).wait_for(f"› {word}").press("escape").wait_for("Type to filter")
        ada.type("lqt").wait_for("Nothing matches")
        ada.press("backspace", "backspace").type("m").wait_for("1 of 3 apps")
        at = chosen(ada).index("Lamp")
        cells = ada.screen.styles(ada.screen.lines.index(chosen(ada)))[at : at + 4]
        capital, _, _, last = (cell[1] for cell in cells)
        assert capital != last  # what matched is marked
        ada.press("escape").wait_for("3 apps")
        ada.paste("le\r\n\x1b]0;x\x07").wait_for("le")
        assert it.log.named("app.error") == []


def test_what_is_out_of_order_says_why_and_stays_shut() -> None:
    with house(broken=True) as it, come(it) as ada:
        ada.wait_for("Out of order")
        assert "4  ▲ engine" in ada.text
        ada.press("4", "enter").wait_for("engine is out of order: ImportError")
        ada.press("escape", "1", "enter").wait_for("Hello, ada!")


def test_theme_is_shown_while_it_is_chosen() -> None:
    def ground(pilot: Pilot) -> str:
        return pilot.screen.styles(0)[0][2]

    with house() as it:
        with come(it) as ada:
            night = ground(ada)
            ada.press("c-t").wait_for("▌ Automatic").press("down")
            ada.wait_until(lambda: ground(ada) != night, "the look of another theme")
            ada.press("escape").wait_until(lambda: ground(ada) == night, "the theme from before")
            ada.wait_gone("Amber CRT").press("c-t").wait_for("Amber CRT").press("down", "enter")
            ada.wait_for("Amber CRT it is")
            amber = ground(ada)
        with come(it) as ada:
            assert ground(ada) == amber != night
            ada.press("c-t").wait_for("█ Amber CRT").press("home", "enter")
            ada.wait_until(lambda: ground(ada) == night, "the automatic theme")


def test_people_see_each_other() -> None:
    with house() as it, come(it) as ada, come(it, user="bob") as bob:
        bob.press("1", "enter").wait_for("Hello, ")
        ada.press("c-p").wait_for("2 people are here ─")
        assert "ada (you)" in ada.text
        assert any("bob (guest)" in line and "in Hello" in line for line in ada.screen.lines)
        ada.press("c-p").wait_gone("in Hello").press("?").wait_for("back here from any app")


def test_leaving_ends_well_and_says_good_bye() -> None:
    with house() as it, come(it) as ada:
        assert ada.press("c-c").wait_end() == 0
        assert not ada.screen.alternate
        assert ada.text == "Goodbye, ada. Come back soon."


def test_click_chooses_and_a_second_one_opens() -> None:
    with house() as it, come(it) as ada:
        row = next(i for i, line in enumerate(ada.screen.lines) if "Lamp" in line)
        wait_chosen(ada.click(10, row), "Lamp")
        ada.click(10, row).wait_for("On or off?")
