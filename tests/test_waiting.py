"""How tests wait: for something, with a deadline, and never for some time to pass."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests import waiting
from tests.waiting import allowed, until

TESTS = Path(__file__).parent

REASONS: Mapping[str, str] = {
    "conftest.py": "a thread that is about to begin cannot be waited for",
    "attacks/test_attack_gate.py": "a client dribbles, and a second of the host's life is measured",
    "attacks/hostile_guest.py": "a hostile guest attacks for as long as it is told to",
    "attacks/test_attack_hostile_guest.py": "a hostile guest goes on meanwhile",
    "host/programs/test_program_endings.py": "an app sleeps longer than anybody waits for it",
    "session/test_session_offload.py": "an app counts how often its loop comes round",
    "tui/running/test_loop.py": "the loop's own timers are tested",
}
"""The files in which some time has to pass, and why."""


def sleeps(tree: ast.AST) -> Iterator[int]:
    """The lines that let some time pass: `sleep(0.1)`, `Event().wait(0.1)`."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func, [ast.Constant(int() | float() as seconds), *_]) if seconds > 0:
                called = ast.unparse(func)
                if called.rpartition(".")[2] == "sleep" or called.endswith("Event().wait"):
                    yield node.lineno


def test_no_test_sleeps_without_a_reason() -> None:
    texts = {str(path.relative_to(TESTS)): path.read_text() for path in TESTS.rglob("*.py")}
    maybe = {file: text for file, text in texts.items() if "sleep(" in text or "().wait(" in text}
    found = {file for file, text in maybe.items() if any(sleeps(ast.parse(text)))}
    assert found == REASONS.keys()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("time.sleep(0.1)", True),
        ("await asyncio.sleep(1)", True),
        ("threading.Event().wait(0.5)", True),
        ("await asyncio.sleep(0)", False),
        ("done.wait(DEADLINE)", False),
    ],
)
def test_a_sleep_is_seen(line: str, found: bool) -> None:
    assert any(sleeps(ast.parse(f"async def test(): {line}"))) is found


def test_a_wait_ends_with_what_it_waited_for() -> None:
    left = iter([0, None, 7])
    assert until(lambda: next(left), "a number") == 7
    with pytest.raises(AssertionError, match=r"waited 0\.05 s for a sign\nnothing came"):
        until(lambda: False, "a sign", seconds=0.05, shown=lambda: "nothing came")


@pytest.mark.parametrize(
    ("load", "slowness", "expected"),
    [
        ("0.00 0.00 0.00 1/200 99", 1.0, 2.0),
        ("0.00 9.00 9.00 3/200 99", 1.0, 6.0),  # two others just now
        ("4.00 0.00 0.00 1/200 99", 1.0, 12.0),  # four in the last minute
        ("0.00 0.00 0.00 1/200 99", 3.0, 6.0),
    ],
)
def test_a_busy_or_a_slow_machine_is_allowed_more(
    monkeypatch: pytest.MonkeyPatch, load: str, slowness: float, expected: float
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr(waiting, "_slowness", lambda: slowness)
    monkeypatch.setattr(Path, "read_text", lambda self: load)
    assert allowed(2.0) == expected
