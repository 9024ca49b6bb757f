"""Who can come in: the table of docs/security.md, row by row, by the clients themselves."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import pytest

from tests.e2e.e2e_demo import APPS, CHECKOUT, Served, clean_env
from tests.waiting import DEADLINE

Host = tuple[str, Served]

ALGORITHMS = ("wide", "modern")
CLIENTS = Path(__file__).parent / "clients"
NODE_MODULES = CHECKOUT / ".clients" / "node_modules"
SETTINGS = """\
[server]
port = 0
state_dir = "state"
per_address = 200
algorithms = "{algorithms}"
[apps]
folders = ["{apps}"]
"""


@dataclass(frozen=True, slots=True)
class Newer:
    """The row for a client from a version on. `version` finds its two numbers in what `installed`
    says."""

    row: str
    version: str
    since: tuple[int, int]

    def is_meant(self, said: str) -> bool:
        found = re.search(self.version, said)
        assert found, f"{self.row}: no version in {said}"
        return (int(found[1]), int(found[2])) >= self.since


@dataclass(frozen=True, slots=True)
class Client:
    """A client of the table, and how a shell runs it: `$1` is the port, `$2` the host's key.

    `installed` fails where it is not installed. `says` is in its output if it came in.
    """

    row: str
    command: str
    installed: str
    newer: Newer | None = None
    says: str = '"user": "guest"'

    def row_for(self, said: str) -> str:
        """The row for the version that is installed, by what it says of itself."""
        return self.newer.row if self.newer and self.newer.is_meant(said) else self.row

    @property
    def rows(self) -> list[str]:
        return [self.newer.row, self.row] if self.newer else [self.row]


def by(language: str, file: str) -> str:
    return f"{language} '{CLIENTS / file}' $1"


PYTHON = f"'{sys.executable}'"
JAR = "/usr/share/java/jsch.jar"
JSCH = f"javac -version && readlink -f {JAR}"
FILES = "files"
"""What is at the top of a guest's files."""
OPENSSH = (
    "ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=known"
)
PLINK = "plink -batch -ssh -l guest -hostkey $2 -P $1 127.0.0.1 probe who"
CURL = "curl -sSk --user guest: sftp://127.0.0.1:$1/"
RCLONE = "rclone lsf --config /dev/null --sftp-host 127.0.0.1 --sftp-port $1 --sftp-user guest"
LIBSSH = "import ctypes; ctypes.CDLL('libssh.so.4')"
PERL = "perl -MNet::SSH2 -e 'print qq(libssh2/) . Net::SSH2->version'"
RUBY = "ruby -e 'require %(net/ssh); print %(net-ssh/), Net::SSH::Version::CURRENT'"
ERLANG = "erl -noinput -eval 'ok = ssh:start(), halt().'"
NEW_JSCH = Newer("JSch from 0.2 on", r"jsch-(\d+)\.(\d+)", (0, 2))
OLD_NET_SSH = "net-ssh for Ruby before 8.0, without the gem x25519"
NEW_NET_SSH = Newer("net-ssh for Ruby from 8.0 on", r"net-ssh/(\d+)\.(\d+)", (8, 0))
OLD_LIBSSH2 = "libssh2 before 1.11, in curl and Net::SSH2"
NEW_LIBSSH2 = Newer("libssh2 from 1.11 on, in curl and Net::SSH2", r"libssh2/(\d+)\.(\d+)", (1, 11))
ALL = (
    Client("OpenSSH", f"{OPENSSH} -p $1 guest@127.0.0.1 probe who", "ssh -V"),
    Client("PuTTY", PLINK, "plink -V"),
    Client("Dropbear", "dbclient -y -y -p $1 guest@127.0.0.1 probe who", "dbclient -V"),
    Client("paramiko", by(PYTHON, "paramiko_client.py"), f"{PYTHON} -c 'import paramiko'"),
    Client("asyncssh", by(PYTHON, "asyncssh_client.py"), f"{PYTHON} -c 'import asyncssh'"),
    Client("libssh", by("python3", "libssh_client.py"), f'python3 -c "{LIBSSH}"'),
    Client("phpseclib 3", by("php", "phpseclib.php"), "php -v && ls /usr/share/php/phpseclib3"),
    Client("ssh2 for node", by("node", "node_ssh2.js"), "node -e 'require(\"ssh2\")'"),
    Client("Erlang's ssh", by("escript", "erlang_ssh.escript"), ERLANG),
    Client(
        "Go's x/crypto/ssh, in rclone",
        f"{RCLONE} --sftp-pass $(rclone obscure x) :sftp:/",
        "rclone version",
        says=FILES,
    ),
    Client("JSch 0.1", by(f"java -cp {JAR}", "Jsch.java"), JSCH, NEW_JSCH),
    Client(OLD_LIBSSH2, CURL, "curl -V", NEW_LIBSSH2, says=FILES),
    Client(OLD_LIBSSH2, by("perl", "net_ssh2.pl"), PERL, NEW_LIBSSH2),
    Client("Twisted Conch", by(PYTHON, "conch_client.py"), f"{PYTHON} -c 'import twisted.conch'"),
    Client(OLD_NET_SSH, by("ruby", "net_ssh.rb"), RUBY, NEW_NET_SSH),
)


def table() -> dict[str, dict[str, bool]]:
    """The table of the page: for each client, whether it can come in under which setting."""
    page = (CHECKOUT / "docs" / "security.md").read_text()
    section = page.partition("### Who can come in\n")[2]
    lines = section[section.index("\n|") + 1 :].splitlines()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in takewhile(lambda line: line.startswith("|"), lines)
    ]
    settings = [name.strip("`") for name in rows[0]]
    answers = {"yes": True, "no": False}
    return {
        row[0]: {name: answers[row[settings.index(name)]] for name in ALGORITHMS}
        for row in rows[2:]
    }


@pytest.fixture(scope="module", params=ALGORITHMS)
def host(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Host]:
    """A host with these algorithms, which lets guests in."""
    folder = tmp_path_factory.mktemp(request.param)
    settings = folder / "tuihost.toml"
    settings.write_text(SETTINGS.format(algorithms=request.param, apps=APPS))
    words = ["serve", "--config", str(settings)]
    served = Served(folder, words, ready=lambda served: bool(served.events("host.start")))
    try:
        yield request.param, served
        served.interrupt()
        assert served.wait_end() == 0
    finally:
        served.close()


def shell(command: str, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", command, "sh", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=home,
        timeout=DEADLINE,
        env=clean_env(home, NODE_PATH=str(NODE_MODULES)),
    )


@pytest.mark.parametrize("client", ALL, ids=lambda client: client.command.split()[0].strip("'"))
def test_a_client_comes_in_where_the_table_says_so(
    host: Host, client: Client, tmp_path: Path
) -> None:
    algorithms, served = host
    there = shell(client.installed, tmp_path)
    if there.returncode:
        assert not os.environ.get("CI"), (
            f"{client.row}: not installed, and in CI it must be: {there}"
        )
        pytest.skip(f"{client.row}: not installed")
    row = client.row_for(there.stdout)
    said = shell(client.command, tmp_path, str(served.port), served.key.split()[1])
    assert (client.says in said.stdout) is table()[row][algorithms], said


def test_the_table_has_these_clients() -> None:
    assert set(table()) == {row for client in ALL for row in client.rows}
