"""`tuihost init`: a folder for a new host."""

from __future__ import annotations

from pathlib import Path

from tests.cli.calling import tuihost


def test_init_makes_a_folder_in_which_a_host_can_live(place: Path) -> None:
    said = tuihost(place, "init", "new").stdout
    new = place / "new"
    key = new / "state" / "host_ed25519"
    assert key.stat().st_mode & 0o777 == 0o600
    assert "SHA256:" in said
    assert "tuihost serve --config new/tuihost.toml" in said
    lines = tuihost(new, "apps").stdout.splitlines()
    assert any(line.startswith("hello ") and "ready" in line for line in lines)

    before = (new / "tuihost.toml").read_bytes(), key.read_bytes()
    assert "already exists" in tuihost(place, "init", "new", status=1).stderr
    assert ((new / "tuihost.toml").read_bytes(), key.read_bytes()) == before
