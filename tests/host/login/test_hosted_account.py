"""What people may do with their own account while they are in."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko
import pytest

from tests.log import SILENT, log_to
from tests.waiting import DEADLINE
from tuihost import Session, app
from tuihost.accounts import AccountRecord, KeyRecord, StoreError
from tuihost.core.keys.authorized_keys import parse_line
from tuihost.core.login.proof import FRESH, AccountChange, Proof, ProofNeeded
from tuihost.host.login.hosted_account import CLOSED, LIMITED, LONG_AGO, HostedAccount, Inside
from tuihost.host.login.services import LoginServices
from tuihost.host.login.visitor import Visitor
from tuihost.login.steps import bundled_steps
from tuihost.login.steps.codes import recovery_hash, totp_code, totp_counter
from tuihost.session.own_account import AccountSummary, NewSecond, NotPossible, OwnAccount
from tuihost.settings.loading import load
from tuihost.testing import hosted
from tuihost.testing.hosted import hang_up
from tuihost.wire import Peer

PASSWORD = "correct horse battery"
PEER = Peer("127.0.0.1", 1)
SECOND = NewSecond(b"s" * 20, "", "")
JUST_NOW = Proof(("password",), 1e9 - 5)


@app("hello")
async def hello(session: Session) -> None:
    await session.say("Hello!")


@pytest.fixture
def login_services(tmp_path: Path) -> Iterator[LoginServices]:
    given = {"server.state_dir": str(tmp_path), "sources.lockout_failures": 3}
    log = SILENT
    steps = {step.name: step for step in bundled_steps()}
    login_services = LoginServices(load(None, {}, given), steps, log, now=lambda: 1e9)
    hashed = login_services.passwords.hash(PASSWORD)
    login_services.store.create(AccountRecord("ada", password_hash=hashed, password_expired=True))
    yield login_services
    login_services.close()


@pytest.fixture
def closed() -> list[str]:
    return []


@pytest.fixture
def own(login_services: LoginServices, closed: list[str]) -> OwnAccount:
    def inside(name: str, number: int, guest: bool = False) -> Inside:
        visitor = Visitor(name, guest, factors=("password",), connection=number, proof=JUST_NOW)
        return Inside(visitor, PEER, 5.0, lambda reason: closed.append(f"{name} {number} {reason}"))

    everybody = (inside("ada", 1), inside("eve", 2), inside("ada", 3), inside("ada", 4, guest=True))
    return HostedAccount(login_services, everybody[0].visitor, lambda: everybody)


def line() -> str:
    key = paramiko.ECDSAKey.generate(bits=256)
    return f"{key.get_name()} {key.get_base64()} ada@laptop"


def test_keys(own: OwnAccount) -> None:
    first, second = line(), f'from="10.0.0.0/8" {line()}'
    key = own.add_key(f"  {first}\n")
    assert (key.name, key.line, key.added) == ("ada@laptop", first, 1e9)
    assert own.add_key(second, "at\x1bwork").name == "at·work"
    assert second in [one.line for one in tuple(own.keys())]
    with pytest.raises(NotPossible, match="You have this key already"):
        own.add_key(first)
    own.rename_key(key.fingerprint, "phone")
    assert sorted(key.name for key in tuple(own.keys())) == ["at·work", "phone"]
    own.remove_key(key.fingerprint)
    for act in (
        lambda: own.remove_key(key.fingerprint),
        lambda: own.rename_key(key.fingerprint, "x"),
        lambda: own.rename_key(key.fingerprint, " "),
    ):
        with pytest.raises(NotPossible):
            act()
    assert own.key_in_use() is None


def test_an_account_has_fifty_keys_with_names_of_sixty_characters(
    login_services: LoginServices, own: OwnAccount
) -> None:
    key = own.add_key(line(), "n" * 61)
    assert key.name == "n" * 59 + "…"
    own.rename_key(key.fingerprint, "m" * 100)
    (kept,) = own.keys()
    assert kept.name == "m" * 59 + "…"
    for number in range(49):
        login_services.store.add_key(KeyRecord("ada", f"SHA256:{number}", "", f"line {number}"))
    with pytest.raises(NotPossible, match="An account can have 50 keys at most"):
        own.add_key(line())
    own.remove_key(key.fingerprint)
    own.add_key(line())


def test_the_key_of_this_login(login_services: LoginServices, own: OwnAccount) -> None:
    assert not own.can_add_key_in_use()
    with pytest.raises(NotPossible, match="did not log in with a key"):
        own.add_key_in_use()
    text = line().rsplit(maxsplit=1)[0]
    mark = parse_line(text).fingerprint
    visitor = Visitor("ada", False, fingerprint=mark, key_line=text, proof=JUST_NOW)
    keyed = HostedAccount(login_services, visitor, lambda: ())
    assert keyed.can_add_key_in_use()
    key = keyed.add_key_in_use("laptop")
    assert (key.name, key.line, key.fingerprint) == ("laptop", text, keyed.key_in_use())
    assert not keyed.can_add_key_in_use()
    with pytest.raises(NotPossible, match="You have this key already"):
        keyed.add_key_in_use()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "ssh-ed25519 AAAA",
        "ssh-ed25519 " + base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0\x03abc").decode(),
        "x" * 100_000,
    ],
)
def test_what_is_no_key(own: OwnAccount, text: str) -> None:
    with pytest.raises(NotPossible, match="not a public key"):
        own.add_key(text)


@pytest.mark.parametrize("break_", ["\n", " "])
def test_a_private_key_is_refused_with_a_sentence(own: OwnAccount, break_: str) -> None:
    with pytest.raises(NotPossible, match="This is a private key, which nobody else should have"):
        own.add_key(f"-----BEGIN OPENSSH PRIVATE KEY-----{break_}abc")
    assert own.keys() == ()


@pytest.mark.parametrize("break_", ["\r\n", "\n", " "])
def test_every_form_of_a_public_key_can_be_pasted(own: OwnAccount, break_: str) -> None:
    kind, coded = line().split()[:2]
    block = break_.join(
        ("\ufeff---- BEGIN SSH2 PUBLIC KEY ----", 'Comment: "at work"', coded[:30], coded[30:],
         "---- END SSH2 PUBLIC KEY ----", ""),
    )  # fmt: skip
    key = own.add_key(block)
    assert (key.line, key.name) == (f"{kind} {coded} at work", "at work")


def test_an_authority_is_not_for_people_to_add(own: OwnAccount) -> None:
    with pytest.raises(NotPossible, match="Only the operator"):
        own.add_key(f"cert-authority {line()}")


def test_the_last_key_of_who_has_no_password(
    login_services: LoginServices, own: OwnAccount
) -> None:
    login_services.store.create(AccountRecord("keyed"))
    keyed = HostedAccount(login_services, Visitor("keyed", False, proof=JUST_NOW), lambda: ())
    key = keyed.add_key(line())
    with pytest.raises(NotPossible, match="your last key"):
        keyed.remove_key(key.fingerprint)
    keyed.set_password("", "a first password")
    keyed.remove_key(key.fingerprint)


def test_of_the_last_two_keys_one_stays_if_both_are_removed_at_one_moment(
    login_services: LoginServices, own: OwnAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, both = login_services.store, threading.Barrier(2, timeout=DEADLINE)
    store.create(AccountRecord("keyed"))
    keyed = HostedAccount(login_services, Visitor("keyed", False, proof=JUST_NOW), lambda: ())
    remove, said = store.remove_key, list[str]()

    def together(*given: str, **named: bool) -> bool:
        both.wait()
        return remove(*given, **named)

    def ask(fingerprint: str) -> None:
        try:
            keyed.remove_key(fingerprint)
        except NotPossible as refused:
            said.append(str(refused))

    marks = [keyed.add_key(line()).fingerprint for _ in range(2)]
    monkeypatch.setattr(store, "remove_key", together)
    askers = [threading.Thread(target=ask, args=(mark,), name=mark) for mark in marks]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(DEADLINE)
    assert said == ["This is your last key, and you have no password to log in with."]
    assert len(keyed.keys()) == 1


def test_the_password(login_services: LoginServices, own: OwnAccount) -> None:
    assert "at least 15 characters" in own.password_rule()
    assert own.password_problem("short") is not None
    assert own.password_problem("a better horse 9") is None
    for old, new, why in (
        ("wrong", "a better horse 9", "not your password"),
        (PASSWORD, "short", "at least"),
        (PASSWORD, PASSWORD, "the old one"),
    ):
        with pytest.raises(NotPossible, match=why):
            own.set_password(old, new)
    own.set_password(PASSWORD, "a better horse 9")
    assert not own.record().password_expired
    record = login_services.store.get("ada")
    assert record is not None
    assert login_services.passwords.verify(record.password_hash, "a better horse 9")


def test_how_it_stands_holds_no_secret(login_services: LoginServices, own: OwnAccount) -> None:
    login_services.store.update("ada", roles=frozenset({"staff"}))
    standing = own.record()
    assert standing == AccountSummary(
        "ada",
        frozenset({"staff"}),
        has_password=True,
        password_expired=True,
        chains=(("publickey",), ("password", "totp"), ("password", "recovery"), ("password",)),
    )
    assert "argon2" not in repr(standing)


def test_nobody_guesses_the_password_from_inside(own: OwnAccount) -> None:
    for _ in range(3):
        with pytest.raises(NotPossible, match="not your password"):
            own.remove_second("wrong")
    with pytest.raises(NotPossible, match="too many wrong passwords"):
        own.remove_second(PASSWORD)


def test_the_second_factor(login_services: LoginServices, own: OwnAccount) -> None:
    with pytest.raises(NotPossible, match="Set up a second factor first"):
        own.new_recovery_codes(PASSWORD)
    second = own.begin_second()
    assert second.uri.startswith("otpauth://totp/tuihost:ada?secret=")
    counter = totp_counter(1e9)
    code = totp_code(second.secret, counter)
    with pytest.raises(NotPossible, match="code is wrong"):
        own.confirm_second(second, "000 000" if code != "000000" else "111111", PASSWORD)
    with pytest.raises(NotPossible, match="not your password"):
        own.confirm_second(second, code, "wrong")
    assert not own.record().totp
    codes = own.confirm_second(second, code, PASSWORD)
    assert own.record().totp
    assert len(set(codes)) == own.record().recovery_left == 10
    assert not login_services.store.take_totp("ada", counter)  # it has served
    fresh = own.new_recovery_codes(PASSWORD)
    assert not login_services.store.take_recovery("ada", recovery_hash("ada", codes[0]))
    assert login_services.store.take_recovery("ada", recovery_hash("ada", fresh[0].lower()))
    own.remove_second(PASSWORD)
    assert (own.record().totp, own.record().recovery_left) == (False, 0)


def test_ones_logins_and_no_others(own: OwnAccount, closed: list[str]) -> None:
    assert [(one.id, one.here, one.factors) for one in own.logins()] == [
        (1, True, ("password",)),
        (3, False, ("password",)),
    ]
    assert own.close_others() == 1
    assert closed == [f"ada 3 {CLOSED}"]


def changes(own: OwnAccount) -> list[Callable[[], object]]:
    """Everything that changes how somebody may log in."""
    kept = line()
    return [
        lambda: own.add_key(kept),
        lambda: own.add_key_in_use(),
        lambda: own.rename_key("SHA256:x", "phone"),
        lambda: own.remove_key("SHA256:x"),
        lambda: own.set_password(PASSWORD, "a better horse 9"),
        own.begin_second,
        lambda: own.confirm_second(SECOND, totp_code(SECOND.secret, totp_counter(1e9)), PASSWORD),
        lambda: own.remove_second(PASSWORD),
        lambda: own.new_recovery_codes(PASSWORD),
        own.close_others,
    ]


def test_a_login_with_limits_changes_nothing(login_services: LoginServices) -> None:
    proof = Proof(("publickey", "password"), 1e9, limited=True)
    visitor = Visitor("ada", False, key_line=line(), proof=proof)
    closed: list[str] = []
    other = Inside(Visitor("ada", False, connection=9), PEER, 5.0, closed.append)
    own = HostedAccount(login_services, visitor, lambda: (other,))
    before = (own.record(), login_services.store.get("ada"))
    assert not own.may_change()
    assert not own.can_add_key_in_use()
    for change in changes(own):
        with pytest.raises(NotPossible) as refused:
            change()
        assert str(refused.value) == LIMITED
    own.prove(ProofNeeded.PASSWORD, PASSWORD)  # nor does the password make it another login
    with pytest.raises(NotPossible, match="restrictions"):
        own.add_key(line())
    assert (own.record(), login_services.store.get("ada")) == before
    assert (own.keys(), closed) == ((), [])


def test_after_ten_minutes_the_password_is_asked_for_again(
    login_services: LoginServices,
) -> None:
    proof = Proof(("password",), 1e9 - FRESH)
    own = HostedAccount(login_services, Visitor("ada", False, proof=proof), lambda: ())
    assert own.proof_for(AccountChange.ADD_KEY) is ProofNeeded.PASSWORD
    for act in (lambda: own.add_key(line()), own.close_others):
        with pytest.raises(NotPossible, match="needs your password"):
            act()
    with pytest.raises(NotPossible, match="That is not your password"):
        own.prove(ProofNeeded.PASSWORD, "wrong")
    assert own.keys() == ()
    own.prove(ProofNeeded.PASSWORD, PASSWORD)
    own.add_key(line())
    assert len(own.keys()) == 1


def test_without_a_password_a_code_is_asked_for_once(login_services: LoginServices) -> None:
    login_services.store.create(AccountRecord("keyed"))
    visitor = Visitor("keyed", False, proof=Proof(("publickey",), 1e9 - FRESH))
    own = HostedAccount(login_services, visitor, lambda: ())
    with pytest.raises(NotPossible) as refused:
        own.add_key(line())
    assert str(refused.value) == LONG_AGO
    login_services.store.set_totp("keyed", SECOND.secret)
    code = totp_code(SECOND.secret, totp_counter(1e9))
    with pytest.raises(NotPossible, match="needs a code"):
        own.remove_second("")
    own.prove(ProofNeeded.CODE, code)
    own.add_key(line())
    with pytest.raises(NotPossible, match="That is not your code"):
        own.prove(ProofNeeded.CODE, code)


def test_nobody_guesses_codes_from_inside(login_services: LoginServices) -> None:
    login_services.store.create(AccountRecord("keyed"))
    login_services.store.set_totp("keyed", SECOND.secret)
    visitor = Visitor("keyed", False, proof=Proof(("publickey",)))
    own = HostedAccount(login_services, visitor, lambda: ())
    for _ in range(3):
        with pytest.raises(NotPossible, match="not your code"):
            own.prove(ProofNeeded.CODE, "no code")
    with pytest.raises(NotPossible, match="too many wrong codes"):
        own.prove(ProofNeeded.CODE, totp_code(SECOND.secret, totp_counter(1e9)))


def test_a_store_that_fails_is_logged_once(
    login_services: LoginServices, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(name: str) -> AccountRecord:
        raise StoreError("the store is\x1b[2J damaged")

    log = log_to(caplog.handler)
    own = HostedAccount(login_services, Visitor("ada", False, connection=7), lambda: (), log)
    monkeypatch.setattr(login_services.store, "get", broken)
    for act in (own.record, lambda: own.set_password("a", "b"), own.record):
        with pytest.raises(StoreError):
            act()
    (line,) = caplog.records
    assert line.__dict__["event"] == "store.error"
    assert line.__dict__["fields"] == {
        "conn": 7,
        "user": "ada",
        "reason": "the store is·[2J damaged",
    }


def test_a_closed_account(login_services: LoginServices, own: OwnAccount) -> None:
    login_services.store.update("ada", disabled=True)
    with pytest.raises(NotPossible, match="is closed"):
        own.set_password(PASSWORD, "a better horse 9")


def test_only_people_with_an_account_have_one_and_others_can_be_closed() -> None:
    with hosted(hello) as host:
        login_services = host.server.login_services
        login_services.store.create(
            AccountRecord("ada", password_hash=login_services.passwords.hash(PASSWORD))
        )
        clients = []
        for _ in range(2):
            clients.append(host.connect("ada", password=PASSWORD))
            clients[-1].open_session(timeout=DEADLINE)  # the host knows it before the next
        guest = host.connect("zoe")
        guest.open_session(timeout=DEADLINE)
        first, _, stranger = (one.visitor for one in host.host.inside())
        own = host.host.own_account(first)
        assert own is not None
        assert host.host.own_account(stranger) is None
        assert len(own.history()) == 2
        assert own.close_others() == 1
        clients[1].join(DEADLINE)
        assert not clients[1].is_active()
        assert clients[0].is_active()
        assert guest.is_active()
        for client in (*clients, guest):
            hang_up(client)
