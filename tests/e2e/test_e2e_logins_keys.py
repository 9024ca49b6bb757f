"""OpenSSH with keys: its own, from an agent, certified, and with what a line takes away."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.e2e_agent import DeviceAgent
from tests.e2e.e2e_demo import clean_env
from tests.e2e.e2e_house import House, Said, keygen, public
from tests.e2e.e2e_tmux import Open
from tests.ssh.keys.key_tools import PRESENT, SecurityKey
from tests.waiting import DEADLINE, until
from tuihost.core.keys.offers import SK_ECDSA, SK_ED25519

REFUSED = "Permission denied (publickey,password,keyboard-interactive)."
WHO = ("probe", "who")


def refused(said: Said) -> bool:
    return (said.status, said.out) == (255, "") and REFUSED in said.err


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_key_lets_in(house: House, tmp_path: Path, kind: str) -> None:
    name, key = f"ann-{kind}", keygen(tmp_path / "laptop", kind=kind)
    house.member(name, key=key, role="staff")
    assert refused(house.ssh(name, *WHO, key=keygen(tmp_path / "stranger", kind=kind)))
    who = house.ssh(name, *WHO, key=key).who
    assert (who["user"], who["guest"], who["roles"]) == (name, False, ["staff"])
    told = house.shown(name)
    (kept,) = told["keys"]
    house.wait_event("auth.ok", user=name, factors="publickey", key=kept["fingerprint"])
    assert kept["name"] == "laptop"
    assert kept["last_used"]
    # What failed becomes history once its connection is over.
    assert told["logins"][0]["success"]
    assert told["logins"][0]["factors"] == ["publickey"]


def test_ssh_copy_id_adds_a_key(
    house: House, tmp_path: Path, program: Callable[[str], str]
) -> None:
    program("ssh-copy-id")
    member, key = house.member("copier"), keygen(tmp_path / "copied")
    done = house.copy_id("copier", key, member.password)
    assert (done.status, "Number of key(s) added: 1" in done.out) == (0, True), done
    assert house.ssh("copier", *WHO, key=key).who["user"] == "copier"
    again = house.copy_id("copier", key, member.password)
    assert "All keys were skipped because they already exist" in again.err, again
    assert house.copy_id("copier", key, member.password, "-f").status == 0
    assert len(house.shown("copier")["keys"]) == 1


def test_ssh_copy_id_tells_a_guest_why_not(
    house: House, tmp_path: Path, program: Callable[[str], str]
) -> None:
    program("ssh-copy-id")
    done = house.copy_id("guest-copier", keygen(tmp_path / "guests"), "none", "-f")
    assert done.status == 1
    assert "You are a guest here, and guests have no account." in done.err


def test_an_agent_of_fifty_keys_gets_to_the_right_one(
    house: House, tmp_path: Path, program: Callable[[str], str]
) -> None:
    keys = [keygen(tmp_path / f"key{number}") for number in range(50)]
    house.member("bob", key=keys[-1])
    env = {"SSH_AUTH_SOCK": str(house.folder / "agent")}
    agent = subprocess.Popen(
        [program("ssh-agent"), "-D", "-a", env["SSH_AUTH_SOCK"]], stdout=subprocess.DEVNULL
    )
    try:
        until(Path(env["SSH_AUTH_SOCK"]).exists, "the agent")
        subprocess.run(
            [program("ssh-add"), "-q", *map(str, keys)],
            env=clean_env(tmp_path, **env),
            check=True,
            capture_output=True,
            timeout=DEADLINE,
        )
        said = house.ssh("bob", *WHO, options=["-v"], env=env)
        assert said.err.count("Offering public key:") == 50, said.err
        assert said.err.count("Server accepts key:") == 1, said.err
        assert said.who["user"] == "bob"
    finally:
        agent.terminate()
        agent.wait(DEADLINE)


@pytest.mark.parametrize("kind", [SK_ED25519, SK_ECDSA])
def test_a_fido_device_lets_in_when_it_was_touched(house: House, tmp_path: Path, kind: str) -> None:
    name, device = f"fay-{kind[3:6]}", SecurityKey(kind)
    (tmp_path / "device.pub").write_text(f"{device.line}\n")
    house.member(name)
    house.tuihost("user", "key", "add", name, str(tmp_path / "device.pub"))
    for flags, touched in ((PRESENT, True), (0, False)):
        path = house.folder / "device"
        agent = DeviceAgent(path, flags, device)
        try:
            said = house.ssh(name, *WHO, env={"SSH_AUTH_SOCK": str(path)})
        finally:
            agent.close()
            path.unlink()
        if touched:
            assert said.who["user"] == name
            house.wait_event("auth.ok", user=name, factors="publickey")
        else:
            assert refused(said)
            house.wait_event("auth.denied", user=name, having="nobody touched the security key")


def test_a_key_is_somebodys_no_more_once_it_is_removed(house: House, tmp_path: Path) -> None:
    key = keygen(tmp_path / "old")
    house.member("cem", key=key)
    assert house.ssh("cem", *WHO, key=key).who["user"] == "cem"
    house.tuihost("user", "key", "remove", "cem", "old", "--yes")
    assert refused(house.ssh("cem", *WHO, key=key))
    house.tuihost("user", "key", "add", "cem", str(public(key)))
    assert house.ssh("cem", *WHO, key=key).who["user"] == "cem"
    house.tuihost("user", "disable", "cem")
    assert refused(house.ssh("cem", *WHO, key=key))


# ------------------------------------------------------------------------------- certificates


def test_a_certificate_lets_in(house: House, tmp_path: Path) -> None:
    house.member("dov")
    key = keygen(tmp_path / "dov")
    assert refused(house.ssh("dov", *WHO, key=key)), "the key itself is nobody's"
    house.certify(key, "-n", "dov,somebody", "-V", "-5m:+5m")
    assert house.ssh("dov", *WHO, key=key).who["user"] == "dov"


@pytest.mark.parametrize(
    ("whose", "words"),
    [
        ("anothers", "-n somebody"),
        ("nobodys", "-V -5m:+5m"),
        ("expired", "-n NAME -V -2h:-1h"),
        ("early", "-n NAME -V +1h:+2h"),
        ("hosts", "-n NAME -h"),
        ("elsewhere", "-n NAME -O source-address=10.0.0.0/8"),
        ("unknown", "-n NAME -O critical:shoe-size=44"),
    ],
)
def test_a_certificate_that_does_not_fit_is_refused(
    house: House, tmp_path: Path, whose: str, words: str
) -> None:
    name, key = f"eda-{whose}", keygen(tmp_path / "key")
    house.member(name)
    house.certify(key, *words.replace("NAME", name).split())
    assert refused(house.ssh(name, *WHO, key=key))


def test_a_certificate_by_a_stranger_is_refused(house: House, tmp_path: Path) -> None:
    house.member("fox")
    key = keygen(tmp_path / "fox")
    house.certify(key, "-n", "fox", authority=keygen(tmp_path / "ca"))
    assert refused(house.ssh("fox", *WHO, key=key))


def test_a_certificate_brings_its_command_and_takes_the_terminal(
    house: House, tmp_path: Path
) -> None:
    house.member("gus")
    key = keygen(tmp_path / "gus")
    house.certify(key, "-n", "gus", "-O", "force-command=probe who", "-O", "no-pty")
    who = house.ssh("gus", "notes", "list", key=key).who
    assert (who["user"], who["env"]["SSH_ORIGINAL_COMMAND"]) == ("gus", "notes list")
    said = house.ssh("gus", key=key, options=["-tt"])
    assert (said.status, said.out, "PTY allocation request failed" in said.err) == (255, "", True)


def test_what_is_revoked_lets_nobody_in(house: House, tmp_path: Path) -> None:
    key, certified = keygen(tmp_path / "plain"), keygen(tmp_path / "certified")
    house.member("hal", key=key)
    house.certify(certified, "-n", "hal", "-z", "7")
    for path in (key, certified):
        assert house.ssh("hal", *WHO, key=path).who["user"] == "hal"
    house.revoke(public(key), tmp_path / "certified-cert.pub")
    for path in (key, certified):
        assert refused(house.ssh("hal", *WHO, key=path))


# ---------------------------------------------------------------------------- authorized_keys


def authorize(house: House, name: str, key: Path, options: str = "") -> None:
    house.member(name)
    line = f"{options} {public(key).read_text()}".lstrip()
    (house.folder / "keys" / name).write_text(line)


def test_a_file_of_keys_lets_in_too(house: House, tmp_path: Path) -> None:
    key = keygen(tmp_path / "key")
    authorize(house, "ida", key)
    assert house.ssh("ida", *WHO, key=key).who["user"] == "ida"
    house.member("ivo")
    assert refused(house.ssh("ivo", *WHO, key=key)), "nobody else by it"


def test_a_forced_command_runs_whatever_is_asked_for(house: House, tmp_path: Path) -> None:
    key = keygen(tmp_path / "key")
    authorize(house, "jan", key, 'command="probe who",no-pty,environment="LANG=C"')
    env = house.ssh("jan", "notes", "add", "x", key=key).who["env"]
    assert (env["SSH_ORIGINAL_COMMAND"], env["LANG"]) == ("notes add x", "C")
    who = house.ssh("jan", key=key).who
    assert (who["user"], "SSH_ORIGINAL_COMMAND" in who["env"]) == ("jan", False)
    said = house.ssh("jan+notes", "list", key=key)
    assert said.who["env"]["SSH_ORIGINAL_COMMAND"] == "list", "nor by an app in the name"
    said = house.ssh("jan", "notes", key=key, options=["-s"])
    assert said.who["env"]["SSH_ORIGINAL_COMMAND"] == "notes", "nor as a subsystem"


def test_whoever_may_have_no_terminal_gets_plain_lines(
    house: House, tmp_path: Path, open_terminal: Open
) -> None:
    key = keygen(tmp_path / "key")
    authorize(house, "jil", key, "restrict")
    terminal = open_terminal()
    terminal.shell(f"ssh -p {house.port} -i {key} jil@127.0.0.1")
    terminal.wait_for("PTY allocation request failed", "Welcome to the house, jil.")
    terminal.type("q").press("Enter").wait_for("Goodbye, jil").wait_shell(0)
    said = house.ssh("jil", key=key, options=["-N", "-oExitOnForwardFailure=yes", "-R0:x:1"])
    assert (said.status, "remote port forwarding failed" in said.err) == (255, True)


@pytest.mark.parametrize(
    ("why", "options"),
    [
        ("elsewhere", 'from="10.0.0.0/8"'),
        ("excepted", 'from="!127.0.0.1,*"'),
        ("expired", 'expiry-time="20200101"'),
        ("unknown", "shoe-size"),
        ("authority", "cert-authority"),
    ],
)
def test_a_line_that_does_not_fit_is_refused(
    house: House, tmp_path: Path, why: str, options: str
) -> None:
    name, key = f"kai-{why}", keygen(tmp_path / "key")
    authorize(house, name, key, options)
    assert refused(house.ssh(name, *WHO, key=key))


def test_a_file_that_others_write_to_is_not_believed(house: House, tmp_path: Path) -> None:
    key = keygen(tmp_path / "key")
    authorize(house, "lea", key)
    (house.folder / "keys" / "lea").chmod(0o666)
    assert refused(house.ssh("lea", *WHO, key=key))
    until(
        lambda: any("keys/lea" in line for line in house.events("keys.broken")),
        "the file in the log",
    )
    (house.folder / "keys" / "lea").chmod(0o600)
    assert house.ssh("lea", *WHO, key=key).who["user"] == "lea"


def test_an_authority_of_one_person_certifies_for_them_alone(house: House, tmp_path: Path) -> None:
    authority, key = keygen(tmp_path / "ca"), keygen(tmp_path / "key")
    authorize(house, "max", authority, 'cert-authority,principals="maxine"')
    house.member("mia")
    house.certify(key, "-n", "maxine,mia", authority=authority)
    assert house.ssh("max", *WHO, key=key).who["user"] == "max"
    assert refused(house.ssh("mia", *WHO, key=key))


def test_a_key_of_a_forwarded_agent_is_taken_in_once_it_has_signed(
    house: House, tmp_path: Path, program: Callable[[str], str]
) -> None:
    first, second = keygen(tmp_path / "first"), keygen(tmp_path / "second", kind="rsa")
    house.member("gretel", key=first)
    env = {"SSH_AUTH_SOCK": str(house.folder / "agent-gretel")}
    agent = subprocess.Popen(
        [program("ssh-agent"), "-D", "-a", env["SSH_AUTH_SOCK"]], stdout=subprocess.DEVNULL
    )
    try:
        until(Path(env["SSH_AUTH_SOCK"]).exists, "the agent")
        for key in (first, second):
            subprocess.run(
                [program("ssh-add"), "-q", str(key)],
                env=clean_env(tmp_path, **env), check=True, capture_output=True, timeout=DEADLINE,
            )  # fmt: skip
        listed = house.ssh("gretel", "account agent --json", options=["-A"], env=env)
        told = json.loads(listed.out)
        assert [(one["comment"], one["in_account"]) for one in told] == [
            ("first", True), ("second", False),
        ]  # fmt: skip
        added = house.ssh("gretel", "account agent --add second", options=["-A"], env=env)
        assert (added.status, added.out[:13]) == (0, "Added SHA256:"), added
        none = house.ssh("gretel", "account agent --add third", options=["-A"], env=env)
        assert (none.status, none.err) == (
            1,
            "No key in your agent is called third; see: account agent\n",
        )
        without = house.ssh("gretel", "account agent", env=env)
        assert (without.status, without.err.partition(":")[0]) == (
            1,
            "You brought no agent. Connect with",
        )
    finally:
        agent.terminate()
        agent.wait(DEADLINE)
    assert house.ssh("gretel", *WHO, key=second).who["user"] == "gretel"
