"""Honest clients that ask for very much: none of them is cut off."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path

import asyncssh
import pytest

from tests.e2e.e2e_demo import Demo, Place, clean_env

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

COMMANDS = 20_000
FILES = 5_000
AT_ONCE = 20


@pytest.fixture
def small_files(tmp_path: Path) -> Path:
    folder = tmp_path / "small"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"{number}.txt").write_text(f"number {number}\n")
    return folder


def same(folder: Path, other: Path) -> bool:
    """Whether both have the same files."""
    files = [
        {path.name: path.read_bytes() for path in place.iterdir()} for place in (folder, other)
    ]
    return files[0] == files[1] and len(files[0]) == FILES


def test_a_control_master_survives_twenty_thousand_commands(
    demo: Demo, place: Place, program: Callable[[str], str]
) -> None:
    """Each is a channel of one connection: `ProxyCommand` makes sure that there is no other."""
    program("ssh")
    ssh = f"'{place.bin / 'ssh'}' -S '{place.folder / 'master'}' -p {demo.port} moira@127.0.0.1"
    through = ssh.replace(" -S ", " -o ProxyCommand=false -S ")
    script = f"""\
        {ssh} -M -N -f -o ControlPersist=no || exit 1
        n=0
        while [ $n -lt {COMMANDS} ]; do
          n=$((n + 1))
          {through} probe who </dev/null | grep -q '"user": "moira"' || {{ echo $n; exit 1; }}
        done
        {ssh} -O exit"""
    done = subprocess.run(
        ["sh", "-c", script], capture_output=True, timeout=1700, env=clean_env(place.folder)
    )
    assert (done.returncode, done.stdout) == (0, b""), done
    assert len(demo.events("auth.ok", user="moira")) == 1


def test_sftp_copies_five_thousand_small_files_both_ways(
    demo: Demo, place: Place, small_files: Path, program: Callable[[str], str]
) -> None:
    back = small_files.with_name("back")
    words = ["-S", place.bin / "ssh", "-P", str(demo.port), "-b", "-", "sally@127.0.0.1"]
    done = subprocess.run(
        [program("sftp"), *words],
        input=f"put -r {small_files} there\nget -r there {back}\n".encode(),
        capture_output=True,
        timeout=1700,
        env=clean_env(place.folder),
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert same(small_files, back)


def test_asyncssh_copies_five_thousand_small_files_twenty_at_once(
    demo: Demo, small_files: Path
) -> None:
    back = small_files.with_name("back")
    back.mkdir()

    async def copy() -> None:
        connection = asyncssh.connect(
            "127.0.0.1",
            demo.port,
            username="ansgar",
            known_hosts=None,
            client_keys=None,
            config=None,
        )
        async with connection as link, link.start_sftp_client() as sftp:
            await sftp.mkdir("there")
            turn = asyncio.Semaphore(AT_ONCE)

            async def there_and_back(name: str) -> None:
                async with turn:
                    await sftp.put(small_files / name, f"there/{name}")
                    await sftp.get(f"there/{name}", back / name)

            async with asyncio.TaskGroup() as group:
                for path in small_files.iterdir():
                    group.create_task(there_and_back(path.name))

    asyncio.run(copy())
    assert same(small_files, back)
