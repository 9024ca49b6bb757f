"""One loader for every kind of plugin: the same places, the same rules, the same sentences."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from tuihost.errors import AppLoadError
from tuihost.host.plugins import _loading
from tuihost.host.plugins._loading import (
    Kind,
    all_candidates,
    candidates,
    in_folder,
    load_entry_point,
    load_object,
    load_path,
    load_reference,
    name_of,
)
from tuihost.host.plugins.app_checks import APP
from tuihost.host.plugins.deliveries import DELIVERY
from tuihost.host.plugins.step_catalog import STEP


@dataclass(frozen=True)
class Example:
    """A kind, and the source of a class of it: CLASS stands for the name."""

    kind: Kind[Any]
    source: str

    def classes(self, *names: str) -> str:
        return "\n".join(self.source.replace("CLASS", name) for name in names)


EXAMPLES = [
    Example(
        APP,
        "from tuihost import App, command\n"
        "class CLASS(App):\n"
        "    @command\n"
        "    def go(self, session): ...\n",
    ),
    Example(
        STEP,
        "from tuihost.login import Step\n"
        "class CLASS(Step):\n"
        "    def ask(self, attempt):\n"
        "        yield\n",
    ),
    Example(
        DELIVERY,
        "import tuihost\n"
        "class CLASS:\n"
        "    def send(self, account, subject, text): ...\n"
        "    sent = ()\n",
    ),
]

every_kind = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.kind.name)


@pytest.fixture(autouse=True)
def _nothing_stays_imported() -> Iterator[None]:
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith(("_tuihost_", "harbor_")):
            del sys.modules[name]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of plugins that is on the path of imports, too."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def loaded(kind: Kind[Any], folder: Path, way: str, name: str = "harbor_one") -> Any:
    """The plugin `name` in the folder, by one of the ways that lead to it."""
    match way:
        case "path":
            path = folder / name
            return load_path(kind, path if path.is_dir() else path.with_suffix(".py"))
        case "reference":
            return load_reference(kind, name)
        case "attribute":
            return load_reference(kind, f"{name}:{kind.name}")
        case "entry point":
            return load_entry_point(kind, EntryPoint("one", name, f"tuihost.{kind.name}s"))
    raise AssertionError(way)


# --------------------------------------------------------------------------------- what is found

SHAPES = {
    "a file": {"harbor_one.py": "{class}"},
    "a file with a name for it": {"harbor_one.py": "{two classes}\n{kind} = Harbor()"},
    "the class by that name": {"harbor_one.py": "{two classes}\n{kind} = Harbor"},
    "an object of a class": {"harbor_one.py": "{class}\nhere = Harbor()"},
    "a base and what builds on it": {
        "harbor_one.py": "{class}\nclass Leaf(Harbor): ...\nHarbor = Harbor"
    },
    "a package": {"harbor_one/__init__.py": "{class}"},
    "a package that imports it from inside": {
        "harbor_one/__init__.py": "from .inner import Harbor",
        "harbor_one/inner.py": "from .deep.base import Base\nclass Harbor(Base): ...",
        "harbor_one/deep/__init__.py": "",
        "harbor_one/deep/base.py": "{class as Base}",
    },
    "a package with a name for it": {
        "harbor_one/__init__.py": "from .inner import Harbor, Other\n{kind} = Harbor()",
        "harbor_one/inner.py": "{two classes}",
    },
}
FOLDERS = {
    "a package with a module of its kind": {
        "harbor_one/__init__.py": "",
        "harbor_one/{kind}.py": "{class}",
    },
    "a folder with a module of its kind": {
        "harbor_one/{kind}.py": "from .part import WORD\n{class}",
        "harbor_one/part.py": "WORD = 'part'",
    },
    "a project": {
        "harbor_one/README.md": "Clone me",
        "harbor_one/harbor_one/__init__.py": "from .inner import Harbor",
        "harbor_one/harbor_one/inner.py": "{class}",
    },
    "a project with src": {
        "harbor_one/setup.py": "raise SystemExit('not meant to be imported')",
        "harbor_one/src/harbor_one/__init__.py": "{class}",
    },
}


def filled(shape: dict[str, str], example: Example) -> dict[str, str]:
    words = {
        "{kind}": example.kind.name,
        "{class}": example.classes("Harbor"),
        "{two classes}": example.classes("Harbor", "Other"),
        "{class as Base}": example.classes("Base"),
    }
    files = {}
    for path, text in shape.items():
        for word, meaning in words.items():
            path, text = path.replace(word, meaning), text.replace(word, meaning)
        files[path] = text
    return files


@every_kind
@pytest.mark.parametrize("way", ["path", "reference", "entry point"])
@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_found_in_every_shape_and_by_every_way(
    folder: Path, example: Example, shape: str, way: str
) -> None:
    write(folder, filled(SHAPES[shape], example))
    plugin = loaded(example.kind, folder, way)
    assert type(plugin).__name__ in ("Harbor", "Leaf")
    assert example.kind.holds(plugin)


@every_kind
@pytest.mark.parametrize("shape", FOLDERS)
def test_it_is_found_in_every_shape_of_a_folder(folder: Path, example: Example, shape: str) -> None:
    write(folder, filled(FOLDERS[shape], example))
    assert [path.name for path in candidates(folder)] == ["harbor_one"]
    plugin = loaded(example.kind, folder, "path")
    assert type(plugin).__name__ == "Harbor"
    assert "harbor_one" not in sys.modules


@every_kind
def test_a_reference_names_what_it_means(folder: Path, example: Example) -> None:
    write(folder, {"harbor_one.py": example.classes("Harbor", "Other") + "\nmade = Other()"})
    assert type(load_reference(example.kind, "harbor_one:Harbor")).__name__ == "Harbor"
    assert type(load_reference(example.kind, "harbor_one:made")).__name__ == "Other"


@every_kind
def test_two_loads_of_one_file_share_no_module(folder: Path, example: Example) -> None:
    write(folder, {"harbor_one.py": example.classes("Harbor")})
    first, second = (loaded(example.kind, folder, "path") for _ in range(2))
    assert type(first) is not type(second)
    assert {type(plugin).__module__ for plugin in (first, second)} <= set(sys.modules)
    assert "harbor_one" not in sys.modules


@every_kind
def test_they_are_found_in_order_of_precedence_and_nothing_is_imported(
    folder: Path, example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    boom = "raise SystemExit('imported')"
    write(
        folder,
        {
            "a_file.py": boom,
            "B-package/__init__.py": boom,
            "_private.py": boom,
            ".hidden.py": boom,
            "data/file.txt": "not a plugin",
            "README.md": "nor this",
        },
    )
    points = [EntryPoint(name, f"pkg:{name}", "group") for name in ("z", "y")]
    monkeypatch.setattr(_loading, "entry_points", lambda group: points if group == "g" else [])
    gone = folder / "gone"
    found = list(all_candidates(example.kind, ["mod.a_b:c", "top"], [folder, gone], "g"))
    assert [(each.name, each.source) for each in found] == [
        ("a-b", "mod.a_b:c"),
        ("top", "top"),
        ("b-package", str(folder / "B-package")),
        ("a-file", str(folder / "a_file.py")),
        ("gone", str(gone)),
        ("y", "entry point pkg:y"),
        ("z", "entry point pkg:z"),
    ]
    with pytest.raises(AppLoadError) as caught:
        found[4].load()
    expected = f"the folder of {example.kind.name}s cannot be read: No such file or directory"
    assert str(caught.value) == expected
    assert name_of(Path("apps/My_App.py")) == "my-app"


# ------------------------------------------------------------------------------------ mistakes

MISTAKES = {
    "an import that fails": (
        "import tuihost\nimport nothing_here",
        "ModuleNotFoundError: No module named 'nothing_here' (harbor_one.py:2)",
    ),
    "a name that is not there": (
        "from tuihost.errors import Nothing",
        "ImportError: cannot import name 'Nothing' from 'tuihost.errors' (",
    ),
    "a bracket that is open": (
        "x = 1\ny = (",
        "SyntaxError: '(' was never closed (harbor_one.py:2)",
    ),
    "no sentence of Python": ("\ndef", "SyntaxError: invalid syntax (harbor_one.py:2)"),
    "code that a module makes": (
        "x = 1\ncompile('(', '<made>', 'exec')",
        "SyntaxError: '(' was never closed (<made>, line 1) (harbor_one.py:2)",
    ),
    "an exception": ("\n1 / 0", "ZeroDivisionError: division by zero (harbor_one.py:2)"),
    "an exception without words": ("raise KeyError", "KeyError (harbor_one.py:1)"),
    "an exception in a library": (
        "import json\n\njson.loads('{')",
        "JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2"
        " (char 1) (harbor_one.py:3)",
    ),
    "an end of the program": ("raise SystemExit(3)", "SystemExit: 3 (harbor_one.py:1)"),
    "an interruption of its own": (
        "raise KeyboardInterrupt",
        "KeyboardInterrupt (harbor_one.py:1)",
    ),
    "a cancellation": (
        "import asyncio\nraise asyncio.CancelledError",
        "CancelledError (harbor_one.py:2)",
    ),
    "the end of a generator": ("raise GeneratorExit", "GeneratorExit (harbor_one.py:1)"),
    "the end of an iteration": ("raise StopIteration", "StopIteration (harbor_one.py:1)"),
    "a group of such": (
        "raise BaseExceptionGroup('group', [KeyboardInterrupt()])",
        "BaseExceptionGroup: group (1 sub-exception) (harbor_one.py:1)",
    ),
    "an exception whose text fails": (
        "class Odd(Exception):\n    def __str__(self): raise ValueError\n\nraise Odd",
        "Odd: its text cannot be shown (harbor_one.py:4)",
    ),
    "a mistake in a file of bytes": (
        "raise SyntaxError('x', (b'/etc/passwd', 1, 1, ''))",
        "SyntaxError: x (line 1) (harbor_one.py:1)",
    ),
    "a mistake in a file that is a number": (
        "error = SyntaxError('x')\nerror.filename = 5\nraise error",
        "SyntaxError: x (harbor_one.py:3)",
    ),
    "a module that is a number": (
        "raise ModuleNotFoundError('x', name=5)",
        "ModuleNotFoundError: x (harbor_one.py:1)",
    ),
    "words that would steer a terminal": (
        "raise ValueError('two\\nlines\\x1b[31m')",
        "ValueError: two lines·[31m (harbor_one.py:1)",
    ),
    "nothing": ("x = 1", "has no `{kind}` and defines no {no}"),
    "only what was imported": (
        "from tuihost import App, app\nfrom tuihost.login import Step\n"
        "from tuihost.host.plugins.deliveries import Outbox",
        "has no `{kind}` and defines no {no}",
    ),
    "two": (
        "{two classes}",
        "defines more than one {kind} (Harbor, Other): call one of them `{kind}`"
        " (harbor_one.py:{second})",
    ),
    "a text": ("{kind} = 'text'", "`{kind}` is a str, not {an}"),
    "a number": ("{kind} = 3", "`{kind}` is an int, not {an}"),
    "a class that needs something": (
        "{class}\n    def __init__(self, needed): ...",
        "TypeError: Harbor.__init__() missing 1 required positional argument: 'needed'"
        " (harbor_one.py:2)",
    ),
    "a class that cannot be made": (
        "{class}\n    def __init__(self):\n        open('/nowhere/at/all')\n",
        "FileNotFoundError: [Errno 2] No such file or directory: '/nowhere/at/all'"
        " (harbor_one.py:{last})",
    ),
}


@every_kind
@pytest.mark.parametrize("way", ["path", "reference", "entry point"])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence_with_file_and_line(
    folder: Path, example: Example, mistake: str, way: str
) -> None:
    text, sentence = MISTAKES[mistake]
    write(folder, filled({"harbor_one.py": text}, example))
    lines = (folder / "harbor_one.py").read_text().splitlines()
    for word, meaning in {
        "{kind}": example.kind.name,
        "{no}": example.kind.class_noun,
        "{an}": example.kind.noun,
        "{last}": str(len(lines)),
        "{second}": str(max((n for n, line in enumerate(lines, 1) if "class" in line), default=0)),
    }.items():
        sentence = sentence.replace(word, meaning)
    before = set(sys.modules)
    with pytest.raises(AppLoadError) as caught:
        loaded(example.kind, folder, way)
    told = str(caught.value)
    assert told.startswith(sentence) if sentence.endswith("(") else told == sentence
    assert not {name for name in set(sys.modules) - before if name.startswith("_tuihost_")}


@every_kind
@pytest.mark.parametrize("way", ["path", "reference", "entry point"])
def test_a_mistake_deep_in_a_package_has_the_line_there(
    folder: Path, example: Example, way: str
) -> None:
    write(
        folder,
        {
            "harbor_one/__init__.py": "from .inner import Harbor",
            "harbor_one/inner.py": "x = 1\nfrom . import deeper\n",
            "harbor_one/deeper.py": "import json\n\nx = json.loads('')\n",
        },
    )
    with pytest.raises(AppLoadError, match=r"^JSONDecodeError: .*\(deeper\.py:3\)$"):
        loaded(example.kind, folder, way)
    write(folder, {"harbor_one/deeper.py": "x = 1\nif"})
    with pytest.raises(AppLoadError, match=r"^SyntaxError: invalid syntax \(deeper\.py:2\)$"):
        loaded(example.kind, folder, way)


@every_kind
def test_the_operators_own_interruption_is_no_mistake(folder: Path, example: Example) -> None:
    write(folder, {"harbor_one.py": "import signal\nsignal.raise_signal(signal.SIGINT)\n"})
    # The shell that started the tests may have had the signal ignored.
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            loaded(example.kind, folder, "path")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, former)
    assert not [name for name in sys.modules if name.endswith("_harbor_one")]


@every_kind
@pytest.mark.parametrize("name", ["harbor-1.2.0", "harbor with space"])
def test_a_folder_whose_name_no_module_can_have(folder: Path, example: Example, name: str) -> None:
    files = {f"{name}/other.py": "x = 1\n"}
    named = example.classes("Harbor") + "\nHarbor.name = 'harbor'\n"
    for inner in ("__init__.py", f"{example.kind.name}.py"):
        write(folder, files | {f"{name}/{inner}": "from .other import x\n" + named})
        assert type(load_path(example.kind, folder / name)).__name__ == "Harbor"
        (folder / name / inner).unlink()
    write(folder, {f"{name}/__init__.py": "from . import broken\n", f"{name}/broken.py": "\n1 / 0"})
    before = set(sys.modules)
    with pytest.raises(AppLoadError, match=r"by zero \(broken\.py:2\)$"):
        load_path(example.kind, folder / name)
    assert set(sys.modules) == before


def test_one_folder_that_cannot_be_read_breaks_no_other(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, {"harbor_one.py": EXAMPLES[0].classes("Harbor"), "shut/app.py": ""})
    is_file = Path.is_file

    def guarded(path: Path) -> bool:  # as it is for anybody but root
        if path.is_relative_to(folder / "shut") and path != folder / "shut":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", guarded)
    monkeypatch.setattr(Path, "glob", lambda path, pattern: iter(()))
    harbor, shut = in_folder(APP, folder)
    assert harbor.load().name == "harbor-one"
    with pytest.raises(AppLoadError, match="Permission denied"):
        shut.load()


@every_kind
@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o722])
def test_nothing_is_loaded_from_a_folder_in_which_others_can_put_code(
    folder: Path, example: Example, mode: int
) -> None:
    write(folder, {"harbor.py": example.classes("Harbor")})
    folder.chmod(mode)
    (found,) = in_folder(example.kind, folder)
    reason = f"the folder of {example.kind.name}s is not used: others can write to it"
    with pytest.raises(AppLoadError, match=reason):
        found.load()
    folder.chmod(0o755)
    (found,) = in_folder(example.kind, folder)
    assert found.load() is not None


@every_kind
def test_a_module_that_is_not_there(folder: Path, example: Example) -> None:
    write(folder, {"harbor_one.py": "x = 1", "harbor_two/notes.txt": ""})
    for reference, sentence in {
        "harbor_one:nothing": "module harbor_one has no 'nothing'",
        "harbor_none": "ModuleNotFoundError: No module named 'harbor_none'",
        "harbor_none.at.all:x": "ModuleNotFoundError: No module named 'harbor_none'",
        "": "ValueError: Empty module name",
    }.items():
        with pytest.raises(AppLoadError) as caught:
            load_reference(example.kind, reference)
        assert str(caught.value) == sentence
    with pytest.raises(AppLoadError) as caught:
        load_path(example.kind, folder / "harbor_two")
    kind = example.kind.name
    assert str(caught.value) == f"the folder has neither __init__.py nor {kind}.py"


@every_kind
def test_a_package_that_imports_itself_by_its_name_is_told_how(
    folder: Path, example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # a folder of plugins is not on the path of imports
    write(folder, {"harbor_one/__init__.py": "\nfrom harbor_one.inner import Harbor"})
    with pytest.raises(AppLoadError) as caught:
        loaded(example.kind, folder, "path")
    assert str(caught.value) == (
        "ModuleNotFoundError: No module named 'harbor_one'; import the package's own modules by"
        " `from . import …` (__init__.py:2)"
    )


@every_kind
def test_the_class_that_all_are_made_of_is_not_one(example: Example) -> None:
    with pytest.raises(AppLoadError) as caught:
        load_object(example.kind, example.kind.base, "one")
    name = example.kind.base.__name__
    assert str(caught.value) == f"`{example.kind.name}` is {name} itself, not a subclass of it"
