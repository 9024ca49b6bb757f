"""Commands: what a method's parameters come to on a command line, and what people are told."""

from __future__ import annotations

import asyncio
import enum
import inspect
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuihost.commands import table
from tuihost.commands.parameters import Short
from tuihost.commands.running import resolve, run_command
from tuihost.commands.table import check_commands, command_infos
from tuihost.errors import AppLoadError, Disconnected
from tuihost.host.plugins.app_checks import load_path
from tuihost.plugin import App, app, command, first_line
from tuihost.session.host_view import Account
from tuihost.session.session import Session, Surroundings
from tuihost.terminal_facts import TerminalFacts
from tuihost.wire import Stream, WindowSize

if TYPE_CHECKING:
    from nowhere import Unknown  # type: ignore[import-not-found]


class Colour(enum.Enum):
    RED = 1
    DARK_BLUE = 2


class Size(enum.Enum):
    S = "small"
    L = "large"


class Guestbook(App):
    """Sign the book, read the book.

    More about the book.
    """

    name = "guestbook"

    def __init__(self) -> None:
        self.seen: list[Any] = []

    @command
    def sign(self, session: Unknown, text: str, *, loud: bool = False, times: int = 1) -> int:
        """Sign the book.

        What you write stays.
        """
        self.seen.append((text, loud, times))
        session.print(text.upper() if loud else text)
        return 0

    @command
    def read_all(self, session: Session, first: int = 1, last: int | None = None) -> None:
        self.seen.append((first, last))

    @command
    def several(
        self,
        session: Session,
        *names: str,
        tag: tuple[str, ...] = ("a",),
        number: list[int] | None = None,
    ) -> int:
        self.seen.append((names, tag, number))
        return len(names)

    @command(name="pick")
    def choose(
        self,
        session: Session,
        colour: Colour,
        *,
        size: Size = Size.S,
        level: Literal[1, 2] = 2,
        where: Path = Path("here"),
        share: Annotated[float, "How much of it."] = 0.5,
        color: bool = True,
        needed: str,
    ) -> None:
        self.seen.append((colour, size, level, where, share, color, needed))

    @command
    async def later(self, session: Session, files: list[Path]) -> int:
        await asyncio.sleep(0)
        self.seen.append(files)
        return 3

    @command
    def leave(self, session: Session) -> None:
        raise Disconnected

    @command
    def wrong(self, session: Session) -> str:
        return "text"


class Stage:
    """Keeps what was printed."""

    def __init__(self, columns: int) -> None:
        self.facts = TerminalFacts(size=WindowSize(columns, 24))
        self.out = ""
        self.err = ""

    def print(self, items: Sequence[Any], stream: Stream) -> None:
        text = " ".join(str(item) for item in items) + "\n"
        if stream is Stream.OUT:
            self.out += text
        else:
            self.err += text


def run(app: App, *words: str, columns: int = 80) -> tuple[int, str, str]:
    stage = Stage(columns)
    around = Surroundings(Account("ada"), cast(Any, None), cast(Any, None))
    session = Session(around, app.name, cast(Any, stage), data=Path())
    status = run_command(resolve(app, words), session, run_async=asyncio.run)
    return status, stage.out, stage.err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("sign", "hi"), ("hi", False, 1)),
        (("sign", "hi", "--loud", "--times", "3"), ("hi", True, 3)),
        (("sign", "--times=3", "--", "--loud"), ("--loud", False, 3)),
        (("sign", ""), ("", False, 1)),
        (("read-all",), (1, None)),
        (("read-all", "2", "5"), (2, 5)),
        (("several",), ((), ("a",), [])),
        (("several", "--tag", "x", "--tag", "y"), ((), ("x", "y"), [])),
        (("several", "--number", "1", "--number", "2"), ((), ("a",), [1, 2])),
        (
            ("pick", "dark_blue", "--needed", "n"),
            (Colour.DARK_BLUE, Size.S, 2, Path("here"), 0.5, True, "n"),
        ),
        (
            (
                *("pick", "RED", "--size", "large", "--level", "1", "--where", "/x"),
                *("--share", ".25", "--no-color", "--needed", "n"),
            ),
            (Colour.RED, Size.L, 1, Path("/x"), 0.25, False, "n"),
        ),
    ],
)
def test_words_become_the_parameters_of_the_method(words: tuple[str, ...], expected: Any) -> None:
    app = Guestbook()
    status, _, err = run(app, *words)
    assert (status, err, app.seen) == (0, "", [expected])


