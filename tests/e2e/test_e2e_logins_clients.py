"""Other people's clients prove who they are without a person: plink, dbclient, asyncssh."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from tests.e2e.e2e_demo import clean_env
from tests.e2e.e2e_house import PASSWORD, House, Member, Said, keygen
from tests.waiting import DEADLINE

WHO = ("probe", "who")


def run(house: House, *words: str, **env: str) -> Said:
    """A program to its end, with a home folder of the tests'."""
    done = subprocess.run(
        words,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=DEADLINE,
        env=clean_env(house.folder, **env),
    )
    return Said(done.returncode, done.stdout.decode(), done.stderr.decode())


# ---------------------------------------------------------------------------------- PuTTY's plink


@pytest.fixture
def plink(house: House, program: Callable[[str], str]) -> Callable[..., Said]:
    def call(user: str, *words: str) -> Said:
        fixed = ["-batch", "-ssh", "-P", str(house.port), "-hostkey", house.fingerprint]
        return run(house, program("plink"), *fixed, *words, f"{user}@127.0.0.1", *WHO)

    return call


def test_plink_gives_its_password(house: House, plink: Callable[..., Said]) -> None:
    house.member("abe")
    assert plink("abe", "-pw", PASSWORD).who["user"] == "abe"
    wrong, nobody = plink("abe", "-pw", "not this one"), plink("abel", "-pw", "not this one")
    assert (wrong.status, wrong.out) == (1, "")
    assert (nobody.status, nobody.err) == (wrong.status, wrong.err)
    assert plink("guest").who["guest"]


def test_plink_has_a_key(
    house: House, tmp_path: Path, plink: Callable[..., Said], program: Callable[[str], str]
) -> None:
    key, ppk = keygen(tmp_path / "key"), str(tmp_path / "key.ppk")
    house.member("bo", key=key)
    made = run(house, program("puttygen"), str(key), "-O", "private", "-o", ppk)
    assert made.status == 0, made
    assert plink("bo", "-i", ppk).who["user"] == "bo"
    house.member("bert")
    assert plink("bert", "-i", ppk).status == 1


def test_plink_has_a_certificate(
    house: House, tmp_path: Path, plink: Callable[..., Said], program: Callable[[str], str]
) -> None:
    key, ppk = keygen(tmp_path / "key"), str(tmp_path / "key.ppk")
    house.member("cy")
    made = run(house, program("puttygen"), str(key), "-O", "private", "-o", ppk)
    assert made.status == 0, made
    assert plink("cy", "-i", ppk).status == 1
    certificate = house.certify(key, "-n", "cy")
    assert plink("cy", "-i", ppk, "-cert", str(certificate)).who["user"] == "cy"


# ------------------------------------------------------------------------------ Dropbear's dbclient


@pytest.fixture
def dbclient(house: House, program: Callable[[str], str]) -> Callable[..., Said]:
    def call(user: str, *words: str, **env: str) -> Said:
        fixed = ["-y", "-y", "-p", str(house.port)]
        return run(house, program("dbclient"), *fixed, *words, f"{user}@127.0.0.1", *WHO, **env)

    return call


def test_dbclient_gives_its_password(house: House, dbclient: Callable[..., Said]) -> None:
    house.member("dan")
    assert dbclient("dan", DROPBEAR_PASSWORD=PASSWORD).who["user"] == "dan"
    wrong = dbclient("dan", DROPBEAR_PASSWORD="not this one")  # tried until that was enough
    assert (wrong.out, "Disconnect received" in wrong.err) == ("", True)
    assert dbclient("guest").who["guest"]


def test_dbclient_has_a_key(
    house: House, tmp_path: Path, dbclient: Callable[..., Said], program: Callable[[str], str]
) -> None:
    key, own = keygen(tmp_path / "key"), str(tmp_path / "key.dropbear")
    house.member("ed", key=key)
    made = run(house, program("dropbearconvert"), "openssh", "dropbear", str(key), own)
    assert made.status == 0, made
    assert dbclient("ed", "-i", own).who["user"] == "ed"
    house.member("eddy", "publickey")
    assert dbclient("eddy", "-i", own).status == 1


# --------------------------------------------------------------------------------------- asyncssh


