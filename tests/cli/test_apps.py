"""`tuihost apps`: what works and what does not."""

from __future__ import annotations

from pathlib import Path

from tests.cli.calling import tuihost


def test_apps_lists_what_works_and_what_does_not(place: Path) -> None:
    (place / "apps" / "bad.py").write_text("import nothing_there")
    (place / "tuihost.toml").write_text("[apps]\nfolders = ['apps']\n")
    lines = tuihost(place, "apps").stdout.splitlines()
    (echo,) = [line for line in lines if line.startswith("echo ")]
    (bad,) = [line for line in lines if line.startswith("bad ")]
    assert "Écho 你好" in echo
    assert "ready" in echo
    assert bad.endswith("ModuleNotFoundError: No module named 'nothing_there' (bad.py:1)")
    assert lines[0].index("STATE") == bad.index("broken")