def test_the_int_that_a_method_returns_is_the_exit_status() -> None:
    assert run(Guestbook(), "several", "a", "b")[0] == 2


@pytest.mark.parametrize(
    ("returned", "status"), [(-1, 255), (256, 1), (1 << 40, 1), (257, 1), (True, 1), (False, 0)]
)
def test_an_exit_status_is_what_a_shell_makes_of_it(returned: int, status: int) -> None:
    class Odd(App):
        @command
        def go(self, session: Session) -> int:
            return returned

        @command
        def leave(self, session: Session) -> None:
            raise click.exceptions.Exit(returned)

    app = Odd()
    app.name = "odd"
    assert run(app, "go")[0] == status
    assert run(app, "leave")[0] == status


def test_what_methods_come_to_is_worked_out_when_the_app_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app, other = Guestbook(), Guestbook()
    check_commands(app)
    names = tuple(info.name for info in command_infos(app))

    def refused(*args: object) -> None:
        raise AssertionError("it was worked out before")

    monkeypatch.setattr(table, "parameters_of", refused)
    monkeypatch.setattr(inspect, "getmembers", refused)
    assert run(app, "sign", "hi")[0] == 0
    assert run(app)[0] == 0
    assert tuple(info.name for info in command_infos(app)) == names == tuple(sorted(names))
    assert set(app.command_methods()) == set(names)
    with pytest.raises(AssertionError, match="before"):
        other.command_methods()


def test_two_objects_of_one_class_have_commands_of_their_own() -> None:
    first, second = Guestbook(), Guestbook()
    assert run(first, "sign", "one")[0] == run(second, "sign", "two")[0] == 0
    assert (first.seen, second.seen) == ([("one", False, 1)], [("two", False, 1)])


def test_coroutines_are_run_by_the_caller() -> None:
    app = Guestbook()
    assert run(app, "later", "a", "b")[0] == 3
    assert app.seen == [[Path("a"), Path("b")]]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sing", "hi"), "No such command 'sing'. Did you mean 'sign'?"),
        (("zzz",), "No such command 'zzz'."),
        (("sign",), "Missing argument 'TEXT'"),
        (("sign", "a", "b"), "unexpected extra argument"),
        (("sign", "a", "--lout"), "No such option '--lout'"),
        (("sign", "a", "--times", "x"), "'x' is not a valid integer"),
        (("pick", "green", "--needed", "n"), "'green' is not one of 'red', 'dark_blue'"),
        (("pick", "red"), "Missing option '--needed'"),
        (("later",), "Missing argument 'FILES...'"),
        (("--what",), "No such option '--what'"),
    ],
)
def test_mistakes_go_to_the_error_stream_with_status_2(words: tuple[str, ...], said: str) -> None:
    app = Guestbook()
    status, out, err = run(app, *words)
    assert (status, out, app.seen) == (2, "", [])
    assert said.lower().replace("'", "") in err.lower().replace("'", "")
    assert err.startswith("Usage: guestbook")


def test_a_mistake_of_many_words_is_cut() -> None:
    status, _, err = run(Guestbook(), "sign", *map(str, range(10_000)))
    assert (status, "1 2 3" in err, len(err) < 1200) == (2, True, True)


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",), ("help",)])
def test_no_words_and_help_show_what_the_app_can_do(words: tuple[str, ...]) -> None:
    status, out, err = run(Guestbook(), *words)
    assert (status, err) == (0, "")
    assert "Usage: guestbook COMMAND [ARGS]..." in out.replace("[OPTIONS] ", "")
    assert "Sign the book, read the book." in out
    assert "sign" in out
    assert "read-all" in out


