"""A host with accounts, `tuihost serve` by a settings file, and the people who come there: with
keys in files, an authenticator app, and a helper that answers what ssh asks."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pyotp
from click.testing import CliRunner

from tests.e2e.e2e_demo import APPS, Served, clean_env
from tests.waiting import DEADLINE
from tuihost.cli.accounts import opened_store
from tuihost.cli.main import cli
from tuihost.settings.loading import load

PASSWORD = "correct horse 9"
SETTINGS = """\
[server]
port = 0
state_dir = "state"
name = "the house"
per_address = 200
[login]
guest_names = ["guest", "guest-*"]
app_chains = {{ reader = ["publickey, password"] }}
authorized_keys = ["{folder}/keys/%u"]
trusted_ca = ["ca.pub"]
revoked_keys = "revoked"
terms = "terms.txt"
[roles.staff]
[apps]
folders = ["{apps}"]
"""
TERMS = "Be kind to each other.\nLeave the place as you found it."


def keygen(path: Path, *words: str, kind: str = "ed25519") -> Path:
    """A new pair of keys by ssh-keygen: the private one in `path`, its comment the file's name."""
    made = ["-q", "-t", kind, "-N", "", "-C", path.name, "-f", str(path), *words]
    subprocess.run(["ssh-keygen", *made], check=True, capture_output=True, timeout=DEADLINE)
    return path


def public(key: Path) -> Path:
    return key.with_name(f"{key.name}.pub")


@dataclass(frozen=True, slots=True)
class Said:
    """What a client came to: `asked` are the questions that it passed on."""

    status: int
    out: str
    err: str
    asked: tuple[str, ...] = ()

    @property
    def who(self) -> dict[str, Any]:
        """Who came in, as `probe who` tells it."""
        assert self.status == 0, self
        told: dict[str, Any] = json.loads(self.out)
        return told


