"""Where paths lead that people type, alike for every client."""

from __future__ import annotations

import fnmatch
from pathlib import Path

import pytest

from tuihost import DiskTree, Folders, Quota
from tuihost.files import client_paths
from tuihost.files.client_paths import Matching, names_in
from tuihost.files.tree import FileError, Names


@pytest.fixture
def tree(tmp_path: Path) -> Folders:
    for name in ("a.txt", "b.txt", ".c.txt", "sub/d.txt", "sub/[x]", "sup/e.txt"):
        path = tmp_path / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return Folders({"mine": DiskTree(Quota(tmp_path / "mine", size=10, entries=10))}, "mine")


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("~", ("mine",)),
        ("~/", ("mine",)),
        ("~//a", ("mine", "a")),
        ("~/../x", ("x",)),
        ("./~", ("mine",)),
        ("a/~/b", ("mine", "b")),
        ("~a", ("mine", "~a")),
        ("/~/a", ("mine", "a")),
    ],
)
def test_a_tilde_in_front_is_home(tree: Folders, path: str, names: Names) -> None:
    assert names_in(tree, path) == names


def test_a_tilde_that_is_not_there_is_home_too(tree: Folders) -> None:
    assert names_in(tree, "/mine/sub/~/a.txt") == ("mine", "a.txt")
    assert names_in(tree, "/mine/sub/~", new=True) == ("mine", "sub", "~")
    tree.make_folder(("mine", "~"))
    assert names_in(tree, "/mine/~/a.txt") == ("mine", "~", "a.txt")


def test_a_file_is_not_made_of_a_path_that_ends_in_a_slash(tree: Folders) -> None:
    assert names_in(tree, "~/new", new_file=True) == ("mine", "new")
    assert names_in(tree, "sub/~", new_file=True) == ("mine", "sub", "~")
    for path, reason in (("~/new/", "there is no such folder"), ("sub/", "that is a folder")):
        with pytest.raises(FileError, match=reason):
            names_in(tree, path, new_file=True)
        names_in(tree, path, new=True)


def test_a_path_may_begin_beside_home(tree: Folders) -> None:
    """As commands of the app Files had it, before it was the same everywhere."""
    both = Folders({"files": tree, "notes": Folders({})}, "files")
    assert names_in(both, "/mine/a.txt") == ("files", "mine", "a.txt")
    assert names_in(both, "/mine/new", new=True) == ("files", "mine", "new")
    assert names_in(both, "/notes/a") == ("notes", "a"), "what is at the root comes first"
    assert names_in(both, "/other") == ("other",)
    assert names_in(both, "/mine", new=True) == ("files", "mine")


def test_a_path_begins_where_somebody_is(tree: Folders) -> None:
    assert names_in(tree, "a", start=("mine", "sub")) == ("mine", "sub", "a")
    assert names_in(tree, "~/a", start=("mine", "sub")) == ("mine", "a")
    assert names_in(tree, "../a", start=("mine", "sub")) == ("mine", "a")


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("*.txt", ["a.txt", "b.txt"]),
        ("~/?.txt", ["a.txt", "b.txt"]),
        (".*", [".c.txt"]),
        ("su[bx]/*", ["sub/[x]", "sub/d.txt"]),
        ("s*/[!x].txt", ["sub/d.txt", "sup/e.txt"]),
        ("/mine/s*", ["sub", "sup"]),
        ("/m*/a.txt", ["a.txt"]),
        ("a.txt/*", []),
        ("sub/[x]", ["sub/[x]"]),
        ("sub/[[]x]", ["sub/[x]"]),
        ("[[:alpha:]].txt", ["a.txt", "b.txt"]),
        ("[^a].txt", ["b.txt"]),
        ("[[:upper:]].txt", []),
        ("nothing", []),
    ],
)
def test_patterns_are_those_of_a_shell(tree: Folders, path: str, names: list[str]) -> None:
    assert ["/".join(match[1:]) for match in Matching(tree).names(path)] == names


def test_what_the_patterns_of_a_line_stand_for_is_bounded(
    tree: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_paths, "MAX_NAMES", 5)
    matching = Matching(tree)
    for path in ("?.txt", "s*", "a.txt", "[a].txt"):
        assert matching.names(path)
    with pytest.raises(FileError, match="patterns can stand for at most 5 names or 500 kB at once"):
        matching.names("?.txt")
    monkeypatch.setattr(client_paths, "MAX_BYTES", 10)
    with pytest.raises(FileError, match="5 names or 10 B at once"):
        Matching(tree).names("?.txt")
    monkeypatch.setattr(client_paths, "MAX_SEEN", 10)
    matching = Matching(tree)
    assert matching.names("s*/nothing") == []
    with pytest.raises(FileError, match="there are too many files to look through"):
        matching.names("*/nothing")


def test_a_pattern_is_not_kept(tree: Folders) -> None:
    """What fnmatch compiles it keeps: 32,768 patterns, whose texts would be a client's choice."""
    kept = fnmatch._compile_pattern.cache_info().currsize  # type: ignore[attr-defined]
    for number in range(20):
        assert Matching(tree).names(f"*never{number}*") == []
    assert fnmatch._compile_pattern.cache_info().currsize == kept  # type: ignore[attr-defined]