class Helper(App):
    """Has a command `help`, and one with an option -h."""

    name = "helper"

    @command
    def help(self, session: Session) -> None:
        """Say what to do."""
        session.print("do it")

    @command
    def wait(self, session: Session, *, hours: Annotated[int, Short("h"), "How long."] = 1) -> None:
        """Wait."""


def test_a_command_or_an_option_of_the_app_comes_before_its_help() -> None:
    assert run(Helper(), "help") == (0, "do it\n", "")
    assert run(Helper(), "wait", "-h")[0] == 2
    assert run(Guestbook(), "help", "nosuch")[0] == 2


class Shelf(Guestbook):
    """A book that is read if nothing else is said."""

    default_command = "read-all"

    @command
    def read_all(self, session: Session) -> None:
        """Read the book."""
        session.print("read")


def test_an_app_can_name_the_command_that_runs_without_words() -> None:
    assert resolve(Shelf(), ()).command == "read-all"
    assert run(Shelf()) == (0, "read\n", "")
    assert "`guestbook` alone runs `guestbook read-all`." in run(Shelf(), "--help")[1]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("read-al", "there is no command 'read-al'; did you mean 'read-all'?"),
        ("zzz", "there is no command 'zzz'"),
        ("sign", "'sign' cannot run without arguments"),
    ],
)
def test_a_default_command_has_to_be_there_and_to_need_nothing(name: str, said: str) -> None:
    class Torn(Guestbook):
        default_command = name

    with pytest.raises(AppLoadError) as caught:
        check_commands(Torn())
    assert str(caught.value) == f"default_command: {said}"


@pytest.mark.parametrize("words", [("sign", "--help"), ("sign", "-h"), ("help", "sign")])
def test_a_command_has_a_help_of_its_own(words: tuple[str, ...]) -> None:
    status, out, err = run(Guestbook(), *words)
    assert (status, err) == (0, "")
    assert "Usage: guestbook sign [OPTIONS] TEXT" in out
    assert "What you write stays." in out
    assert "--loud" in out
    assert "How much of it." in run(Guestbook(), "pick", "--help")[1]


def test_the_option_that_means_the_same_everywhere_is_explained() -> None:
    class Facts(App):
        name = "facts"

        @command
        def show(self, session: Session, *, json: bool = False) -> None:
            """Show them."""

    assert "--json  Write JSON, for programs." in run(Facts(), "show", "--help")[1]


@pytest.mark.parametrize("name", ["about", "account", "files", "notes", "shell", "tunnels"])
def test_every_option_of_a_bundled_app_is_explained(name: str) -> None:
    infos = command_infos(load_path(Path(__file__).parents[2] / "apps" / name))
    options = [(info.name, option) for info in infos for option in info.options]
    assert options
    assert [command for command, option in options if not option.help] == []


def test_help_fits_the_window() -> None:
    narrow = run(Guestbook(), "pick", "--help", columns=50)[1]
    assert max(len(line) for line in narrow.splitlines()) <= 50
    wide = run(Guestbook(), "pick", "--help", columns=400)[1]
    assert max(len(line) for line in wide.splitlines()) <= 100


def test_an_app_without_commands_has_help_too() -> None:
    async def talk(session: Session) -> None:
        """Says hello."""

    status, out, _ = run(app("hello")(talk))
    assert status == 0
    assert "Says hello" in out