class Answers(asyncssh.SSHClient):
    """Answers each question with the next of `answers`, and keeps what was asked."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def kbdint_auth_requested(self) -> str:
        return ""

    def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: list[tuple[str, bool]]
    ) -> list[str] | None:
        self.asked += [prompt for prompt, _ in prompts]
        return [self.answers.pop(0) if self.answers else "" for _ in prompts]


def connect(house: House, user: str, **options: Any) -> Any:
    plain = {"known_hosts": None, "client_keys": None, "agent_path": None, "config": None}
    return asyncssh.connect("127.0.0.1", house.port, username=user, **plain | options)


async def who(house: House, user: str, **options: Any) -> dict[str, Any]:
    async with asyncio.timeout(DEADLINE), connect(house, user, **options) as link:
        told: dict[str, Any] = json.loads((await link.run(" ".join(WHO), check=True)).stdout)
        return told


def test_asyncssh_gives_a_password(house: House) -> None:
    house.member("fred")

    async def story() -> None:
        assert (await who(house, "fred", password=PASSWORD))["user"] == "fred"
        with pytest.raises(asyncssh.PermissionDenied):
            await who(house, "fred", password="not this one", kbdint_auth=False)
        assert (await who(house, "guest"))["guest"]

    asyncio.run(story())


def test_asyncssh_has_a_key_and_a_certificate(house: House, tmp_path: Path) -> None:
    key, certified = keygen(tmp_path / "key"), keygen(tmp_path / "certified")
    house.member("gabe", key=key)
    certificate = house.certify(certified, "-n", "gabe")

    async def story() -> None:
        pair = (str(certified), str(certificate))
        for keys in ([str(key)], [pair], [str(keygen(tmp_path / "other")), str(key)]):
            assert (await who(house, "gabe", client_keys=keys))["user"] == "gabe"
        with pytest.raises(asyncssh.PermissionDenied):
            await who(house, "gabe", client_keys=[(str(certified), None)])

    asyncio.run(story())


def test_asyncssh_answers_what_is_asked(house: House, tmp_path: Path) -> None:
    key = keygen(tmp_path / "key")
    ways = {
        "hank": ("password, totp", {}, [PASSWORD]),
        "hans": ("publickey, totp", {"client_keys": [str(key)]}, []),
        "hugo": ("publickey, password, totp", {"client_keys": [str(key)]}, [PASSWORD]),
    }
    members = {
        name: house.member(name, way, key=key, totp=True) for name, (way, _, _) in ways.items()
    }

    async def story(member: Member, options: dict[str, Any], answers: list[str]) -> None:
        client = Answers(*answers, member.wrong_code())
        with pytest.raises(asyncssh.PermissionDenied):
            await who(house, member.name, client_factory=lambda: client, **options)
        client = Answers(*answers, member.code())
        told = await who(house, member.name, client_factory=lambda: client, **options)
        assert told["user"] == member.name
        assert client.asked[-1] == "One-time code: "
        assert not client.answers

    for name, (way, options, answers) in ways.items():
        asyncio.run(story(members[name], options, answers))
        house.wait_event("auth.ok", user=name, factors=way.replace(", ", "+"))


def test_two_connections_with_one_code_let_one_in(house: House) -> None:
    member = house.member("ike", "password, totp", totp=True)
    code = member.code()

    async def story() -> list[object]:
        clients = [Answers(PASSWORD, code) for _ in range(6)]
        return await asyncio.gather(
            *(who(house, "ike", client_factory=lambda client=client: client) for client in clients),
            return_exceptions=True,
        )

    ends = asyncio.run(story())
    entered = [end for end in ends if isinstance(end, dict)]
    refused = [end for end in ends if isinstance(end, asyncssh.PermissionDenied)]
    assert (len(entered), len(refused)) == (1, 5), ends


# -------------------------------------------------------------------------------------- fabric


def test_fabric_runs_commands_and_copies_files(house: House, tmp_path: Path) -> None:
    """What people automate with: a script in another process, as they would write it."""
    key = keygen(tmp_path / "key", kind="rsa")
    house.member("fab", key=key)
    script = tmp_path / "fabfile.py"
    script.write_text(
        "import json, sys\n"
        "from io import BytesIO\n"
        "from fabric import Connection\n"
        f"how = dict(key_filename={str(key)!r}, look_for_keys=False, allow_agent=False)\n"
        f"with Connection('127.0.0.1', 'fab', {house.port}, connect_kwargs=how) as host:\n"
        "    well = host.run('status now --json', hide=True)\n"
        "    badly = host.run('notes nonsense', hide=True, warn=True)\n"
        "    host.put(BytesIO(b'copied'), 'fab.txt')\n"
        "    back = host.run('files cat fab.txt', hide=True).stdout\n"
        "    told = [json.loads(well.stdout)['threads'] > 0, badly.exited,\n"
        "            \"No such command 'nonsense'\" in badly.stderr, back]\n"
        "print(json.dumps(told))\n"
    )
    done = run(house, sys.executable, str(script))
    assert done.status == 0, done.err
    assert json.loads(done.out) == [True, 2, True, "copied"]


# -------------------------------------------------------------------------------------- libssh2


def test_curl_copies_files(house: House, program: Callable[[str], str], tmp_path: Path) -> None:
    """curl is built on libssh2, which has had MACs over what is sent only since version 1.11."""
    curl = program("curl")
    known = subprocess.run([curl, "-V"], capture_output=True, check=True, timeout=DEADLINE).stdout
    if b" sftp " not in known:
        pytest.skip("this curl has no sftp")
    house.member("curl")
    (tmp_path / "sent").write_bytes(b"line\n" * 20_000)
    words = [curl, "-sS", "--insecure", "--max-time", str(DEADLINE), "-u", f"curl:{PASSWORD}"]
    url = f"sftp://127.0.0.1:{house.port}/files/mine/kept"
    sent, got = str(tmp_path / "sent"), str(tmp_path / "got")
    for way in (["-T", sent, url], ["-o", got, url]):
        done = subprocess.run([*words, *way], capture_output=True, timeout=DEADLINE)
        assert done.returncode == 0, done.stderr.decode()
    assert (tmp_path / "got").read_bytes() == (tmp_path / "sent").read_bytes()
