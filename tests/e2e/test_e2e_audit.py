"""ssh-audit looks at what the host offers, and finds what we know of."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.e2e.e2e_demo import Demo, clean_env
from tests.waiting import DEADLINE

KNOWN = {
    # For clients that have nothing safe against quantum computers yet.
    ("kex", "curve25519-sha256"): "does not provide protection against post-quantum attacks",
    ("kex", "curve25519-sha256@libssh.org"): (
        "does not provide protection against post-quantum attacks"
    ),
    # For clients that have no MAC over what is sent, unless the operator chose `modern`.
    ("mac", "hmac-sha2-256"): "using encrypt-and-MAC mode",
    ("mac", "hmac-sha2-512"): "using encrypt-and-MAC mode",
}


@pytest.fixture
def report(demo: Demo) -> dict[str, Any]:
    words = ["-m", "ssh_audit", "--skip-rate-test", "--json", "--port", str(demo.port)]
    done = subprocess.run(
        [sys.executable, *words, "127.0.0.1"],
        capture_output=True,
        timeout=DEADLINE,
        env=clean_env(demo.folder),
    )
    assert done.stdout.startswith(b"{"), done
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_ssh_audit_finds_nothing_but_what_we_know(report: dict[str, Any]) -> None:
    found = {
        (part, entry["algorithm"], level): notes
        for part in ("kex", "key", "enc", "mac")
        for entry in report[part]
        for level, notes in entry["notes"].items()
        if level != "info"
    }
    assert found == {(*algorithm, "warn"): [note] for algorithm, note in KNOWN.items()}
    assert report["cves"] == []
    assert report["compression"] == ["none"]
    assert report["kex"][0]["algorithm"] == "mlkem768x25519-sha256"
    assert "kex-strict-s-v00@openssh.com" in {entry["algorithm"] for entry in report["kex"]}
    assert {one["algorithm"] for one in report["key"]} == {"ssh-ed25519"}
    assert not report["recommendations"].get("critical")
