"""What type checkers tell authors: `typing_api.py` is right, and what is wrong is found."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

AUTHOR = """
from tuihost import App, Session, app, command

@app("hello", title="Hello", order=3)
async def hello(session: Session) -> None:
    await session.say(await session.ask("Name? "))
"""
MISTAKES = {
    "from tuihost import nosuch": 'has no attribute "nosuch"',
    "import tuihost; tuihost.nosuch": 'has no attribute "nosuch"',
    '@app("x", colour="red")\nasync def x(session: Session) -> None: ...': (
        'Unexpected keyword argument "colour"'
    ),
    '@app("y", order="first")\nasync def y(session: Session) -> None: ...': (
        'has incompatible type "str"; expected "int"'
    ),
    '@app("z")\ndef z(session: Session) -> None: ...': "incompatible type",
    'def ask(session: Session) -> str: return session.ask("Name? ")': (
        "Incompatible return value type"
    ),
    'async def say(session: Session) -> None: session.say("Hello")': "Value of type",
}


def test_mypy_finds_what_authors_get_wrong(tmp_path: Path) -> None:
    lines = AUTHOR.count("\n") + 1
    source, expected = AUTHOR, {}
    for wrong, said in MISTAKES.items():
        expected[source.count("\n") + 1] = said
        source += wrong + "\n"
    (tmp_path / "author.py").write_text(source)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "author.py"],
        capture_output=True,
        text=True,
        timeout=170,
        cwd=tmp_path,
    )
    found = dict(re.findall(r"author\.py:(\d+): error: (.*)", done.stdout))
    for line, said in expected.items():
        told = " ".join(found.get(str(number), "") for number in range(line, line + 2))
        assert said in told, f"{source.splitlines()[line - 1]}: {done.stdout}"
    assert min(map(int, found)) >= lines, "what is right is right to mypy"
