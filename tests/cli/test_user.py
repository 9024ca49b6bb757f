"""`tuihost user` and `tuihost invite`, called as an operator calls them: what they print, what is
in the store afterwards, and the exit status."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tuihost.accounts import AccountRecord, AccountStore, Invite
from tuihost.cli.main import main
from tuihost.core.keys.offers import fingerprint
from tuihost.core.login.lockout import Lockout, Try
from tuihost.host.login.passwords import Passwords
from tuihost.host.login.services import open_accounts
from tuihost.login.steps.codes import invite_hash, recovery_hash, totp_code, totp_counter
from tuihost.settings.loading import load

PASSWORD = "correct-horse-9"
BLOB = b"\0\0\0\x0bssh-ed25519\0\0\0 " + bytes([7] * 32)
KEY = "ssh-ed25519 " + base64.b64encode(BLOB).decode()
OTHER = "ssh-ed25519 " + base64.b64encode(BLOB[:-1] + b"\x08").decode()
MARK = fingerprint(BLOB)
_NOWHERE = b"\0\0\0\x13ecdsa-sha2-nistp256\0\0\0\x08nistp256\0\0\0\x41\x04" + bytes(64)
WEAK = "ecdsa-sha2-nistp256 " + base64.b64encode(_NOWHERE).decode()
"""A key that is on no curve."""


@dataclass(frozen=True, slots=True)
class Said:
    status: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command line in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUIHOST_SERVER__STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "200")

    def call(*words: str, stdin: str = "", status: int = 0) -> Said:
        monkeypatch.setattr(sys, "argv", ["tuihost", *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as end:
            main()
        caught = capsys.readouterr()
        said = Said(int(end.value.code or 0), caught.out, caught.err)
        assert said.status == status, f"{words}: {said}"
        return said

    return call


@pytest.fixture
def store(run: Run, tmp_path: Path) -> Iterator[AccountStore]:
    """The store of that host, as the host itself opens it; there is an account `ada`."""
    run("user", "add", "ada", "--password-stdin", stdin=f"{PASSWORD}\n")
    opened = open_accounts(load(None, {"TUIHOST_SERVER__STATE_DIR": str(tmp_path / "state")}))
    yield opened
    opened.close()


def ada(store: AccountStore) -> AccountRecord:
    record = store.get("ada")
    assert record is not None
    return record


# ------------------------------------------------------------------------------ accounts


def test_an_account_is_added_with_its_password(store: AccountStore, tmp_path: Path) -> None:
    assert Passwords().verify(ada(store).password_hash, PASSWORD)
    assert ada(store).created == pytest.approx(time.time(), abs=60)
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("words", "stdin", "sentence"),
    [
        (("ada",), PASSWORD, "There is an account 'ada' already."),
        (("Ada",), PASSWORD, "There is an account 'Ada' in other letters already."),
        (("a b",), PASSWORD, "'a b' cannot be an account: a name has no spaces."),
        (("bob",), "short", "A password has at least 8 characters."),
        (("bob",), "", "A password has at least 8 characters."),
        (("bob", "--role", "No!"), PASSWORD, "'No!' cannot be a role"),
        (("bob", "--role", "guest"), PASSWORD, "that of people without an account"),
    ],
)
def test_what_cannot_be_an_account_is_one_sentence(
    store: AccountStore, run: Run, words: tuple[str, ...], stdin: str, sentence: str
) -> None:
    said = run("user", "add", *words, "--password-stdin", stdin=stdin, status=1)
    assert sentence in said.err
    assert [one.name for one in store.all()] == ["ada"]


def test_without_a_terminal_nothing_is_asked(store: AccountStore, run: Run) -> None:
    assert "--password-stdin" in run("user", "add", "bob", status=2).err
    assert "say --yes" in run("user", "delete", "ada", status=1).err
    assert store.get("ada") is not None
    both = run("user", "add", "bob", "--password-stdin", "--no-password", status=2)
    assert "exclude each other" in both.err


def test_nobody_of_that_name(run: Run, store: AccountStore) -> None:
    for words in (
        ("show", "ADA"),
        ("passwd", "ADA", "--password-stdin"),
        ("key", "list", "ADA"),
        ("totp", "on", "ADA"),
        ("roles", "ADA"),
        ("disable", "ADA"),
        ("enable", "ADA"),
        ("delete", "ADA", "--yes"),
    ):
        said = run("user", *words, stdin=PASSWORD, status=1)
        assert said.err == "Error: There is no account 'ADA'. There is 'ada'.\n"


def test_list_and_show_for_people_and_for_programs(store: AccountStore, run: Run) -> None:
    run("user", "add", "bob", "--no-password", "--role", "staff")
    run("user", "key", "add", "bob", f"{KEY} laptop")
    lines = run("user", "list").out.splitlines()
    assert lines[0].split() == [
        "NAME",
        "ROLES",
        "PROVES",
        "WITH",
        "STATE",
        "SINCE",
        "LAST",
        "LOGIN",
    ]
    assert [line.split()[:4] for line in lines[1:]] == [
        ["ada", "-", "password", "open"],
        ["bob", "staff", "1", "key"],
    ]
    found = json.loads(run("user", "list", "--json").out)
    assert [(one["name"], one["password"], one["keys"]) for one in found] == [
        ("ada", True, 0),
        ("bob", False, 1),
    ]
    assert MARK in run("user", "show", "bob").out
    told = run("user", "show", "bob", "--json").out
    assert json.loads(told)["keys"][0]["name"] == "laptop"
    assert "argon2" not in run("user", "show", "ada", "--json").out


def test_no_accounts_yet(run: Run) -> None:
    said = run("user", "list")
    assert (said.out, said.err) == ("", "There are no accounts yet: tuihost user add NAME\n")
    assert json.loads(run("user", "list", "--json").out) == []


def test_a_password_is_changed_and_may_be_for_once(store: AccountStore, run: Run) -> None:
    run("user", "passwd", "ada", "--password-stdin", "--expire", stdin="another-one-5\n")
    assert Passwords().verify(ada(store).password_hash, "another-one-5")
    assert ada(store).password_expired
    run("user", "passwd", "ada", "--password-stdin", stdin="a-third-one-5\n")
    assert not ada(store).password_expired


def test_roles_are_shown_set_added_and_taken(store: AccountStore, run: Run) -> None:
    assert run("user", "roles", "ada").out == "ada has no roles.\n"
    said = run("user", "roles", "ada", "staff", "admin")
    assert said.out == "admin staff\n"
    assert "do not describe the role 'admin': it gives nothing" in said.err
    assert run("user", "roles", "ada", "--add", "x", "--remove", "staff").out == "admin x\n"
    run("user", "roles", "ada", "one", "--add", "x", status=2)
    run("user", "roles", "ada", "--none")
    assert ada(store).roles == frozenset()


def test_groups_are_shown_set_added_and_taken(store: AccountStore, run: Run) -> None:
    assert run("user", "groups", "ada").out == "ada is in no group.\n"
    said = run("user", "groups", "ada", "math", "choir")
    assert said.out == "choir math\n"
    assert "do not describe the group 'choir': it brings no roles" in said.err
    assert "Groups         choir math" in run("user", "show", "ada").out
    assert run("user", "groups", "ada", "--add", "x", "--remove", "math").out == "choir x\n"
    run("user", "groups", "ada", "--none", "--add", "x", status=2)
    run("user", "groups", "ada", "Not one", status=1)
    run("user", "groups", "ada", "--none")
    assert ada(store).groups == frozenset()


def test_a_locked_account_is_unlocked(store: AccountStore, run: Run) -> None:
    assert run("user", "unlock", "ada").out == "ada was not locked: nobody has failed.\n"
    lockout, attempt = Lockout(store), Try("ada", "198.51.100.9", time.time())
    for _ in range(10):
        lockout.failed(attempt, lockout.begin(attempt))
    assert lockout.begin(attempt) is not None
    said = run("user", "unlock", "ada").out
    assert said.startswith("ada is unlocked; 20 failures")
    assert lockout.begin(attempt) is None
    run("user", "unlock", "nobody", status=1)


def test_an_account_is_closed_opened_and_deleted(store: AccountStore, run: Run) -> None:
    run("user", "disable", "ada")
    assert ada(store).disabled
    assert "closed" in run("user", "list").out
    run("user", "enable", "ada")
    assert not ada(store).disabled
    run("user", "delete", "ada", "--yes")
    assert store.get("ada") is None


# ------------------------------------------------------------------------------ keys


def test_keys_come_from_files_lines_and_standard_input(
    store: AccountStore, run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "key.pub"
    file.write_text(f"# mine\n\n{KEY} ada@laptop\n")
    assert run("user", "key", "add", "ada", "key.pub").out == f"ada@laptop  {MARK}\n"
    again = run("user", "key", "add", "ada", *f"{KEY} other name".split())
    assert (again.out, again.err) == ("", f"{MARK} is there already.\n")
    run("user", "key", "add", "ada", "-", "--name", "work", stdin=f'from="10.0.0.0/8" {OTHER}\n')
    first, second = store.keys("ada")
    assert (first.name, first.line) == ("ada@laptop", f"{KEY} ada@laptop")
    assert (second.name, second.line) == ("work", f'from="10.0.0.0/8" {OTHER}')
    listed = json.loads(run("user", "key", "list", "ada", "--json").out)
    assert (listed[0]["kind"], listed[0]["fingerprint"]) == ("ssh-ed25519", MARK)
    assert "ada@laptop  ssh-ed25519" in run("user", "key", "list", "ada").out


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "is a private key, which stays where it is"),
        ("nothing of that kind", "given:1: "),
        (f"{KEY}\nwrong={OTHER}", "given:2: "),
        (f"bogus-option {KEY}", "the option bogus-option is not known"),
        (WEAK, "size or form"),
        ("", "given: there is no key"),
        ("\x1b]0;title\x07", "control characters"),
    ],
)
def test_what_is_no_key_changes_nothing(
    store: AccountStore, run: Run, tmp_path: Path, text: str, sentence: str
) -> None:
    (tmp_path / "given").write_text(text)
    said = run("user", "key", "add", "ada", "given", status=1)
    assert sentence in said.err
    assert "\x1b" not in said.err
    assert store.keys("ada") == ()


def test_a_file_that_is_not_there(store: AccountStore, run: Run, tmp_path: Path) -> None:
    said = run("user", "key", "add", "ada", "gone.pub", status=1)
    assert said.err == "Error: gone.pub: No such file or directory\n"
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    assert "no file of public keys" in run("user", "key", "add", "ada", "binary", status=1).err


def test_a_key_is_renamed_and_removed_by_what_tells_it(store: AccountStore, run: Run) -> None:
    run("user", "key", "add", "ada", f"{KEY} one")
    run("user", "key", "add", "ada", f"{OTHER} two")
    run("user", "key", "rename", "ada", "one", "old laptop")
    run("user", "key", "rename", "ada", MARK[:20], "older laptop")
    assert {one.name for one in store.keys("ada")} == {"older laptop", "two"}
    assert "has no key" in run("user", "key", "remove", "ada", "SHA256:", "-y", status=1).err
    assert "has no key 'three'" in run("user", "key", "remove", "ada", "three", status=1).err
    run("user", "key", "remove", "ada", "two", "--yes")
    assert [one.fingerprint for one in store.keys("ada")] == [MARK]


# ------------------------------------------------------------------------------ second factor


def test_a_second_factor_is_shown_once_with_its_picture(store: AccountStore, run: Run) -> None:
    lines = run("user", "totp", "on", "ada").out.splitlines()
    secret = store.totp_secret("ada")
    assert secret is not None
    shown = next(line for line in lines if len(line.split()) == 8)
    assert base64.b32decode("".join(shown.split())) == secret
    assert len(totp_code(secret, totp_counter(time.time()))) == 6
    picture = [line for line in lines if "█" in line or "▀" in line]
    assert len(picture) <= 24
    assert max(map(len, picture)) <= 80
    codes = [word for line in lines for word in line.split() if len(word) == 11 and "-" in word]
    assert len(codes) == 10
    assert store.take_recovery("ada", recovery_hash("ada", codes[0]))

    assert "say --yes" in run("user", "totp", "on", "ada", status=1).err
    fresh = run("user", "totp", "recovery", "ada").out
    assert not store.take_recovery("ada", recovery_hash("ada", codes[1]))
    assert fresh.split()[-1] not in codes
    run("user", "totp", "off", "ada", "--yes")
    assert (ada(store).totp, ada(store).recovery_left) == (False, 0)
    run("user", "totp", "off", "ada", "--yes", status=1)
    run("user", "totp", "recovery", "ada", status=1)


# ------------------------------------------------------------------------------ ways in


def test_ways_in_are_shown_set_and_cleared(store: AccountStore, run: Run) -> None:
    usual = "ada comes in as the host's settings say.\n"
    assert run("user", "chains", "ada").out == usual
    said = run("user", "chains", "ada", "publickey, totp", "password,totp")
    assert said.out == "publickey,totp\npassword,totp\n"
    assert ada(store).chains == (("publickey", "totp"), ("password", "totp"))
    assert run("user", "chains", "ada").out == said.out
    assert run("user", "chains", "ada", "--default").out == usual
    assert ada(store).chains == ()
    run("user", "chains", "ada", "password", "--default", status=2)
    run("user", "chains", "eve", status=1)


@pytest.mark.parametrize(
    ("chain", "sentence"),
    [
        ("password,tootp", "No factor is called 'tootp'; there are approve, "),
        (" , ", "A way in has one factor at least."),
        ("none", "The factor 'none' is for people without an account."),
    ],
)
def test_ways_that_nobody_can_go_are_refused(
    store: AccountStore, run: Run, chain: str, sentence: str
) -> None:
    assert sentence in run("user", "chains", "ada", "password", chain, status=1).err
    assert ada(store).chains == ()


def test_an_account_by_the_name_of_the_invited_is_warned_of(run: Run) -> None:
    said = run("user", "add", "new", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert said.out == "new has an account now.\n"
    assert "nobody comes in by an invitation" in said.err


# ------------------------------------------------------------------------------ invitations


def test_an_invitation_is_good_for_one_account(store: AccountStore, run: Run) -> None:
    said = run("invite", "--role", "staff", "--days", "2", "--note", "for Bob\x1b[2J")
    code = said.out.split()[1]
    assert said.out.endswith("To use it   ssh -p 8022 new@localhost\n")
    assert store.get("new") is None
    invite = store.peek_invite(invite_hash(code), time.time())
    assert invite is not None
    assert (invite.roles, invite.note) == (frozenset({"staff"}), "for Bob·[2J")
    assert invite.expires == pytest.approx(time.time() + 2 * 86_400, abs=60)
    assert store.take_invite(invite_hash(code), time.time(), AccountRecord("bob"))
    assert store.peek_invite(invite_hash(code), time.time()) is None
    run("invite", "--days", "0", status=2)


def test_invitations_that_ran_out_go_when_one_is_made(store: AccountStore, run: Run) -> None:
    store.add_invite(b"old", Invite(expires=time.time() - 1))
    run("invite")
    assert store.peek_invite(b"old", 0.0) is None


def test_the_name_of_the_invited_is_nobodys(
    store: AccountStore, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUIHOST_LOGIN__INVITE_NAME", "hello")
    assert run("invite").out.endswith(" hello@localhost\n")
    run("user", "add", "hello", "--no-password")
    assert "'hello' is somebody's" in run("invite", status=1).err
    store.update("hello", chains=(("invite",),))
    assert "door for invitations" in run("user", "list").out
    run("invite")
    run("user", "disable", "hello")
    assert "tuihost user enable hello" in run("invite", status=1).err
    monkeypatch.setenv("TUIHOST_LOGIN__INVITE_NAME", "")
    assert "nobody comes by invitation" in run("invite", status=1).err


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ("[server]\nhost = '192.0.2.4'\nport = 22", "ssh new@192.0.2.4"),
        ("[app.about]\naddress = 'demo.example:2222'", "ssh -p 2222 new@demo.example"),
        ("[app.about]\naddress = 'demo.example'", "ssh -p 8022 new@demo.example"),
    ],
)
def test_the_line_to_type_is_the_hosts_own(
    run: Run, tmp_path: Path, settings: str, line: str
) -> None:
    (tmp_path / "tuihost.toml").write_text(settings)
    assert run("invite").out.splitlines()[-1] == f"To use it   {line}"


# ------------------------------------------------------------------------------ what goes wrong


def test_a_store_that_does_not_work_is_69(run: Run, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "accounts.sqlite3").write_text("no database, and longer than a header")
    for words in (("user", "list"), ("invite",), ("user", "show", "ada")):
        said = run(*words, status=69)
        assert "is damaged" in said.err
        assert len(said.err.splitlines()) == 1


def test_settings_that_are_wrong_are_78(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tuihost.toml").write_text("[accounts]\nurl = 'mysql://x'\n")
    assert (
        "accounts.url: 'mysql://x' should be sqlite:///PATH" in run("user", "list", status=78).err
    )
    (tmp_path / "tuihost.toml").write_text("[accounts]\nulr = 1\n")
    assert "did you mean 'url'?" in run("invite", status=78).err


def test_help_of_the_group_imports_nothing_heavy() -> None:
    heavy = ("paramiko", "prompt_toolkit", "rich", "pydantic", "cryptography", "argon2", "sqlite3")
    code = (
        "import sys; from tuihost.cli.main import cli; "
        "cli.main(['user', '--help'], standalone_mode=False); "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.endswith("[]\n"), done.stdout
