"""Where steps are found, and what becomes of one that cannot be loaded."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from tests.log import SILENT
from tuihost.host.plugins import _loading
from tuihost.host.plugins.step_catalog import StepCatalog
from tuihost.login import Attempt, Conversation, Step
from tuihost.login.steps.totp import Totp
from tuihost.testing.steps import drive

STEP = """
from tuihost.login import Attempt, Conversation, Prompt, Query, Step

class Riddle(Step):
    def ask(self, attempt: Attempt) -> Conversation:
        (answer,) = yield Query("Riddle", (Prompt("What has keys? ", echo=True),))
        return answer == "a piano"
"""

Make = Callable[..., StepCatalog]


@pytest.fixture
def made(tmp_path: Path) -> Make:
    """A catalog of the files that are given by name, in a folder of steps."""

    def make(files: dict[str, str], **options: Any) -> StepCatalog:
        for name, text in files.items():
            path = tmp_path / "steps" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        log = SILENT
        return StepCatalog.load(log=log, folders=[tmp_path / "steps"], **options)

    return make


def test_the_bundled_steps_are_there() -> None:
    catalog = StepCatalog.load(log=SILENT)
    assert isinstance(catalog.steps["totp"], Totp)
    assert catalog.broken == ()


@pytest.mark.parametrize("name", ["riddle.py", "riddle/__init__.py"])
def test_a_step_in_a_folder(made: Make, name: str) -> None:
    before = set(sys.modules)
    catalog = made({name: STEP})
    assert catalog.broken == ()
    assert drive(catalog.steps["riddle"], ["a piano"])
    assert not drive(catalog.steps["riddle"], ["a mouse"])
    new = set(sys.modules) - before
    assert not {name for name in new if "riddle" in name and not name.startswith("_")}


def test_a_step_may_name_itself(made: Make) -> None:
    catalog = made({"one.py": STEP + "\nstep = Riddle()\nstep.name = 'sphinx'\n"})
    assert drive(catalog.steps["sphinx"], ["a piano"])


def test_the_operators_step_comes_before_the_bundled_one(made: Make) -> None:
    catalog = made({"totp.py": STEP})
    assert drive(catalog.steps["totp"], ["a piano"])
    assert catalog.broken == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero (totp.py:1)"),
        ("def", "SyntaxError: invalid syntax (totp.py:1)"),
        (
            STEP + "\nstep = Riddle()\nstep.name = 'publickey'\n",
            "'publickey' cannot be a step's name",
        ),
        (STEP + "\nstep = Riddle()\nstep.name = '../x'\n", "'../x' cannot be a step's name"),
        (STEP + "\nstep = Riddle()\nstep.name = 3\n", "3 cannot be a step's name"),
        (STEP.replace("ask", "asks"), "TypeError: Can't instantiate abstract class Riddle"),
    ],
)
def test_a_broken_step_is_listed_and_nothing_takes_its_place(
    made: Make, text: str, reason: str
) -> None:
    """A bundled step of that name would be another proof than the operator asked for."""
    catalog = made({"totp.py": text})
    (broken,) = catalog.broken
    assert reason in broken.reason
    assert "totp" not in catalog.steps
    assert "recovery" in catalog.steps


def test_the_first_of_two_stands_and_both_are_told(made: Make, tmp_path: Path) -> None:
    (tmp_path / "riddle_there.py").write_text(STEP)
    sys.path.insert(0, str(tmp_path))
    try:
        catalog = made(
            {"riddle.py": STEP + "\nstep = Riddle()\nstep.name = 'riddle-there'\n"},
            modules=["riddle_there:Riddle", "riddle_there", "riddle_there:Nothing", "no_such"],
        )
    finally:
        sys.path.remove(str(tmp_path))
        sys.modules.pop("riddle_there", None)
    assert drive(catalog.steps["riddle-there"], ["a piano"])
    assert [step.reason for step in catalog.broken] == [
        "another step is called 'riddle-there', and was found first",
        "module riddle_there has no 'Nothing'",
        "ModuleNotFoundError: No module named 'no_such'",
        "another step is called 'riddle-there', and was found first",
    ]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    log = SILENT
    catalog = StepCatalog.load(log=log, folders=[tmp_path / "gone"])
    assert "cannot be read" in catalog.broken[0].reason
    assert "totp" in catalog.steps


class Nod(Step):
    """Asks nothing, and says yes."""

    def ask(self, attempt: Attempt) -> Conversation:
        return True
        yield


def test_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint("nod", f"{__name__}:Nod", "tuihost.steps"),
        EntryPoint("bad", f"{__name__}:bad", "tuihost.steps"),
    ]
    monkeypatch.setattr(_loading, "entry_points", lambda group: points)
    catalog = StepCatalog.load(log=SILENT)
    assert drive(catalog.steps["nod"])
    (broken,) = catalog.broken
    assert (broken.name, broken.source) == ("bad", f"entry point {__name__}:bad")
