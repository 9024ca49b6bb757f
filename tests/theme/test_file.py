"""The file of a theme: every mistake in it is told, with its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.theme.test_theme import WHOLE
from tuihost.errors import AppLoadError
from tuihost.theme.roles import PALETTE
from tuihost.theme.theme import ThemeError, parse_theme


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(ThemeError) as caught:
        parse_theme(text, "plain", "plain.toml")
    assert isinstance(caught.value, AppLoadError)
    return caught.value.problems


def test_every_mistake_is_told_at_once_with_its_line_and_the_nearest_name() -> None:
    found = problems(
        'title = "Plain"\n'
        "drak = true\n"
        "[palette]\n"
        'ground = "#12345"\n'
        + "".join(f'{name} = "#123456"\n' for name in PALETTE if name not in ("ground", "info"))
        + "[roles]\n"
        'selecton = "bold ink"\n'
        'link = "underlined acent"\n'
        'title = "ink soft"\n'
        "badge = 3\n"
        "[glyphs]\n"
        'checkk = "v"\n'
        'bullet = "\\u001b"\n'
    )
    assert found == (
        "plain.toml: dark is missing",
        "plain.toml:2: 'drak' is not known; did you mean 'dark'?",
        "plain.toml:3: [palette] has no 'info': good to know",
        "plain.toml:4: [palette] ground: '#12345' is not a colour; write '#rrggbb' or 'default'",
        "plain.toml:18: [roles] does not know 'selecton'; did you mean 'selection'?",
        "plain.toml:19: [roles] link: 'underlined' is neither a colour of the palette nor a mark; "
        "did you mean 'underline'?",
        "plain.toml:20: [roles] title: 'ink soft' has more than one colour: 'soft'",
        "plain.toml:21: [roles] badge: must be text such as 'bold accent on raised'",
        "plain.toml:23: [glyphs] does not know 'checkk'; did you mean 'check'?",
        "plain.toml:24: [glyphs] bullet: holds characters that cannot be shown",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('title = "x', "plain.toml:1: is not TOML:"),
        ("title = 3\ndark = true\n", "plain.toml:1: title must be text, not 3"),
        ('palette = "x"\n' + WHOLE.split("[palette]")[0], "palette must be a table: [palette]"),
        (WHOLE.replace("dark = true", 'dark = "yes"'), "dark must be true or false, not 'yes'"),
        (WHOLE + '[roles]\nlink = "ink on"\n', "'ink on' names no colour after 'on'"),
        (WHOLE + '[glyphs]\nspark = ["ab", "ab"]\n', "spark: needs eight levels"),
        (WHOLE + '[glyphs]\nbar = ["漢", ">"]\n', "bar: is wider than its place"),
        (WHOLE + '[glyphs]\nbar = ["x", "é"]\n', "bar: holds characters that cannot be shown"),
        (WHOLE + "[glyphs]\nbar = [1, 2]\n", "bar: must be a sign, or a pair"),
        (WHOLE + '[ansi16]\naccent = "teal"\n', "[ansi16] accent: 'teal' is neither"),
    ],
)
def test_mistakes(text: str, said: str) -> None:
    assert any(said in problem for problem in problems(text)), problems(text)


@given(st.text(max_size=200))
def test_no_file_is_more_than_a_mistake(text: str) -> None:
    with pytest.raises(ThemeError):
        parse_theme(text, "plain")


def test_a_file_with_thousands_of_mistakes_is_read_in_a_moment() -> None:
    text = WHOLE + "[roles]\n" + "".join(f"unknown{n} = 1\n" for n in range(2000))
    found = problems(text)
    first = WHOLE.count("\n") + 2
    assert len(found) == 2000
    assert found[0].startswith(f"plain.toml:{first}: [roles] does not know 'unknown0'")
