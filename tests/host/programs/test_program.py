"""Where sessions go, and what they end with."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import paramiko
import pytest
from prompt_toolkit.application import Application, get_app
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.layout import FormattedTextControl, Layout, Window

from tests.log import SILENT
from tests.waiting import allowed
from tuihost import Account, App, Disconnected, Launch, Session, app, command
from tuihost.core.budget.ledger import Free, Turn
from tuihost.core.exit_statuses import NOT_FOUND
from tuihost.host.host import Host
from tuihost.host.programs.program import STOP_LADDER, Program
from tuihost.host.programs.visit import Visit
from tuihost.logs import EventLog
from tuihost.testing import hosted
from tuihost.testing.hosted import hang_up
from tuihost.wire import ByteChannel, WindowChange


class Box(App):
    """Counts what is pressed."""

    name = "box"
    title = "Box"

    def build(self, session: Session) -> Application[Any]:
        keys = KeyBindings()
        count = session.memory.setdefault("count", [0])
        seen: list[str] = []

        @keys.add("j")
        def _(event: Any) -> None:
            count[0] += 1

        @keys.add("q")
        def _(event: Any) -> None:
            event.app.exit(result=3)

        @keys.add("h")
        def _(event: Any) -> None:
            event.app.exit(result=Launch("hello"))

        @keys.add("n")
        def _(event: Any) -> None:
            event.app.exit(result=Launch("nowhere"))

        @keys.add("x")
        def _(event: Any) -> None:
            raise ZeroDivisionError("a mistake with \x1b[2J in it")

        @keys.add("b")
        def _(event: Any) -> None:
            async def fail() -> None:
                raise LookupError("in the background")

            event.app.create_background_task(fail())

        session.subscribe(lambda event: seen.append(type(event).__name__) or get_app().invalidate())

        def text() -> str:
            size = session.terminal.size
            return f"count {count[0]} size {size.columns}x{size.rows} {session.env} {seen}"

        return Application(
            layout=Layout(Window(FormattedTextControl(text), wrap_lines=True)),
            key_bindings=keys,
            full_screen=True,
        )

    @command
    def echo(self, session: Session, *words: str, fail: bool = False) -> int:
        """Says it again."""
        session.print(*words)
        if fail:
            session.error("it failed")
        return 9 if fail else 0

    @command
    def upper(self, session: Session) -> None:
        """Makes its input large."""
        while data := session.read():
            session.write(data.upper())

    @command
    def crash(self, session: Session) -> None:
        """Fails."""
        raise ZeroDivisionError("a mistake")


@app("hello")
async def hello(session: Session) -> None:
    """Greets."""
    name = await session.ask("Your name? ")
    await session.say(f"Hello, {name}!")


def test_the_default_app_opens_and_a_resize_reaches_it() -> None:
    with hosted(Box(), hello) as host, host.open() as pilot:
        pilot.wait_for("count 0 size 80x24").press("j").wait_for("count 1")
        pilot.resize(100, 30).wait_for("size 100x30").wait_for(WindowChange.__name__)
        pilot.resize(0, 0).press("j").wait_for("count 2 size 100x30")
        pilot.press("q")
        assert pilot.wait_end() == 3
        assert not pilot.screen.alternate


@pytest.mark.parametrize(("user", "asked"), [("ada+hello", None), ("ada", "hello")])
def test_an_app_opens_by_user_name_and_by_command(user: str, asked: str | None) -> None:
    with hosted(Box(), hello) as host, host.open(asked, user=user) as pilot:
        pilot.wait_for("Your name?").type("Ada").press("enter").wait_for("Hello, Ada!")
        pilot.press("down", "enter")  # another key first: an Enter that is held closes no page
        assert pilot.wait_end() == 0


def test_an_error_on_a_narrow_terminal_is_broken_between_words() -> None:
    with hosted(Box(), hello) as host, host.open("nothing-of-that-name", size=(40, 12)) as pilot:
        assert pilot.wait_end() == NOT_FOUND
        rows = [row.rstrip() for row in pilot.text.splitlines() if row.strip()]
    assert rows[0] == "tuihost: no app is called"
    assert rows[1].startswith("nothing-of-that-name; ")


def test_an_app_that_was_launched_leads_back_and_the_place_is_kept() -> None:
    with hosted(Box(), hello) as host, host.open() as pilot:
        pilot.wait_for("count 0").press("j", "h").wait_for("Your name?")
        pilot.press("c-]").wait_for("count 1")
        pilot.press("n").wait_for("No app is called nowhere").press("enter").wait_for("count 1")


def test_the_way_to_the_menu_works_from_an_app_that_was_asked_for() -> None:
    with hosted(Box(), hello) as host, host.open("hello") as pilot:
        pilot.wait_for("Your name?").press("c-]").wait_for("count 0")


def test_commands_have_both_outputs_and_an_exit_status() -> None:
    with hosted(Box(), hello) as host:
        done = host.run("box echo one 'two three' --fail")
        assert (done.status, done.text, done.errors) == (9, "one two three\n", "it failed\n")
        assert host.run("echo hi", user="ada+box").text == "hi\n"
        assert host.run("box upper", stdin=b"abc\x00" * 50_000).stdout == b"ABC\x00" * 50_000
        assert "upper" in host.run("box").text


def test_a_name_that_is_not_there_is_127_and_one_sentence() -> None:
    with hosted(Box(), hello) as host:
        done = host.run("bux echo hi")
        assert (done.status, done.stdout) == (127, b"")
        assert done.errors == "tuihost: no app is called bux; did you mean box?\n"
        assert host.run("x", user="ada+no\x1b[2Jpe").errors.count("\n") == 1
        assert host.run("box 'unclosed").status == 2
        assert host.run("zzzz").errors == "tuihost: no app is called zzzz; there are box, hello.\n"


@pytest.mark.parametrize(
    ("apps", "told"),
    [
        ([], "no app is called zzzz, and no other is open to you."),
        (["box"], "no app is called zzzz; there is box."),
    ],
)
def test_a_list_of_apps_is_never_empty(apps: list[str], told: str) -> None:
    with hosted(Box(), hello, settings={"roles": {"guest": {"apps": apps}}}) as host:
        assert host.run("zzzz").errors == f"tuihost: {told}\n"


def test_a_crash_costs_one_sentence_and_the_log_has_the_trace_under_its_id() -> None:
    with hosted(Box(), hello) as host:
        done = host.run("box crash")
        assert done.status == 70
        event = host.log.named("app.error")[0]
        assert event["incident"] in done.errors
        assert isinstance(event["error"], ZeroDivisionError)
        assert "Traceback" not in done.errors


@pytest.mark.parametrize("key", ["x", "b"])
def test_a_crash_on_the_screen_leads_back_to_the_menu(key: str) -> None:
    @app("menu")
    async def menu(session: Session) -> Launch:
        await session.ask("Which? ")
        return Launch("box")

    with hosted(menu, Box()) as host, host.open() as pilot:
        pilot.wait_for("Which?").press("enter").wait_for("count 0")
        pilot.press(key).wait_for("because of an error")
        incident = host.log.named("app.error")[0]["incident"]
        assert incident in pilot.text
        assert "Traceback" not in pilot.text
        pilot.press("enter").wait_for("Which?")


def test_without_a_terminal_an_app_talks_line_by_line() -> None:
    with hosted(hello) as host, host.lines() as pilot:
        pilot.wait_for("Your name?").type("Bob\n").wait_for("Hello, Bob!")
        assert pilot.wait_end() == 0
        assert b"\x1b" not in pilot.received


@pytest.mark.parametrize("waits", [True, False])
def test_input_that_ends_ends_the_session_with_a_reason(waits: bool) -> None:
    """`ssh -tt host < /dev/null`, and the same later on."""
    with hosted(bundled=["menu"]) as host, host.open() as pilot:
        if waits:
            pilot.wait_for("Menu")
        assert pilot.end_input().wait_end() == 255
        assert "Your input has ended, and with it the session." in pilot.text


def test_a_dumb_terminal_gets_plain_lines_with_an_echo() -> None:
    with hosted(hello) as host, host.open(term="dumb") as pilot:
        pilot.wait_for("Your name?").type("Bobx").press("backspace").wait_for("Bob")
        pilot.press("enter").wait_for("Hello, Bob!")
        assert pilot.wait_end() == 0
        assert b"\x1b" not in pilot.received


def test_a_screen_without_a_terminal_is_refused_kindly() -> None:
    with hosted(Box()) as host, host.lines() as pilot:
        pilot.wait_for("Box needs a terminal that can draw")
        pilot.wait_for("Without one it has these commands: ")
        assert pilot.wait_end() == 69


def test_an_app_leads_to_no_other_that_is_closed_to_its_person() -> None:
    settings = {"roles": {"guest": {"apps": ["box"]}}}
    with hosted(Box(), hello, settings=settings) as host, host.open() as pilot:
        pilot.wait_for("count 0").press("h").wait_for("No app is called hello.")
        assert "Your name?" not in pilot.text
    with hosted(Box(), hello) as host, host.open() as pilot:
        pilot.wait_for("count 0").press("h").wait_for("Your name?")


def test_an_app_that_is_broken_is_out_of_order(tmp_path: Path) -> None:
    (tmp_path / "crate.py").write_text("1 / 0")
    settings = {"apps.folders": [str(tmp_path)], "apps.enabled": ["crate"]}
    with hosted(Box(), settings=settings) as host:
        done = host.run("crate open")
        told = "crate is out of order at the moment; the operator knows why.\n"
        assert (done.status, done.errors) == (127, f"tuihost: {told}")


def test_only_the_clients_own_environment_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "xx_SERVER")
    monkeypatch.setenv("NO_COLOR", "1")
    env = {"LANG": "de_DE.UTF-8", "LD_PRELOAD": "/evil.so"}
    with hosted(Box()) as host, host.open(env=env) as pilot:
        pilot.wait_for("{'LANG': 'de_DE.UTF-8'}")


def test_one_program_a_session() -> None:
    with hosted(Box(), hello) as host, host.open() as pilot:
        pilot.wait_for("count 0")
        with pytest.raises(Exception, match=r"rejected|closed"):
            pilot.channel.exec_command("box echo hi")  # paramiko then closes the channel
        assert "already" in host.log.wait_for("request.refused")["reason"]


def test_nothing_flashes_up_between_two_apps() -> None:
    with hosted(Box(), hello) as host, host.open() as pilot:
        pilot.wait_for("count 0")
        del pilot.received[:]
        pilot.press("h").wait_for("Your name?")
        leave, enter = pilot.received.find(b"\x1b[?1049l"), pilot.received.find(b"\x1b[?1049h")
        assert 0 <= leave < enter
        between = bytes(pilot.received[leave:enter])
        assert b"\x1b[?2026l" not in between, "they are two pictures, not one"


@pytest.mark.parametrize("text", ["Be kind.\nOr else.", "\nBe kind.\r\n\n", " Sei lieb… "])
def test_the_operators_banner_is_shown_before_the_login(text: str) -> None:
    settings = {"login.banner": text}
    with hosted(hello, settings=settings) as host:
        transport = host.connect()
        try:
            assert transport.get_banner() == text.encode()
        finally:
            hang_up(transport)


def test_a_guest_is_told_why_their_name_will_not_do() -> None:
    with hosted(hello) as host:
        transport = host.dial()
        try:
            with pytest.raises(paramiko.SSHException):
                transport.auth_none("support")
            assert transport.get_banner() == (
                b"You cannot be a guest by that name: it is reserved for the people who run this"
                b" host. Choose another: ssh NAME@HOST\r\n"
            )
        finally:
            hang_up(transport)


def test_lines_typed_ahead_go_to_the_app_that_asks() -> None:
    @app("menu")
    async def menu(session: Session) -> Launch | None:
        answer = await session.ask("Which? ")
        return Launch(answer) if answer != "q" else None

    with hosted(menu, hello) as host:
        done = host.run("menu", stdin=b"hello\nAda\nhello\nBob\nq\n")
        assert done.status == 0
        assert "Hello, Ada!" in done.text
        assert "Hello, Bob!" in done.text


def test_keys_typed_ahead_of_a_dialog_go_to_the_dialog() -> None:
    with hosted(bundled=["menu", "about"]) as host, host.open() as pilot:
        pilot.wait_for("About")
        pilot.type("\x14paper\r")  # one packet: open, filter, take
        chosen = lambda: host.host.theme_of(Account("ada")).name  # noqa: E731
        pilot.wait_until(lambda: chosen() == "paper", "the theme to change")


def test_a_lone_escape_acts_at_once_also_in_a_text() -> None:
    with hosted(hello) as host, host.open() as pilot:
        pilot.wait_for("Your name?")
        begun = time.monotonic()
        pilot.press("escape")
        assert pilot.wait_end() == 130
        assert time.monotonic() - begun < allowed(0.25), "it waited for a longer binding"


class Recorded(Free):
    """A share whose turns say what was done with them."""

    def __init__(self) -> None:
        self.turns: list[list[str]] = []

    def turn(self) -> Turn:
        done: list[str] = []
        self.turns.append(done)
        steps = ("begin", "end", "pause", "resume", "pass_on", "waive")
        return cast(Turn, SimpleNamespace(**{step: partial(done.append, step) for step in steps}))


def test_the_turn_is_there_before_the_thread_that_takes_it() -> None:
    """Else a client that is gone before the thread first runs would waive another one."""

    def visit(log: EventLog) -> Visit:
        raise Disconnected("the client is gone")

    later: list[Any] = []

    def call_later(seconds: float, act: Any) -> Any:
        later.append(act)
        return SimpleNamespace(cancel=lambda: None)

    host = SimpleNamespace(endings=set(), watchdog=SimpleNamespace(call_later=call_later))
    channel = SimpleNamespace(number=1, closed=True, finish=lambda end: None)
    share = Recorded()
    made = Program(cast(Host, host), cast(ByteChannel, channel), visit, SILENT, turn=share.turn())
    made.gone()
    for act in later[: len(STOP_LADDER) + 1]:
        act()
    made.run()
    assert share.turns == [["waive", "begin", "end"]]
