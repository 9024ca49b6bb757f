"""`ssh new@host` as people type it: by invitation, with a key of their own and without."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.e2e_demo import Demo, clean_env
from tests.waiting import DEADLINE

ANSWERS = """\
#!/bin/sh
case "$1" in
  *Invitation*) echo {code} ;;
  *"Your name"*) echo bob ;;
  *assword*) echo correct-horse-9 ;;
esac
"""


def come_in(demo: Demo, folder: Path, ssh: str, user: str, *words: str) -> None:
    """`ssh user@host status list`; OpenSSH asks a script instead of a terminal."""
    found = re.search(r"Invitation +(\S+)", demo.page)
    assert found, demo.page
    ask = folder / "ask"
    ask.write_text(ANSWERS.format(code=found[1]))
    ask.chmod(0o700)
    options = ["-F", "/dev/null", "-o", "StrictHostKeyChecking=accept-new"]
    options += ["-o", f"UserKnownHostsFile={folder / 'known'}", "-o", "NumberOfPasswordPrompts=1"]
    subprocess.run(
        [ssh, *options, *words, "-p", str(demo.port), f"{user}@127.0.0.1", "status", "list"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=DEADLINE,
        check=False,
        env=clean_env(folder, SSH_ASKPASS=str(ask), SSH_ASKPASS_REQUIRE="force"),
    )


@pytest.mark.parametrize("with_key", [False, True])
def test_an_invitation_with_a_key_and_without(
    own_demo: Demo, tmp_path: Path, program: Callable[[str], str], with_key: bool
) -> None:
    ssh, key = program("ssh"), tmp_path / "id"
    make = [program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
    subprocess.run(make, check=True, timeout=DEADLINE)
    own = ["-o", "IdentitiesOnly=yes", "-i", str(key) if with_key else "none"]
    come_in(own_demo, tmp_path, ssh, "new", *own)
    factors = "publickey+invite" if with_key else "invite"
    own_demo.wait_event("auth.ok", user="bob", factors=factors)
    only = "publickey" if with_key else "keyboard-interactive"
    come_in(own_demo, tmp_path, ssh, "bob", *own, "-o", f"PreferredAuthentications={only}")
    own_demo.wait_event("auth.ok", user="bob", count=2)
