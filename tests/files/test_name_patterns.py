"""Patterns of file names, as a shell reads them."""

from __future__ import annotations

import os
import shutil
import subprocess
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuihost import name_pattern

NAMES = ("a", "b", "z", "A", "!", "^", "]", "[", "-", "a]", "*", "x]", "é", "7", "a\n", "\ue000")


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("[ab]", "ab"),
        ("[!ab]", "zA!^][-*é7\ue000"),
        ("[^ab]", "zA!^][-*é7\ue000"),
        ("[a^]", "a^"),
        ("[]a]", "a]"),
        ("[!]a]", "bzA!^[-*é7\ue000"),
        ("[a-c]", "ab"),
        ("[a-]", "a-"),
        ("[-a]", "a-"),
        ("[c-a]", ""),
        ("[!c-a]", "abzA!^][-*é7\ue000"),
        ("[[:alpha:]]", "abzA"),
        ("[^[:alpha:]-]", "!^][*é7\ue000"),
        ("[[:nothing:]", "["),
        ("[[a]", "a["),
        ("[a", ""),
        ("[]", ""),
        ("?", "abzA!^][-*é7\ue000"),
        ("[[]", "["),
        ("[*]", "*"),
        ("\ue000", "\ue000"),
    ],
)
def test_what_a_pattern_stands_for(pattern: str, matches: str) -> None:
    found = [name for name in NAMES if name_pattern(pattern).match(name)]
    assert "".join(name for name in found if len(name) == 1) == "".join(
        name for name in NAMES if name in matches and len(name) == 1
    )


def test_what_is_quoted_stands_for_itself() -> None:
    def found(pattern: str, *quoted: int) -> list[str]:
        return [name for name in NAMES if name_pattern(pattern, quoted).match(name)]

    assert found("*", 0) == ["*"]
    assert found("[!a]", 1) == ["a", "!"]
    assert found("[a-z]", 2) == ["a", "z", "-"]
    assert found("[a]]", 2) == ["a", "]"]
    assert found("a]", 1) == ["a]"]
    assert found("[x]", 0) == []
    assert name_pattern("[x]", (0,)).match("[x]")


def test_letters_of_both_cases_can_be_the_same() -> None:
    assert name_pattern("*.TXT", ignore_case=True).match("a.txt")
    assert name_pattern("[[:upper:]]", ignore_case=True).match("a")
    assert not name_pattern("*.TXT").match("a.txt")


def test_a_pattern_holds_nobody_up() -> None:
    begun = time.thread_time()
    assert not name_pattern("*[a]" * 100 + "*b").match("a" * 250)
    assert time.thread_time() - begun < 1


BRACKETS = st.builds(
    "[{}{}{}]".format,
    st.sampled_from(("", "!", "^")),
    st.sampled_from(("", "]")),
    st.text("ab-![^", min_size=1, max_size=4),
)
PATTERN = st.lists(BRACKETS | st.sampled_from("ab-]!^*?"), min_size=1, max_size=4).map("".join)


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash to compare with")
@given(
    st.lists(PATTERN, min_size=30, max_size=30),
    st.lists(st.text("ab-]![^", min_size=1, max_size=4), min_size=30, max_size=30),
)
@settings(max_examples=10, deadline=None)
def test_it_is_what_bash_makes_of_it(patterns: list[str], names: list[str]) -> None:
    script = "while IFS= read -r p && IFS= read -r n; do [[ $n == $p ]]; echo $?; done"
    lines = "".join(f"{pattern}\n{name}\n" for pattern, name in zip(patterns, names, strict=True))
    said = subprocess.run(
        ("bash", "-c", script),
        input=lines,
        capture_output=True,
        text=True,
        check=True,
        env={"LC_ALL": "C", "PATH": os.environ["PATH"]},
    )
    for pattern, name, status in zip(patterns, names, said.stdout.split(), strict=True):
        assert bool(name_pattern(pattern).match(name)) == (status == "0"), (pattern, name)