def test_nothing_reaches_the_standard_streams(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ((), ("sign", "--help"), ("sign",), ("nothing",), ("sign", "x")):
        run(Guestbook(), *words)
    assert capsys.readouterr() == ("", "")


def test_the_environment_of_the_host_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_GUESTBOOK_COMPLETE", "bash_source")
    monkeypatch.setenv("GUESTBOOK_SIGN_TIMES", "9")
    app = Guestbook()
    run(app, "sign", "hi")
    assert app.seen == [("hi", False, 1)]


def test_what_a_method_raises_comes_out_again() -> None:
    with pytest.raises(Disconnected):
        run(Guestbook(), "leave")
    with pytest.raises(TypeError, match="'wrong' returned str, not an int"):
        run(Guestbook(), "wrong")


def _with(method: Any) -> App:
    return cast(App, SimpleNamespace(command_methods=lambda: {"go": method}))


def test_parameters_that_no_command_line_can_give_are_found_when_the_app_is_loaded() -> None:
    def mapping(session: Session, what: dict[str, str]) -> None: ...
    def union(session: Session, what: int | str) -> None: ...
    def nested(session: Session, what: list[list[str]]) -> None: ...
    def keywords(session: Session, **what: str) -> None: ...
    def unknown(session: Session, what: Nothing) -> None: ...  # type: ignore[name-defined]  # noqa: F821
    def greedy(session: Session, first: list[str], *rest: str) -> None: ...
    def alone() -> None: ...
    def helpful(session: Session, *, help: str) -> None: ...

    for method, said in [
        (mapping, "'what' has a type that no command line can give"),
        (union, "no command line can give"),
        (nested, "no command line can give"),
        (keywords, "cannot take a parameter 'what'"),
        (unknown, "a type hint cannot be read"),
        (greedy, "two parameters would take all that is left"),
        (alone, "the first parameter has to be the session"),
        (helpful, "cannot take a parameter 'help'"),
    ]:
        with pytest.raises(AppLoadError, match=r"^command 'go': ") as caught:
            check_commands(_with(method))
        assert said in str(caught.value)
    check_commands(Guestbook())


class Odd(App):
    """An app with commands that look like options."""

    name = "odd"

    def __init__(self) -> None:
        self.ran: list[str] = []

    @command(name="-c")
    def line(self, session: Session, *words: str) -> None:
        self.ran.append("-c")

    @command
    def add(self, session: Session, text: str = "", *, loud: bool = False) -> None:
        self.ran.append("add")

    @command(name="list")
    def all(self, session: Session, *, json: Annotated[bool, Short("j")] = False) -> None:
        self.ran.append("list")


WORDS = ["--", "-", "", "-c", "-x; odd list", "add", "list", "--help", "--loud", "-j", "-jc", "x"]


@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=4), max_size=6))
def test_property_no_arrangement_of_words_runs_another_command_than_the_resolved_one(
    words: list[str],
) -> None:
    app = Odd()
    line = resolve(app, words)
    run(app, *words)
    assert app.ran in ([], [line.command])


def test_words_that_name_no_command_run_nothing() -> None:
    for words in (["-x", "list"], ["--loud", "add"], ["--"], ["-j", "--", "add"], [""]):
        app = Odd()
        assert resolve(app, words).command is None
        assert run(app, *words)[0] == 2
        assert app.ran == []


@pytest.mark.parametrize(
    ("doc", "line"),
    [
        ("One line.", "One line"),
        ("One line. And more.", "One line. And more"),
        ("One line\n    that goes on. And more.", "One line that goes on"),
        ("One line, e.g. this,\n    that goes on.", "One line, e.g. this, that goes on"),
        ("One line.\n\n    And more.", "One line"),
        ("\n    One line.\n", "One line"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_line_of_help_never_ends_in_the_middle(doc: str | None, line: str) -> None:
    assert first_line(doc) == line


class Counting(App):
    """Has options -n."""

    name = "counting"

    @command
    def rows(self, session: Session, what: str = "", *, n: Annotated[int, Short("n")] = 10) -> None:
        """Say how many."""
        session.print(f"{n} {what}".strip())

    @command
    def flag(self, session: Session, *, n: Annotated[bool, Short("n")] = False) -> None:
        """Say whether."""
        session.print(n)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rows", "-3"], "3\n"),
        (["rows", "-12", "of", "-n", "4"], "4 of\n"),
        (["rows", "-n", "-3"], "-3\n"),
        (["rows", "--", "-3"], "10 -3\n"),
        (["flag", "-n"], "True\n"),
    ],
)
def test_a_number_in_front_is_how_many(words: list[str], said: str) -> None:
    assert run(Counting(), *words)[:2] == (0, said)


@pytest.mark.parametrize("words", [["rows", "of", "-3"], ["rows", "-3x"], ["flag", "-3"]])
def test_a_number_elsewhere_is_no_option(words: list[str]) -> None:
    assert run(Counting(), *words)[0] == 2
