"""Runs each test file alone, two at a time: `make test-each`. No file may need another to pass."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.waiting import DEADLINE

ROOT = Path(__file__).parents[1]
AT_ONCE = 2
NO_TESTS_COLLECTED = 5  # all of them are slow ones


def run_alone(path: Path) -> tuple[Path, subprocess.CompletedProcess[str]]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow"]
    return path, subprocess.run(
        [*command, str(path)],
        cwd=ROOT,
        env={**os.environ, "TUIHOST_TEST_DEADLINE": f"{DEADLINE:g}"},
        capture_output=True,
        text=True,
        check=False,
    )


def main(words: Sequence[str]) -> int:
    """Takes files or folders, all of `tests` without any; its exit status says whether all pass."""
    places = [Path(word).resolve() for word in words] or [ROOT / "tests"]
    files = [
        file
        for place in places
        for file in ([place] if place.is_file() else sorted(place.rglob("test_*.py")))
    ]
    failed = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for path, done in pool.map(run_alone, files):
            well = done.returncode in (0, NO_TESTS_COLLECTED)
            failed += not well
            last = done.stdout.rstrip().rpartition("\n")[2]
            sys.stdout.write(f"{path.relative_to(ROOT)}: {last}\n")
            if not well:
                sys.stdout.write(f"{done.stdout}{done.stderr}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(files)} files, {failed} failed\n")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
