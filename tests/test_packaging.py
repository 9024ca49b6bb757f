"""The wheel: what is in it, and that a host installed from it lets people in."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from itertools import takewhile
from pathlib import Path

import paramiko
import pytest

from tests.waiting import DEADLINE

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    call("-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT))
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel, and the libraries of this one."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False, symlinks=True)
    site = next((folder / "lib").glob("python*")) / "site-packages"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)  # as an installer does with a wheel of pure Python
    # The libraries only: where this environment has tuihost too, the wheel stands before it.
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin" / "python"


def call(*words: str, python: Path | None = None, **more: str) -> str:
    done = subprocess.run(
        [str(python or sys.executable), *words],
        capture_output=True,
        text=True,
        timeout=DEADLINE * 2,
        env={**os.environ, **more},
        cwd="/",
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_apps_and_themes_are_inside_the_package_and_nowhere_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"tuihost"}
    for kind, suffix in (("apps", ".py"), ("themes", ".toml")):
        there = {
            str(path.relative_to(ROOT))
            for path in (ROOT / kind).rglob(f"*{suffix}")
            if "__pycache__" not in path.parts
        }
        assert there, f"no {kind} in the checkout"
        assert there <= {name.removeprefix("tuihost/_bundled/") for name in names}
    assert "tuihost/py.typed" in names
    assert not [name for name in names if name.endswith(".pyc") or "__pycache__" in name]


def metadata(folder: Path, source: str) -> Message:
    """What an index of packages is told, if the repository is at `source`."""
    call("-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT),
         TUIHOST_SOURCE_URL=source)  # fmt: skip
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        (entry,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        return message_from_bytes(archive.read(entry))


LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def test_on_an_index_every_link_leads_somewhere(wheel: Path, tmp_path: Path) -> None:
    """A link into the checkout is a link to the repository, or no link if nobody said where it
    is. Both keep all the words."""
    written = (ROOT / "README.md").read_text("utf-8")
    inside = [link for link in LINK.findall(written) if not link.startswith(("https:", "#"))]
    assert inside
    told = metadata(tmp_path, "https://example.org/tuihost/")
    text = told.get_payload()
    assert isinstance(text, str)
    assert [link for link in LINK.findall(text) if "://" not in link and link[0] != "#"] == []
    for link in inside:
        there = f"https://example.org/tuihost/{'raw' if 'images/' in link else 'blob'}/HEAD/{link}"
        assert f"]({there})" in text
    urls = dict(value.split(", ") for value in told.get_all("Project-URL", []))
    assert urls["Source"] == urls["Homepage"] == "https://example.org/tuihost"
    with zipfile.ZipFile(wheel) as archive:
        (entry,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        without = message_from_bytes(archive.read(entry))
    plain = without.get_payload()
    assert isinstance(plain, str)
    assert [link for link in LINK.findall(plain) if "://" not in link and link[0] != "#"] == []
    assert "writing apps" in plain
    assert "Project-URL" not in without


def test_the_metadata_is_complete(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (entry,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        told = message_from_bytes(archive.read(entry))
    assert told["Author"] == told["Maintainer"] == "The tuihost authors"
    assert told["License-Expression"] == "MIT"
    assert told["Description-Content-Type"] == "text/markdown"
    for name in ("Summary", "Keywords", "Requires-Python", "Classifier"):
        assert told[name], name


def test_the_command_line_is_declared(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (entry,) = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
        text = archive.read(entry).decode()
    assert "tuihost = tuihost.cli.main:main" in text


def test_every_module_in_the_wheel_can_be_imported(installed: Path) -> None:
    code = (
        "import pkgutil, importlib, tuihost\n"
        "assert 'site-packages' in tuihost.__file__, tuihost.__file__\n"
        "for one in pkgutil.walk_packages(tuihost.__path__, 'tuihost.'):\n"
        "    if not one.name.endswith('__main__') and '_bundled' not in one.name:\n"
        "        importlib.import_module(one.name)\n"
    )
    call("-I", "-W", "error", "-c", code, python=installed)


@pytest.fixture
def demo(installed: Path, tmp_path: Path) -> Iterator[int]:
    """The port of a demo from the wheel, started as somebody would who has only the wheel."""
    process = subprocess.Popen(
        [str(installed), "-I", "-u", "-m", "tuihost", "demo", "--port", "0"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        try:
            page = list(takewhile(lambda line: "Stop" not in line, process.stdout))
            (port,) = [line.rpartition(":")[2] for line in page if "listening on" in line]
            yield int(port)
        finally:
            process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=DEADLINE)
        assert (process.returncode, errors) == (0, "")


def test_the_menu_of_an_installed_wheel_opens(demo: int) -> None:
    transport = paramiko.Transport(("127.0.0.1", demo))
    try:
        transport.start_client(timeout=DEADLINE)
        transport.auth_none("zoe")
        channel = transport.open_session(timeout=DEADLINE)
        channel.settimeout(DEADLINE)
        channel.get_pty("xterm-256color", 80, 24)
        channel.invoke_shell()
        seen = b""
        while b"zoe" not in seen or b"\x1b[?1049h" not in seen:
            data = channel.recv(65536)
            assert data, f"the menu closed: {seen!r}"
            seen += data
    finally:
        transport.close()
        transport.join(DEADLINE)