@dataclass(slots=True)
class Member:
    """Somebody with an account, and what they know."""

    name: str
    password: str = PASSWORD
    secret: str = ""
    recovery: tuple[str, ...] = ()
    _used: int = field(default=0, repr=False)

    def code(self) -> str:
        """What their authenticator app shows: never twice the same, as they would wait for the
        next one (the host's window has it already)."""
        app = pyotp.TOTP(self.secret)
        counter = max(int(time.time()) // 30, self._used + 1)
        self._used = counter
        return app.generate_otp(counter)

    def wrong_code(self) -> str:
        """A code of an hour ago."""
        return pyotp.TOTP(self.secret).at(int(time.time()) - 3600)


class House(Served):
    """`tuihost serve --config`. Its accounts are made by `tuihost user`."""

    def __init__(self, folder: Path, ssh: Path) -> None:
        self.config = folder / "tuihost.toml"
        self.config.write_text(SETTINGS.format(folder=folder, apps=APPS))
        (folder / "keys").mkdir()
        (folder / "terms.txt").write_text(TERMS)
        self.authority = keygen(folder / "ca")
        self._revoke(folder / "revoked")
        self._ssh = ssh
        words = ["serve", "--config", str(self.config)]
        super().__init__(folder, words, ready=lambda house: bool(house.events("host.start")))

    def _revoke(self, list_: Path, *keys: Path) -> None:
        more = ["-u"] if list_.exists() else []
        words = ["ssh-keygen", "-q", "-k", *more, "-f", str(list_), *map(str, keys)]
        subprocess.run(words, check=True, capture_output=True, timeout=DEADLINE)

    # ------------------------------------------------------------------ the operator

    def tuihost(self, *words: str, input: str = "") -> str:
        """What the command line prints; it has to end well."""
        command = [words[0], *words[1:], "--config", str(self.config)]
        done = CliRunner().invoke(cli, command, input=input, catch_exceptions=False)
        assert done.exit_code == 0, (words, done.output)
        return done.stdout

    def member(
        self, name: str, *ways: str, key: Path | None = None, totp: bool = False, role: str = ""
    ) -> Member:
        """A new account with a password, and the chains `ways` (those of the host without any)."""
        given = ["--role", role] if role else []
        self.tuihost("user", "add", name, "--password-stdin", *given, input=f"{PASSWORD}\n")
        member = Member(name)
        if key is not None:
            self.tuihost("user", "key", "add", name, str(public(key)))
        if totp:
            said = self.tuihost("user", "totp", "on", name).splitlines()
            member.secret = said[2].replace(" ", "")
            codes = said[-5:]
            member.recovery = tuple(code for line in codes for code in line.split())
        if ways:
            chains = tuple(tuple(way.split(", ")) for way in ways)
            with opened_store(load(self.config)) as store:
                assert store.update(name, chains=chains)
        return member

    def shown(self, name: str) -> dict[str, Any]:
        """The account as `tuihost user show` tells it."""
        told: dict[str, Any] = json.loads(self.tuihost("user", "show", name, "--json"))
        return told

    def revoke(self, *keys: Path) -> None:
        self._revoke(self.folder / "revoked", *keys)

    def certify(self, key: Path, *words: str, authority: Path | None = None) -> Path:
        """A certificate over `key`, where OpenSSH looks for it."""
        by = ["-s", str(authority or self.authority), "-I", key.name]
        said = ["ssh-keygen", "-q", *by, *words, str(public(key))]
        subprocess.run(said, check=True, capture_output=True, timeout=DEADLINE)
        return key.with_name(f"{key.name}-cert.pub")

    @cached_property
    def fingerprint(self) -> str:
        """Of the host's key, as the operator reads it to people."""
        key = self.folder / "state" / "host_ed25519"
        words = ["ssh-keygen", "-l", "-f", str(key)]
        said = subprocess.run(words, check=True, capture_output=True, timeout=DEADLINE)
        return said.stdout.decode().split()[1]

    # ------------------------------------------------------------------ the people

    def ssh(
        self,
        name: str,
        *words: str,
        key: Path | None = None,
        answers: Sequence[str] | None = None,
        options: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> Said:
        """OpenSSH, to its end. Without `answers` it may not ask; with them a helper gives one for
        each question, and nothing where they have run out."""
        given = ["-p", str(self.port), *(["-i", str(key)] if key else []), *options]
        asked = self.folder / f"asked-{name}"
        asked.write_text("")
        if answers is None:
            given += ["-o", "BatchMode=yes"]
            helper = {}
        else:
            helper = self._helper(asked, answers)
        done = subprocess.run(
            [str(self._ssh), *given, f"{name}@127.0.0.1", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=DEADLINE,
            env=clean_env(self._ssh.parent.parent, **helper, **(env or {})),
        )
        questions = tuple(asked.read_text().split("\0")[:-1])
        return Said(done.returncode, done.stdout.decode(), done.stderr.decode(), questions)

    def copy_id(self, name: str, key: Path, password: str, *words: str) -> Said:
        """`ssh-copy-id`, which finds this `ssh`; its helper knows one password."""
        asked = self.folder / f"asked-{name}"
        helper = self._helper(asked, [password] * 9)
        home = self._ssh.parent.parent
        (home / ".ssh").mkdir(mode=0o700, exist_ok=True)
        path = {"PATH": f"{self._ssh.parent}:{os.environ['PATH']}"}
        done = subprocess.run(
            [
                "ssh-copy-id",
                "-i",
                str(public(key)),
                *words,
                "-p",
                str(self.port),
                f"{name}@127.0.0.1",
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=DEADLINE,
            env=clean_env(home, **helper, **path),
        )
        return Said(done.returncode, done.stdout.decode(), done.stderr.decode())

    def _helper(self, asked: Path, answers: Sequence[str]) -> dict[str, str]:
        """What ssh calls in place of a terminal: it notes the question and prints an answer."""
        ready = self.folder / f"{asked.name}-answers"
        ready.write_text("".join(f"{answer}\n" for answer in answers))
        script = self.folder / f"{asked.name}-helper"
        script.write_text(
            "#!/bin/sh\n"
            f"printf '%s\\0' \"$1\" >> '{asked}'\n"
            f"head -n 1 '{ready}'\n"
            f"sed -i 1d '{ready}'\n"
        )
        script.chmod(0o700)
        return {"SSH_ASKPASS": str(script), "SSH_ASKPASS_REQUIRE": "force"}
