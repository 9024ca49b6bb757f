"""`tuihost serve`, and what it shares with the demo: an address that cannot be had."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.calling import only_ours, tuihost


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else has."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock.getsockname()[1]


@pytest.mark.parametrize("command", ["demo", "serve"])
def test_a_port_in_use_is_one_sentence(place: Path, taken: int, command: str) -> None:
    (place / "tuihost.toml").touch()
    done = tuihost(place, command, "--port", str(taken), status=1, **only_ours(place))
    said = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert said == [
        f"Error: Port {taken} on 127.0.0.1 is already in use; choose another with --port."
    ]
    assert "Traceback" not in done.stderr


def test_without_a_settings_file_no_host_is_opened(place: Path) -> None:
    for command in ("serve", "check"):
        said = tuihost(place, command, status=78, **only_ours(place)).stderr
        assert said == (
            "There is no settings file: no --config, and no tuihost.toml in this folder."
            " To write one: tuihost init. To try tuihost out: tuihost demo.\n"
        )


def test_an_address_of_another_machine_is_one_sentence(place: Path) -> None:
    done = tuihost(place, "demo", "--host", "192.0.2.1", status=1, **only_ours(place))
    assert "Error: 192.0.2.1 is not an address of this machine." in done.stderr
    assert "Traceback" not in done.stderr
