"""TOML as text: a key's line is found wherever it is written, and what is written can be read."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuihost.settings.toml import KeyLines, TomlError, parsed, written

FILE = """\
title = "Harbor"  # 1

[server]
port = 8022
"quoted key" = 1
motd = '''
three
lines'''
[login.deep.deeper]
steps = [
  "a",
  "b",
]
[server.more]
x.y.z = 1
inline = { a = 1, b = { c = 2 } }
[[hosts]]
name = "first"
[[hosts]]
name = "second"
[login]
guests = true
   [ roles . "guest" ]
   apps = []
"""

LINES = {
    "title": 1,
    "server": 3,
    "server/port": 4,
    "server/quoted key": 5,
    "server/motd": 6,
    "login/deep/deeper": 9,
    "login/deep/deeper/steps": 10,
    "server/more": 14,
    "server/more/x/y/z": 15,
    "server/more/inline": 16,
    "server/more/inline/b/c": 16,
    "hosts": 17,
    "hosts/name": 18,
    "login": 21,
    "login/guests": 22,
    "roles/guest": 23,
    "roles/guest/apps": 24,
    # what is not written has the line of the nearest table around it
    "server/host": 3,
    "server/port/deeper": 4,
    "login/deep/other": 9,
    "nothing": None,
    "": None,
}


@pytest.mark.parametrize("path", LINES)
def test_a_keys_line_is_found(path: str) -> None:
    assert KeyLines(FILE).of(tuple(filter(None, path.split("/")))) == LINES[path]


def test_places_in_lists_do_not_count() -> None:
    assert KeyLines(FILE).of(("login", "deep", "deeper", "steps", 1)) == 10
    assert KeyLines(FILE).of(("hosts", 0, "name")) == 18


@pytest.mark.parametrize("text", ["", "x = ", "\x00", "[" * 3000, "a = " + "[" * 3000])
def test_a_text_that_is_not_toml_has_no_lines(text: str) -> None:
    assert KeyLines(text).of(("x",)) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = harbor", "1:8: is not a value: text needs quotes"),
        ("guests = True", "1:10: is not a value: text needs quotes, and true and false small"),
        ("b.c = 1\nb = 2", "2: is there already; keep one of the two"),
        ("[server]\n[server]\n", "2:8: [server] is there already; put everything"),
        ("port = 08022", "1:9: is more than one value: put the next setting on a line of its own"),
        ("<html>", "1:1: should be `name = value`, or the name of a table in brackets"),
        ("x =\n", "1:4: is not a value"),
        (f"a = 1\nport = {'1' * 4301}", "2: is a number with too many digits"),
        ("x = [1", "1: Unclosed array (at end of document)"),
    ],
)
def test_what_is_not_toml_is_told_so_that_it_can_be_mended(text: str, said: str) -> None:
    with pytest.raises(TomlError) as wrong:
        parsed(text)
    assert str(wrong.value).startswith(said)


def test_a_long_file_is_read_once() -> None:
    text = "".join(f"[table{number}]\nkey = {number}\n" for number in range(1500))
    lines = KeyLines(text)
    assert all(lines.of((f"table{number}", "key")) == 2 * number + 2 for number in range(1500))


@pytest.mark.parametrize(
    "value",
    [True, False, 0, -5, 30.0, 1e16, 0.1, "", "é → 漢 🚢", 'a "quoted" \\ text', "line\nline\r\n"],
)
def test_what_is_written_can_be_read(value: Any) -> None:
    assert read(written(value)) == value
    assert read(written([value, value])) == [value, value]
    assert read(written({"a b": value, "c": {"d": [value]}})) == {"a b": value, "c": {"d": [value]}}


def test_every_character_can_be_written() -> None:
    codes = [*range(0xD800), *range(0xE000, 0x11000), sys.maxunicode]  # without the surrogates
    for start in range(0, len(codes), 64):
        text = "".join(f"a{chr(code)}" for code in codes[start : start + 64])
        assert read(written(text)) == text, hex(codes[start])


@given(
    st.text() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**63 - 1)
)
def test_property_what_is_written_can_be_read(value: Any) -> None:
    assert read(written(value)) == value


def test_a_path_and_a_tuple_are_written_as_text_and_list() -> None:
    assert written(Path("/srv/harbor")) == '"/srv/harbor"'
    assert written(("a", "b")) == '["a", "b"]'
    assert written(()) == "[]"
    assert written({}) == "{}"


def test_what_toml_cannot_hold_is_refused() -> None:
    for value in (None, object(), b"bytes"):
        with pytest.raises(TypeError):
            written(value)


def read(text: str) -> Any:
    return tomllib.loads(f"value = {text}\n")["value"]
