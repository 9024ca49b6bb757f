"""The name for people with an invitation: who comes in by it, and whose key becomes theirs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import paramiko
import pytest

from tests.host.login.test_verifier import (
    PASSWORD,
    dialled,
    entered,
    host_with_ada,
    key_line,
    methods,
    ran,
)
from tuihost.accounts import AccountRecord, Invite
from tuihost.core.keys.offers import fingerprint
from tuihost.errors import SettingsError
from tuihost.login.steps.codes import invite_code, invite_hash
from tuihost.settings.loading import load
from tuihost.testing import Hosted

BETTER = "a better horse 9"
USUAL = ["publickey", "password", "keyboard-interactive"]
Answer = Callable[[str, str, list[tuple[str, bool]]], list[str]]


@pytest.fixture(scope="module")
def key() -> paramiko.PKey:
    return paramiko.ECDSAKey.generate(bits=256)


def invited(host: Hosted, expires: float | None = None) -> str:
    """The code of a fresh invitation."""
    code = invite_code()
    invite = Invite(frozenset({"staff"}), expires=expires)
    host.server.login_services.store.add_invite(invite_hash(code), invite)
    return code


def answering(code: str, name: str = "bob") -> Answer:
    """Somebody who types what they are asked for."""
    answers = {
        "Invitation code: ": code,
        "Your name here: ": name,
        "New password: ": BETTER,
        "New password again: ": BETTER,
    }
    return lambda title, words, prompts: [answers.get(text, "") for text, _ in prompts]


def fingerprints(host: Hosted, name: str) -> Sequence[str]:
    return [one.fingerprint for one in host.server.login_services.store.keys(name)]


def test_an_invitation_leads_in_under_the_name_that_was_chosen() -> None:
    with host_with_ada(login__guests=False) as host:
        code = invited(host)
        with dialled(host) as client:
            assert list(methods(client, "new")) == ["publickey", "keyboard-interactive"]
            assert client.auth_interactive("new", answering(code)) == []
            assert ran(client, "box who") == (0, "bob staff False\n")
        with entered(host, "bob", BETTER) as client:
            assert ran(client, "box who")[0] == 0
        assert host.server.login_services.store.get("new") is None
        assert fingerprints(host, "bob") == []
        with dialled(host) as client:  # it was good once, and it was the last
            assert list(methods(client, "new")) == USUAL
            with pytest.raises(paramiko.AuthenticationException):
                client.auth_interactive("new", answering(code))


def test_a_key_that_was_proved_on_the_way_becomes_theirs(key: paramiko.PKey) -> None:
    told: list[str] = []

    def answer(title: str, words: str, prompts: list[tuple[str, bool]]) -> list[str]:
        told.append(words)
        return answering(code)(title, words, prompts)

    with host_with_ada() as host:
        code = invited(host)
        with dialled(host) as client:
            assert client.auth_publickey("new", key) == ["keyboard-interactive"]
            assert client.auth_interactive("new", answer) == []
            assert ran(client, "box who") == (0, "bob staff False\n")
        assert "The key that you logged in with" in told[1]
        assert fingerprints(host, "bob") == [fingerprint(key.asbytes())]
        (login,) = host.server.login_services.store.logins("bob")
        assert login.factors == ("publickey", "invite")
        with dialled(host) as client:
            assert client.auth_publickey("bob", key) == []


def test_a_key_alone_leads_nowhere(key: paramiko.PKey) -> None:
    with host_with_ada() as host:
        invited(host)
        with dialled(host) as client:
            assert client.auth_publickey("new", key) == ["keyboard-interactive"]
            with pytest.raises(paramiko.AuthenticationException):
                client.auth_interactive("new", answering("0000-0000-0000-0000"))
            assert not client.is_authenticated()
        store = host.server.login_services.store
        assert [one.name for one in store.all()] == ["ada"]


def test_a_key_that_is_revoked_does_not_become_anybodys(key: paramiko.PKey, tmp_path: Path) -> None:
    revoked = tmp_path / "revoked"
    revoked.write_text(key_line(key))
    revoked.chmod(0o600)
    with host_with_ada(login__revoked_keys=str(revoked)) as host, dialled(host) as client:
        code = invited(host)
        with pytest.raises(paramiko.AuthenticationException):
            client.auth_publickey("new", key)
        assert client.auth_interactive("new", answering(code)) == []
        assert fingerprints(host, "bob") == []


def test_an_account_without_a_key_does_not_get_any_by_this(key: paramiko.PKey) -> None:
    with host_with_ada() as host, dialled(host) as client:
        invited(host)
        for name in ("ada", "New", "zoe"):
            with pytest.raises(paramiko.AuthenticationException):
                client.auth_publickey(name, key)


@pytest.mark.parametrize("chains", [["invite, enroll", "password"], ["password", "invite, enroll"]])
def test_ways_by_invitation_are_for_that_name_alone(chains: list[str], key: paramiko.PKey) -> None:
    with host_with_ada(login__chains=chains, login__guests=False) as host:
        code = invited(host)
        for name in ("ada", "nobody"):
            with dialled(host) as client:
                assert list(methods(client, name)) == ["password", "keyboard-interactive"]
                with pytest.raises(paramiko.AuthenticationException):
                    client.auth_interactive(name, answering(code))
        with dialled(host) as client:
            assert client.auth_publickey("new", key) == ["keyboard-interactive"]
            asked: list[str] = []

            def answer(title: str, words: str, prompts: list[tuple[str, bool]]) -> list[str]:
                asked.append(title)
                if title == "Set up your second factor":
                    return ["000000"]
                return answering(code)(title, words, prompts)

            with pytest.raises(paramiko.AuthenticationException):
                client.auth_interactive("new", answer)
            assert asked[-1] == "Set up your second factor"


def test_without_an_open_invitation_the_name_is_like_any_other(key: paramiko.PKey) -> None:
    with host_with_ada() as host:
        host.connect("new").close()
        login_services = host.server.login_services
        invited(host, expires=login_services.now() + 60)
        with dialled(host) as client:
            assert list(methods(client, "new")) == ["publickey", "keyboard-interactive"]
        late = login_services.now() + 61
        login_services.now = lambda: late
        host.connect("new").close()
    with host_with_ada(login__guests=False) as host, dialled(host) as client:
        assert list(methods(client, "new")) == USUAL
        with pytest.raises(paramiko.AuthenticationException):
            client.auth_publickey("new", key)


def test_the_name_is_the_operators_to_choose() -> None:
    with host_with_ada(login__invite_name="welcome") as host, dialled(host) as client:
        invited(host)
        assert list(methods(client, "welcome")) == ["publickey", "keyboard-interactive"]
        host.connect("new").close()
    with host_with_ada(login__invite_name="") as host:
        invited(host)
        host.connect("new").close()
    with pytest.raises(SettingsError, match="should be a name that an account can have"):
        load(None, {}, {"login.invite_name": "a b"})


def test_a_name_that_is_somebodys_is_theirs(key: paramiko.PKey) -> None:
    with host_with_ada() as host, dialled(host) as client:
        store, hashed = (
            host.server.login_services.store,
            host.server.login_services.passwords.hash(PASSWORD),
        )
        store.create(AccountRecord("new", password_hash=hashed))
        invited(host)
        assert list(methods(client, "new")) == USUAL
        with pytest.raises(paramiko.AuthenticationException):
            client.auth_publickey("new", key)
        assert client.auth_password("new", PASSWORD) == []


@pytest.mark.parametrize("name", ["new", "come-in"])
def test_an_account_may_be_such_a_name_until_it_is_closed(name: str) -> None:
    with host_with_ada(login__guests=False) as host:
        store = host.server.login_services.store
        store.create(AccountRecord(name, chains=(("invite",),)))
        code = invited(host)
        with dialled(host) as client:
            assert "keyboard-interactive" in methods(client, name)
            assert client.auth_interactive(name, answering(code)) == []
        code = invited(host)
        store.update(name, disabled=True)
        with dialled(host) as client, pytest.raises(paramiko.AuthenticationException):
            client.auth_interactive(name, answering(code, "eve"))
        assert store.get("eve") is None


def test_many_wrong_invitations_do_not_shut_the_door_for_others() -> None:
    with host_with_ada(sources__lockout_failures=1) as host:
        code = invited(host)
        with dialled(host) as client:
            for _ in range(3):
                with pytest.raises(paramiko.AuthenticationException):
                    client.auth_interactive("new", lambda *_: ["0000-0000-0000-0000"])
        with dialled(host) as client:
            assert client.auth_interactive("new", answering(code)) == []
