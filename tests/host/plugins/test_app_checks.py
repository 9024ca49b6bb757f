"""What an app says of itself has to fit what it can do: a mistake a row."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tuihost.errors import AppLoadError
from tuihost.host.plugins.app_checks import CHECKS, load_object, load_path
from tuihost.plugin import App, app

ROOT = Path(__file__).parents[3]
CLASS = """\
from tuihost import Accepts, App, ForwardRule, ListenRule, command

class Harbor(App):
    '''Does a thing. Well.'''
    @command
    def go(self, session): ...
"""
FUNCTION = """\
from tuihost import app

@app("harbor"{0})
async def harbor(session): ...
"""

MISTAKES = {
    "a name that nobody can type": (
        CLASS + "    name = 'Bad Name'",
        "'Bad Name' cannot be an app's name: lower-case letters, digits and '-' only, a letter"
        " first, 32 at most (harbor.py:3)",
    ),
    "a name that is not a text": (CLASS + "    name = 3", "3 cannot be an app's name: "),
    "a hook with a slip in it": (
        CLASS + "    def subsytem(self, session, name): ...",
        "nothing calls the method 'subsytem'; did you mean 'subsystem'? (harbor.py:7)",
    ),
    "accepts": (
        CLASS + "    accepts = ()",
        "`accepts` is a tuple, not an Accepts (harbor.py:3)",
    ),
    "roles in a text": (
        CLASS + "    accepts = Accepts(roles='admin')",
        "Accepts: `roles` should be a tuple of roles, not 'admin' (harbor.py:7)",
    ),
    **{
        f"{name} of another kind": (
            CLASS + f"    {name} = {value}",
            f"`{name}` should be {told}, not {value} (harbor.py:3)",
        )
        for name, value, told in [
            ("title", "3", "a text"),
            ("description", "['x']", "a text"),
            ("group", "None", "a text"),
            ("icon", "3", "a text"),
            ("default_command", "3", "a text"),
            ("order", "'first'", "a number"),
            ("hidden", "'no'", "True or False"),
            ("known_options", "'longest'", "a tuple of names, or a table of names and types"),
        ]
    },
    **{
        f"an async {hook}": (
            CLASS + f"    async def {hook}(self, *given): ...",
            f"`{hook}` cannot be an `async def`: only `talk` and commands can (harbor.py:7)",
        )
        for hook in ("start", "stop", "subsystem", "files", "x11", "forward", "listen")
    },
    **{
        f"{hook} with other parameters": (
            CLASS + f"    {start} {hook}({given}): ...",
            f"`{hook}` should take ({parameters}) (harbor.py:7)",
        )
        for hook, start, given, parameters in [
            ("start", "def", "self, session", "self"),
            ("stop", "def", "", "self"),
            ("build", "def", "self", "self, session"),
            ("talk", "async def", "self", "self, session"),
            ("subsystem", "def", "self, session", "self, session, name"),
            ("files", "def", "self", "self, session"),
            ("x11", "def", "self, session", "self, session, display"),
            ("forward", "def", "self, session, target", "self, forward"),
            ("listen", "def", "self", "self, listening"),
        ]
    },
    "loop": (
        CLASS + "    loop = 'fast'",
        "`loop` should be 'light' or 'selector', not 'fast' (harbor.py:3)",
    ),
    "loop of a function": (
        FUNCTION.replace("{0}", ", loop='fast'"),
        "`loop` should be 'light' or 'selector', not 'fast' (harbor.py:3)",
    ),
    "talk": (
        CLASS + "    def talk(self, session): ...",
        "`talk` has to be an `async def` (harbor.py:7)",
    ),
    "build": (
        CLASS + "    async def build(self, session): ...",
        "`build` returns an Application: it cannot be an `async def` (harbor.py:7)",
    ),
    "subsystems": (
        CLASS + "    accepts = Accepts(subsystems=('x',))",
        "accepts subsystems, but has no method `subsystem` (harbor.py:3)",
    ),
    "forwards": (
        CLASS + "    accepts = Accepts(forwards=(ForwardRule('web', 80),))",
        "accepts forwards, but has no method `forward` (harbor.py:3)",
    ),
    "listens": (
        CLASS + "    accepts = Accepts(listens=(ListenRule('web', 80),))",
        "accepts listens, but has no method `listen` (harbor.py:3)",
    ),
    "nothing": (
        "from tuihost import App\nclass Harbor(App): ...",
        "has nothing to open: no `build`, no `talk`, no command (harbor.py:2)",
    ),
    "a parameter that cannot be typed": (
        CLASS + "    @command\n    def put(self, session, what: dict): ...",
        "command 'put': parameter 'what' has a type that no command line can give: dict"
        " (harbor.py:7)",
    ),
    "a command of two words": (
        CLASS + "    @command(name='a b')\n    def put(self, session): ...",
        "'a b' cannot be a command's name: it is not one word (harbor.py:7)",
    ),
    "a command with the end of a line": (
        CLASS + "    @command(name='a\\n')\n    def put(self, session): ...",
        "'a\\n' cannot be a command's name: it is not one word (harbor.py:7)",
    ),
    "a command without a name": (
        CLASS + "    @command(name='')\n    def put(self, session): ...",
        "'' cannot be a command's name: it is not one word (harbor.py:7)",
    ),
    "a command whose name is a number": (
        CLASS + "    @command(name=5)\n    def put(self, session): ...",
        "5 cannot be a command's name: it is not one word (harbor.py:7)",
    ),
    "an argument that the decorator does not know": (
        FUNCTION.replace("{0}", ", colour='red'"),
        "TypeError: app() got an unexpected keyword argument 'colour' (harbor.py:3)",
    ),
    "a decorator without a name": (
        FUNCTION.replace('("harbor"{0})', ""),
        '`@app` needs a name: write `@app("hello")` (harbor.py:3)',
    ),
    "a function without a session": (
        FUNCTION.replace("{0}", "").replace("session", ""),
        "@app('harbor') needs a function with one parameter, the session (harbor.py:3)",
    ),
    "a function that is not async": (
        FUNCTION.replace("{0}", "").replace("async ", ""),
        "@app('harbor') needs an `async def` (harbor.py:3)",
    ),
}


@pytest.fixture(autouse=True)
def _nothing_stays_imported() -> Iterator[None]:
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("_tuihost_"):
            del sys.modules[name]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence_with_its_line(tmp_path: Path, mistake: str) -> None:
    text, sentence = MISTAKES[mistake]
    path = tmp_path / "harbor.py"
    path.write_text(text)
    with pytest.raises(AppLoadError) as caught:
        load_path(path)
    told = str(caught.value)
    assert told.startswith(sentence) if sentence.endswith(" ") else sentence in told


def test_every_check_has_its_mistake() -> None:
    starts = [check.sentence.partition("{")[0] for check in CHECKS]
    for start in starts:
        assert any(sentence.startswith(start) for _, sentence in MISTAKES.values()), start


def test_what_an_app_leaves_empty_is_filled_in(tmp_path: Path) -> None:
    path = tmp_path / "old_harbor.py"
    path.write_text(CLASS)
    harbor = load_path(path)
    assert (harbor.name, harbor.title) == ("old-harbor", "Old harbor")
    assert harbor.description == "Does a thing. Well"


def test_an_app_that_is_there_already_is_taken_as_it_is() -> None:
    @app("hello")
    async def hello(session: object) -> None:
        """Says hello."""

    loaded = load_object(hello, "another-name")
    assert (loaded.name, loaded.description) == ("hello", "Says hello")


@pytest.mark.parametrize("folder", sorted((ROOT / "apps").iterdir()), ids=lambda path: path.name)
def test_every_bundled_app_can_be_loaded(folder: Path) -> None:
    if (folder / "__init__.py").is_file():
        assert isinstance(load_path(folder), App)
