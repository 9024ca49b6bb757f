"""The verifier, asked by real clients: who gets in by which chains, and with what."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import asyncssh
import paramiko
import pytest
from prompt_toolkit.application import Application
from prompt_toolkit.layout import FormattedTextControl, Layout, Window

from tests.waiting import DEADLINE
from tuihost import Accepts, App, Session, X11Display, command
from tuihost.accounts import AccountRecord, KeyRecord
from tuihost.core.keys.offers import fingerprint
from tuihost.errors import SettingsError
from tuihost.login.steps.codes import totp_code, totp_counter
from tuihost.testing import Hosted, hosted
from tuihost.testing.hosted import hang_up

PASSWORD = "correct horse battery"


class Box(App):
    """Tells who came in."""

    name = "box"
    title = "Box"

    @command
    def who(self, session: Session) -> None:
        account = session.account
        session.print(f"{account.key} {','.join(sorted(account.roles))} {account.guest}")

    @command
    def danger(self, session: Session) -> None:
        session.print("done")


class Vault(Box):
    """Not for everybody."""

    name = "vault"
    title = "Vault"


def key_line(key: paramiko.PKey, options: str = "") -> str:
    return f"{options} {key.get_name()} {key.get_base64()}".strip()


@pytest.fixture(scope="module")
def key() -> paramiko.PKey:
    return paramiko.ECDSAKey.generate(bits=256)


@pytest.fixture(scope="module")
def other_key() -> paramiko.PKey:
    return paramiko.ECDSAKey.generate(bits=256)


@contextmanager
def host_with_ada(
    *, state_dir: Path | None = None, bundled: Sequence[str] = (), **settings: Any
) -> Iterator[Hosted]:
    """A host with an account `ada`, who has a password and the role `staff`."""
    given = {name.replace("__", "."): value for name, value in settings.items()}
    with hosted(Box(), Vault(), settings=given, state_dir=state_dir, bundled=bundled) as host:
        login_services = host.server.login_services
        login_services.store.create(
            AccountRecord(
                "ada",
                roles=frozenset({"staff"}),
                password_hash=login_services.passwords.hash(PASSWORD),
            )
        )
        yield host


def give_key(host: Hosted, key: paramiko.PKey, options: str = "", name: str = "ada") -> str:
    blob = key.asbytes()
    record = KeyRecord(name, fingerprint(blob), "laptop", key_line(key, options))
    assert host.server.login_services.store.add_key(record)
    return record.fingerprint


def ran(transport: paramiko.Transport, line: str) -> tuple[int, str]:
    """Status and everything said of one command."""
    channel = transport.open_session(timeout=DEADLINE)
    channel.settimeout(DEADLINE)
    channel.set_combine_stderr(True)
    channel.exec_command(line)
    said = channel.makefile("rb").read().decode()
    return channel.recv_exit_status(), said


@contextmanager
def entered(host: Hosted, user: str = "ada", password: str = PASSWORD) -> Iterator[Any]:
    transport = host.dial()
    try:
        assert transport.auth_password(user, password) == []
        yield transport
    finally:
        hang_up(transport)


@contextmanager
def dialled(host: Hosted) -> Iterator[paramiko.Transport]:
    transport = host.dial()
    try:
        yield transport
    finally:
        hang_up(transport)


def methods(transport: paramiko.Transport, user: str) -> Sequence[str]:
    """The methods that `none` is told of."""
    with pytest.raises(paramiko.BadAuthenticationType) as refused:
        transport.auth_none(user)
    return refused.value.allowed_types


def one_time_code(host: Hosted, name: str = "ada") -> str:
    login_services = host.server.login_services
    secret = login_services.store.totp_secret(name)
    assert secret is not None
    return totp_code(secret, totp_counter(login_services.now()))


# ---------------------------------------------------------------------------------- guests


def test_guests_enter_as_before_and_leave_no_trace(tmp_path: Path) -> None:
    with hosted(Box(), state_dir=tmp_path) as host:
        outcome = host.run("box who", user="zoe")
        assert outcome.text == "guest:zoe  True\n"
        host.log.wait_for("conn.closed")
        assert not (tmp_path / "accounts.sqlite3").exists()


@pytest.mark.parametrize("name", ["ada", "Ada", "ADA+box", "\uff41da"])
def test_no_guest_has_an_accounts_name_in_any_letter_case(name: str) -> None:
    with host_with_ada() as host, dialled(host) as client:
        assert list(methods(client, name)) == ["publickey", "password", "keyboard-interactive"]


def test_guests_have_the_names_that_the_settings_give_them() -> None:
    with host_with_ada(login__guest_names=["guest", "demo-*"]) as host:
        host.connect("demo-7").close()
        with dialled(host) as client:
            methods(client, "zoe")
    with host_with_ada(login__guests=False) as host, dialled(host) as client:
        methods(client, "zoe")


def test_an_account_never_gets_none_by_chains_of_its_own() -> None:
    with host_with_ada() as host:
        host.server.login_services.store.update("ada", chains=(("none",), ("password",)))
        with dialled(host) as client:
            assert list(methods(client, "ada")) == ["password", "keyboard-interactive"]


# ---------------------------------------------------------------------------------- ways in


def test_a_password_and_what_comes_with_it() -> None:
    with host_with_ada() as host, entered(host) as client:
        assert ran(client, "box who") == (0, "ada staff False\n")
        (login,) = host.server.login_services.store.logins("ada")
        assert (login.address, login.factors, login.success) == ("127.0.0.1", ("password",), True)


@pytest.mark.parametrize(
    ("user", "change", "reason"),
    [
        ("ada", {}, "the password is wrong"),
        ("Ada", {}, "there is no such account"),
        ("eve", {}, "there is no such account"),
        ("ada", {"disabled": True}, "the account is closed"),
    ],
)
def test_what_a_client_learns_is_always_the_same(
    user: str, change: dict[str, Any], reason: str
) -> None:
    with host_with_ada(login__guests=False) as host, dialled(host) as client:
        host.server.login_services.store.update("ada", **change)
        expected = ["publickey", "password", "keyboard-interactive"]
        assert list(methods(client, user)) == expected
        wrong = PASSWORD if change or user != "ada" else "wrong"
        with pytest.raises(paramiko.AuthenticationException) as refused:
            client.auth_password(user, wrong)
        assert type(refused.value) is paramiko.AuthenticationException
        assert list(methods(client, user)) == expected
        assert host.log.wait_for("auth.denied")["reason"] == reason


def test_what_failed_is_in_the_history_once_the_connection_is_over() -> None:
    with host_with_ada() as host:
        with dialled(host) as client, pytest.raises(paramiko.AuthenticationException):
            client.auth_password("ada", "wrong")
        host.log.wait_for("conn.closed")
        with entered(host):
            latest, before = host.server.login_services.store.logins("ada")
        assert (latest.success, before.success, before.factors) == (True, False, ("password",))


@pytest.mark.usefixtures("real_costs")
def test_a_hash_of_other_costs_is_made_anew_when_it_was_right() -> None:
    from argon2 import PasswordHasher

    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
    with host_with_ada() as host:
        store = host.server.login_services.store
        store.update("ada", password_hash=cheap)
        for _ in range(2):
            with entered(host):
                record = store.get("ada")
            assert record is not None
            assert record.password_hash is not None
            assert "m=19456,t=2,p=1" in record.password_hash


def test_a_key_and_a_code(key: paramiko.PKey, other_key: paramiko.PKey) -> None:
    with host_with_ada(login__chains=["publickey, totp"]) as host:
        store = host.server.login_services.store
        store.set_totp("ada", b"0" * 20)
        mark = give_key(host, key)
        with dialled(host) as client:
            with pytest.raises(paramiko.AuthenticationException):
                client.auth_publickey("ada", other_key)
            assert client.auth_publickey("ada", key) == ["keyboard-interactive"]
            code = one_time_code(host)
            assert client.auth_interactive("ada", lambda *_: [code]) == []
            assert ran(client, "box who") == (0, "ada staff False\n")
        # What failed on the way comes into the history once the host sees that the client is gone.
        (entered,) = [login for login in store.logins("ada") if login.success]
        assert (entered.factors, entered.fingerprint) == (("publickey", "totp"), mark)
        assert store.keys("ada")[0].last_used is not None
        with dialled(host) as client:  # the same code, a second time
            client.auth_publickey("ada", key)
            with pytest.raises(paramiko.AuthenticationException):
                client.auth_interactive("ada", lambda *_: [code])


@pytest.mark.parametrize("name", ["ada", "nobody"])
def test_a_wrong_answer_is_told_before_it_is_asked_again(name: str) -> None:
    said: list[str] = []

    def wrong(title: str, instruction: str, prompts: object) -> list[str]:
        said.append(instruction)
        return ["wrong"]

    with host_with_ada(login__chains=["totp, password", "invite"]) as host:
        host.server.login_services.store.set_totp("ada", b"0" * 20)
        with dialled(host) as client:
            for _ in range(2):
                with pytest.raises(paramiko.AuthenticationException):
                    client.auth_interactive(name, wrong)
    assert said == ["", "That was not accepted. Please try again."]


def test_an_expired_password_is_changed_by_questions() -> None:
    asked: list[str] = []

    def answer(title: str, instructions: str, prompts: list[tuple[str, bool]]) -> list[str]:
        asked.extend(text for text, _ in prompts)
        return [PASSWORD if text == "Password: " else "a better horse 9" for text, _ in prompts]

    with host_with_ada() as host:
        host.server.login_services.store.update("ada", password_expired=True)
        with dialled(host) as client:
            with pytest.raises(paramiko.AuthenticationException):
                client.auth_password("ada", PASSWORD)
            assert client.auth_interactive("ada", answer) == []
        assert asked == ["Password: ", "New password: ", "New password again: "]
        with entered(host, password="a better horse 9"):
            pass


def test_an_accounts_own_ways_come_before_the_apps_and_these_before_the_hosts(
    key: paramiko.PKey,
) -> None:
    with host_with_ada(login__app_chains={"vault": ["publickey, password"]}) as host:
        with dialled(host) as client:
            assert list(methods(client, "ada+vault")) == ["publickey"]
        with dialled(host) as client:
            assert list(methods(client, "nobody-at-all+vault")) == ["publickey"]
        host.server.login_services.store.update("ada", chains=(("password",),))
        with dialled(host) as client:
            assert list(methods(client, "ada+vault")) == ["password", "keyboard-interactive"]


def test_an_app_with_ways_of_its_own_is_closed_to_who_came_in_otherwise(
    key: paramiko.PKey,
) -> None:
    with host_with_ada(login__app_chains={"vault": ["publickey, password"]}) as host:
        give_key(host, key)
        with entered(host) as client:
            assert ran(client, "box who")[0] == 0
            assert ran(client, "vault who") == (
                127,
                "tuihost: no app is called vault; there is box.\n",
            )
        with dialled(host) as client:
            assert client.auth_publickey("ada+vault", key) == ["password", "keyboard-interactive"]
            assert client.auth_password("ada+vault", PASSWORD) == []
            assert ran(client, "who") == (0, "ada staff False\n")
        guest = host.connect("zoe")
        assert ran(guest, "vault who")[0] == 127
        hang_up(guest)


def test_easier_ways_to_one_app_lead_to_that_app_alone() -> None:
    given = {"login__chains": ["publickey"], "login__app_chains": {"box": ["password"]}}
    with host_with_ada(**given) as host, entered(host, "ada+box") as client:
        assert ran(client, "who") == (0, "ada staff False\n")
        assert host.host.access.names_for(host.host.inside()[0].visitor) == {"box"}


# ---------------------------------------------------------------------------------- roles


def test_roles_open_apps_and_commands() -> None:
    roles = {
        "roles.guest": {"apps": ["box"], "commands": ["box who"]},
        "roles.user": {"apps": ["box"]},
        "roles.staff": {"apps": ["vault"]},
    }
    with host_with_ada(**{name.replace(".", "__"): value for name, value in roles.items()}) as host:
        with entered(host) as client:
            assert ran(client, "vault danger") == (0, "done\n")
        guest = host.connect("zoe")
        assert ran(guest, "box who")[0] == 0
        assert ran(guest, "box danger") == (2, "tuihost: you may not run box danger\n")
        assert ran(guest, "box -- danger")[0] == 2
        assert ran(guest, "vault who")[0] == 127
        # ada has hung up, but the host may not have read it yet.
        (visitor,) = (login.visitor for login in host.host.inside() if login.visitor.name == "zoe")
        cards = {card.name: card.commands for card in host.host.apps(visitor)}
        assert cards == {"box": ("who",)}
        hang_up(guest)


# ---------------------------------------------------------------------------------- keys' options


def test_a_keys_command_stands_in_for_everything(key: paramiko.PKey) -> None:
    with host_with_ada() as host:
        give_key(host, key, 'command="box who",no-pty')
        for user in ("ada", "ada+vault"):
            with dialled(host) as client:
                assert client.auth_publickey(user, key) == []
                for line in ("vault danger", "box danger", "box who; box danger"):
                    assert ran(client, line) == (0, "ada staff False\n")
                channel = client.open_session(timeout=DEADLINE)
                with pytest.raises(paramiko.SSHException):
                    channel.get_pty()
                with closing(client.open_session(timeout=DEADLINE)) as shell:
                    shell.settimeout(DEADLINE)
                    shell.invoke_shell()
                    assert shell.makefile("rb").read() == b"ada staff False\n"


def test_nothing_leads_out_of_a_keys_command(key: paramiko.PKey) -> None:
    with host_with_ada() as host:
        give_key(host, key, 'command="vault"')
        with dialled(host) as client:
            client.auth_publickey("ada", key)
            client.open_session(timeout=DEADLINE)
            visitor = host.host.inside()[0].visitor
            assert host.host.access.names_for(visitor) == {"vault"}
            assert host.host.access.home_of(visitor) == "vault"


class Screen(App):
    """One full screen."""

    def __init__(self, name: str) -> None:
        self.name = self.title = name
        self.built = 0

    def build(self, session: Session) -> Application[Any]:
        self.built += 1
        text = FormattedTextControl(f"the screen of {self.name}")
        return Application(layout=Layout(Window(text)), full_screen=True)


def test_the_keys_that_lead_to_the_menu_do_not_lead_out_either(key: paramiko.PKey) -> None:
    menu, kiosk = Screen("menu"), Screen("kiosk")
    with hosted(menu, kiosk) as host:
        host.server.login_services.store.create(AccountRecord("ada"))
        give_key(host, key, 'command="kiosk"')
        with dialled(host) as client:
            client.auth_publickey("ada", key)
            channel = client.open_session(timeout=DEADLINE)
            channel.settimeout(DEADLINE)
            channel.get_pty("xterm-256color")
            channel.invoke_shell()
            seen = b""
            while b"kiosk" not in seen:
                seen += channel.recv(4096)
            channel.send(b"\x1d")
            channel.send(b"\x1d")
            channel.close()
        host.log.wait_for("session.end")
        assert (kiosk.built, menu.built) == (1, 0)


@pytest.mark.parametrize(
    ("options", "lets_in"),
    [
        ('from="127.0.0.1"', True),
        ('from="198.51.100.0/24"', False),
        ('expiry-time="20000101"', False),
        ("cert-authority", False),
    ],
)
def test_what_a_keys_line_says_counts(key: paramiko.PKey, options: str, lets_in: bool) -> None:
    with host_with_ada() as host, dialled(host) as client:
        give_key(host, key, options)
        if lets_in:
            assert client.auth_publickey("ada", key) == []
        else:
            with pytest.raises(paramiko.AuthenticationException):
                client.auth_publickey("ada", key)


class Shows(Box):
    """Takes whatever people bring."""

    name = "shows"
    accepts = Accepts(x11=True, agent=True)

    def x11(self, session: Session, display: X11Display) -> None: ...


Ask = Callable[[paramiko.Channel], object]


@pytest.mark.parametrize(
    ("options", "ask", "reason"),
    [
        (
            "no-x11-forwarding",
            lambda channel: channel.request_x11(0, "MIT-MAGIC-COOKIE-1", "0" * 32),
            "the key does not allow X11 forwarding",
        ),
        (
            "no-agent-forwarding",
            lambda channel: channel.request_forward_agent(lambda _: None),
            "the key does not allow agent forwarding",
        ),
        ("no-pty", lambda channel: channel.get_pty(), "the key does not allow a terminal"),
    ],
)
def test_what_a_key_takes_away_is_refused(
    key: paramiko.PKey, options: str, ask: Ask, reason: str
) -> None:
    with hosted(Shows()) as host:
        host.server.login_services.store.create(AccountRecord("ada"))
        give_key(host, key, options)
        with dialled(host) as client:
            assert client.auth_publickey("ada", key) == []
            with suppress(paramiko.SSHException):
                ask(client.open_session(timeout=DEADLINE))
            assert host.log.wait_for("request.refused")["reason"] == reason


@pytest.mark.parametrize(
    "options", ["restrict,pty", 'from="127.0.0.1"', 'expiry-time="29990101"', "no-agent-forwarding"]
)
def test_a_key_with_limits_cannot_make_itself_unlimited(
    key: paramiko.PKey, other_key: paramiko.PKey, options: str
) -> None:
    asked = f"add {key_line(other_key)}\npassword\nsecond\nclose\nyes\n\n".encode()
    with host_with_ada(bundled=["account"]) as host:
        give_key(host, key, options)
        before = host.server.login_services.store.get("ada")
        with dialled(host) as client:
            assert client.auth_publickey("ada+account", key) == []
            channel = client.open_session(timeout=DEADLINE)
            channel.settimeout(DEADLINE)
            channel.invoke_shell()
            channel.sendall(asked)
            said = channel.makefile("rb").read().decode()
        assert said.count("this login cannot change how you log in") == 4
        store = host.server.login_services.store
        assert [kept.fingerprint for kept in store.keys("ada")] == [fingerprint(key.asbytes())]
        assert store.get("ada") == before


def test_a_file_of_keys(key: paramiko.PKey, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    file = keys / "ada"
    file.write_text(f"no line at all\n{key_line(key)}\n")
    file.chmod(0o600)
    with host_with_ada(login__authorized_keys=[f"{keys}/%u"]) as host:
        with dialled(host) as client:
            assert client.auth_publickey("ada", key) == []
        assert str(file) in host.log.wait_for("keys.broken")["reason"]
        file.chmod(0o666)  # now anybody could have written it
        with dialled(host) as client, pytest.raises(paramiko.AuthenticationException):
            client.auth_publickey("ada", key)
        (keys / "eve").write_text(key_line(key))  # a file makes nobody an account
        with dialled(host) as client, pytest.raises(paramiko.AuthenticationException):
            client.auth_publickey("eve", key)


def test_a_revoked_key_from_the_next_try_on(key: paramiko.PKey, tmp_path: Path) -> None:
    revoked = tmp_path / "revoked"
    revoked.write_text("")
    revoked.chmod(0o600)
    with host_with_ada(login__revoked_keys=str(revoked)) as host:
        give_key(host, key)
        with dialled(host) as client:
            assert client.auth_publickey("ada", key) == []
        for text in (key_line(key), "no line at all"):  # what cannot be read revokes everything
            revoked.write_text(text)
            with dialled(host) as client, pytest.raises(paramiko.AuthenticationException):
                client.auth_publickey("ada", key)
    with pytest.raises(SettingsError), host_with_ada(login__revoked_keys=str(tmp_path / "none")):
        pass


# ---------------------------------------------------------------------------------- trouble


def test_a_locked_account_takes_no_right_password_either_and_opens_again() -> None:
    with host_with_ada(sources__lockout_failures=3, login__max_tries=10) as host:
        login_services = host.server.login_services
        clock = [login_services.now()]
        login_services.now = lambda: clock[0]
        with dialled(host) as client:
            for _ in range(3):
                with pytest.raises(paramiko.AuthenticationException):
                    client.auth_password("ada", "wrong")
            for _ in range(2):
                with pytest.raises(paramiko.AuthenticationException):
                    client.auth_password("ada", PASSWORD)
                with pytest.raises(paramiko.AuthenticationException):
                    client.auth_interactive("ada", lambda *_: [PASSWORD])
        reasons = [one["reason"] for one in host.log.named("auth.denied")]
        assert reasons[:3] == ["the password is wrong"] * 3
        assert all("too many failures" in reason for reason in reasons[3:])
        clock[0] += 901
        with entered(host):
            pass


def test_many_right_passwords_at_once_lock_nobody_out() -> None:
    with host_with_ada(sources__lockout_failures=3, sources__startups="50:30:100") as host:
        inside: list[bool] = []

        def come_in() -> None:
            with entered(host):
                inside.append(True)

        threads = [threading.Thread(target=come_in) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE)
        assert len(inside) == 12


def test_a_lock_does_not_keep_a_key_out(key: paramiko.PKey) -> None:
    with host_with_ada(sources__lockout_failures=1) as host, dialled(host) as client:
        give_key(host, key)
        for _ in range(2):
            with pytest.raises(paramiko.AuthenticationException):
                client.auth_password("ada", "wrong")
        assert client.auth_publickey("ada", key) == []


def test_a_store_that_does_not_work_lets_nobody_in_and_says_so(
    tmp_path: Path, key: paramiko.PKey
) -> None:
    with host_with_ada(state_dir=tmp_path) as host:
        give_key(host, key)
        store = tmp_path / "accounts.sqlite3"
        away = tmp_path / "away"
        store.rename(away)
        with dialled(host) as client:
            methods(client, "zoe")  # whether that is a guest's name, nobody can tell now
            with pytest.raises(paramiko.AuthenticationException):
                client.auth_password("ada", PASSWORD)
            with pytest.raises(paramiko.AuthenticationException):
                client.auth_publickey("ada", key)
            with pytest.raises(paramiko.AuthenticationException):
                client.auth_interactive("ada", lambda *_: ["x"])
        assert "accounts.sqlite3 is gone" in host.log.wait_for("store.error")["reason"]
        assert not [one for one in host.log.events if "error" in one[1]]  # no traces: one line each
        away.rename(store)
        with entered(host):
            pass
        host.connect("zoe").close()


def test_who_cannot_be_written_down_does_not_come_in(tmp_path: Path) -> None:
    with host_with_ada(state_dir=tmp_path) as host:
        host.server.login_services.store._database._busy = 0.05
        with entered(host):
            pass
        # Opened again with less patience.
        host.server.login_services.store._database._writer.close()
        other = sqlite3.connect(tmp_path / "accounts.sqlite3", isolation_level=None)
        other.execute("begin immediate")
        with dialled(host) as client, pytest.raises(paramiko.AuthenticationException):
            client.auth_password("ada", PASSWORD)
        other.execute("rollback")
        other.close()
        assert "locked by another process" in host.log.wait_for("store.error")["reason"]
        with entered(host):
            pass


def test_an_account_closed_half_way_through_its_login_stays_out(key: paramiko.PKey) -> None:
    with host_with_ada(login__chains=["publickey, password"]) as host, dialled(host) as client:
        give_key(host, key)
        client.auth_publickey("ada", key)
        host.server.login_services.store.update("ada", disabled=True)
        with pytest.raises(paramiko.AuthenticationException):
            client.auth_password("ada", PASSWORD)


def test_two_keys_that_want_different_commands_let_nobody_in(
    key: paramiko.PKey, other_key: paramiko.PKey
) -> None:
    with host_with_ada(login__chains=["publickey, publickey"]) as host, dialled(host) as client:
        give_key(host, key, 'command="box who"')
        give_key(host, other_key, 'command="box danger"')
        assert client.auth_publickey("ada", key) == ["publickey"]
        with pytest.raises(paramiko.SSHException):
            client.auth_publickey("ada", other_key)
        assert host.log.wait_for("conn.closed")["reason"] == "the keys want different commands"
        assert host.log.named("auth.failed")[-1]["reason"] == "the keys want different commands"


# ---------------------------------------------------------------------------------- another client


def test_asyncssh_goes_the_same_ways(tmp_path: Path) -> None:
    own = asyncssh.generate_private_key("ssh-ed25519")
    line = own.export_public_key().decode().strip()

    class Client(asyncssh.SSHClient):
        def kbdint_auth_requested(self) -> str:
            return ""

        def kbdint_challenge_received(
            self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
        ) -> list[str]:
            return [one_time_code(host) for _ in prompts]

    async def come_in() -> tuple[str, str]:
        near = host.plug_in()
        async with asyncssh.connect(
            "host", sock=near, username="ada", client_keys=[own], known_hosts=None, config=None,
            client_factory=Client, agent_path=None,
        ) as client:  # fmt: skip
            done = await client.run("box who", check=True)
            return str(done.stdout), str(client.get_extra_info("username"))

    with host_with_ada(login__chains=["publickey, totp"]) as host:
        store = host.server.login_services.store
        store.set_totp("ada", b"0" * 20)
        store.add_key(KeyRecord("ada", own.get_fingerprint(), "", line))
        said, _ = asyncio.run(asyncio.wait_for(come_in(), DEADLINE))
        assert said == "ada staff False\n"
        host.log.wait_for("conn.closed")
        assert store.logins("ada")[0].factors == ("publickey", "totp")


def test_the_log_says_why_a_key_did_not_let_in(key: paramiko.PKey) -> None:
    with host_with_ada() as host:
        store = host.server.login_services.store
        line = f'expiry-time="20200101Z" {key.get_name()} {key.get_base64()}'
        store.add_key(KeyRecord("ada", fingerprint(key.asbytes()), "old", line))
        with dialled(host) as client, pytest.raises(paramiko.AuthenticationException):
            client.auth_publickey("ada", key)
        event = host.log.wait_for("auth.denied")
        assert (event["factor"], event["key"]) == ("publickey", fingerprint(key.asbytes()))
        assert "expired" in event["reason"]


@pytest.mark.parametrize(
    ("options", "may_keep"),
    [("", True), ('from="127.0.0.0/8"', False), ('expiry-time="29990101"', False)],
)
def test_a_key_of_a_file_is_kept_only_where_nothing_of_its_line_is_lost(
    key: paramiko.PKey, tmp_path: Path, options: str, may_keep: bool
) -> None:
    (tmp_path / "ada").write_text(f"{key_line(key, options)}\n")
    (tmp_path / "ada").chmod(0o600)
    with host_with_ada(login__authorized_keys=[f"{tmp_path}/%u"]) as host, dialled(host) as client:
        assert client.auth_publickey("ada", key) == []
        assert ran(client, "box who")[0] == 0  # so the host has noticed
        (inside,) = host.host.inside()
        own = host.host.own_account(inside.visitor)
        assert own is not None
        assert own.can_add_key_in_use() is may_keep
        assert own.may_change() is may_keep


# ------------------------------------------------------------------------- groups, deliveries


def test_a_group_brings_its_roles() -> None:
    given = {
        "roles": {"user": {"apps": ["box"]}, "keeper": {"apps": ["vault"]}},
        "groups": {"vaults": {"roles": ["keeper", "guest"]}},
    }
    with host_with_ada(**given) as host:
        with entered(host) as transport:
            assert ran(transport, "vault who")[0] == 127
        host.server.login_services.store.update("ada", groups=frozenset({"vaults", "nothing"}))
        with entered(host) as transport:
            assert ran(transport, "vault who") == (0, "ada keeper,staff False\n")


def test_a_code_comes_by_the_way_that_the_settings_name(tmp_path: Path) -> None:
    given = {"login__chains": ["password, delivery"], "login__delivery": "outbox"}
    with host_with_ada(state_dir=tmp_path, **given) as host, dialled(host) as transport:
        assert transport.auth_password("ada", PASSWORD) == ["keyboard-interactive"]

        def answer(title: str, told: str, prompts: Sequence[tuple[str, bool]]) -> list[str]:
            letter = (tmp_path / "outbox").read_text()
            return re.findall(r"^\d{8}$", letter, re.MULTILINE)[-1:] if prompts else []

        assert transport.auth_interactive("ada", answer) == []
        letter = (tmp_path / "outbox").read_text()
        assert letter.startswith("To: ada\nSubject: Your code for")
        assert (tmp_path / "outbox").stat().st_mode & 0o777 == 0o600
