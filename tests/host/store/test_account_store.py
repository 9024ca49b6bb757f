"""What every account store promises, whatever it keeps accounts in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.waiting import DEADLINE
from tuihost.accounts import (
    AccountRecord,
    AccountStore,
    Invite,
    KeyRecord,
    LoginRecord,
    StoreError,
)
from tuihost.host.store.account_store import KEPT_LOGINS, SqliteAccounts
from tuihost.host.store.secret_box import SecretBox
from tuihost.testing.memory_store import MemoryAccounts

Open = Callable[[], AccountStore]


@pytest.fixture(params=["sqlite", "memory"])
def another(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the same store once more, as a second host would."""
    opened: list[AccountStore] = []
    shared = MemoryAccounts()

    def open_one() -> AccountStore:
        if request.param == "memory":
            return shared
        store = SqliteAccounts(tmp_path / "accounts.sqlite3", SecretBox(tmp_path / "key"))
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(another: Open) -> AccountStore:
    return another()


FULL = AccountRecord(
    "ada",
    roles=frozenset({"admin", "staff"}),
    groups=frozenset({"math"}),
    disabled=True,
    created=12.5,
    password_hash="$argon2id$…",
    password_expired=True,
    terms="v2",
    chains=(("publickey", "totp"), ("password",)),
)


def test_an_account_comes_back_as_it_was_given(store: AccountStore, another: Open) -> None:
    assert store.get("ada") is None
    assert store.all() == ()
    assert store.create(FULL)
    assert store.create(AccountRecord("Bob"))
    assert store.get("ada") == FULL
    assert [one.name for one in another().all()] == ["ada", "Bob"]


@pytest.mark.parametrize("twin", ["ada", "ADA", "Ada"])
def test_a_name_is_taken_in_any_letter_case(store: AccountStore, twin: str) -> None:
    store.create(AccountRecord("ada", terms="first"))
    assert store.taken(twin)
    assert not store.taken(f"{twin}2")
    assert not store.create(AccountRecord(twin, terms="second"))
    found = store.get("ada")
    assert found is not None
    assert found.terms == "first"
    assert store.get("ADA") is None  # one spelling is the account's


@pytest.mark.parametrize(
    "like", ["a1ice", "al1ce", "ALICE", "AIice", "\uff41lice", "аІісе", "alice\u00ad"]
)
def test_a_name_is_taken_that_looks_like_an_accounts(store: AccountStore, like: str) -> None:
    store.create(AccountRecord("alice"))
    assert store.taken(like)
    assert store.get(like) is None


@pytest.mark.parametrize(
    ("label", "taken"),
    [
        ("ada-l-the-2nd-of-oz", True),
        ("ada-1-the-2nd-0f-0z", True),
        ("ADA-L-THE-2ND-OF-OZ", True),
        ("ada-l-the-2nd-of-o", False),
        ("adal-the-2nd-of-oz", False),
        ("bob", True),
        ("b0b", True),
        ("", False),
    ],
)
def test_a_label_of_an_address_is_taken_with_any_signs(
    store: AccountStore, label: str, taken: bool
) -> None:
    for name in ("ada.l_the-2nd@of.oz", "bob"):
        store.create(AccountRecord(name))
    assert store.taken(label, label=True) is taken


def test_an_operator_may_want_two_names_that_look_the_same(store: AccountStore) -> None:
    assert store.create(AccountRecord("alice"))
    assert store.create(AccountRecord("a1ice"))


@pytest.mark.parametrize(
    "name", ["", "a b", "a\x1b[2J", "../x", ".ada", "-ada", "ada+notes", "guest:ada", "a" * 65]
)
def test_a_name_that_cannot_be_an_accounts_is_refused(store: AccountStore, name: str) -> None:
    with pytest.raises(ValueError, match="a name"):
        store.create(AccountRecord(name))
    assert store.all() == ()


def test_update_changes_what_is_given_and_nothing_else(store: AccountStore) -> None:
    store.create(FULL)
    assert store.update("ada", disabled=False, roles=frozenset(), chains=())
    found = store.get("ada")
    assert found is not None
    assert (found.disabled, found.roles, found.chains) == (False, frozenset(), ())
    assert (found.groups, found.password_hash, found.terms) == (
        FULL.groups,
        FULL.password_hash,
        FULL.terms,
    )
    assert store.update("ada")
    assert not store.update("eve", disabled=True)
    assert not store.update("eve")


def test_delete_takes_everything_along(store: AccountStore) -> None:
    def fill() -> None:
        store.create(AccountRecord("ada"))
        store.add_key(KeyRecord("ada", "SHA256:a", "laptop", "ssh-ed25519 AAAA"))
        store.set_totp("ada", b"secret")
        store.set_recovery("ada", [b"1", b"2"])
        store.record_login(LoginRecord("ada", 1.0, "127.0.0.1", ("password",)))

    fill()
    assert store.delete("ada")
    assert not store.delete("ada")
    store.create(AccountRecord("ada"))
    assert store.keys("ada") == ()
    assert store.totp_secret("ada") is None
    assert not store.take_recovery("ada", b"1")
    assert store.logins("ada") == ()


def test_keys(store: AccountStore) -> None:
    store.create(AccountRecord("ada"))
    key = KeyRecord("ada", "SHA256:a", "laptop", 'from="10.*" ssh-ed25519 AAAA', added=1.0)
    assert store.add_key(key)
    assert not store.add_key(key)
    assert not store.add_key(KeyRecord("eve", "SHA256:a", "", "ssh-ed25519 AAAA"))
    assert store.keys("ada") == (key,)
    assert store.key("ada", "SHA256:a") == key
    assert store.key("ada", "SHA256:b") is None
    assert store.key("eve", "SHA256:a") is None
    store.key_used("ada", "SHA256:a", 9.0)
    assert store.rename_key("ada", "SHA256:a", "phone")
    (found,) = store.keys("ada")
    assert (found.name, found.last_used) == ("phone", 9.0)
    assert not store.rename_key("ada", "SHA256:b", "x")
    assert not store.remove_key("ada", "SHA256:a", keep_a_way_in=True)
    assert not store.remove_key("ada", "SHA256:b", keep_a_way_in=True)
    other = KeyRecord("ada", "SHA256:b", "desk", "ssh-ed25519 BBBB", added=2.0)
    assert not store.add_key(other, at_most=1)
    assert store.add_key(other, at_most=2)
    assert store.remove_key("ada", "SHA256:b", keep_a_way_in=True)
    assert store.remove_key("ada", "SHA256:a")
    assert not store.remove_key("ada", "SHA256:a")


def test_somebody_with_a_password_may_remove_their_last_key(store: AccountStore) -> None:
    store.create(AccountRecord("ada", password_hash="$argon2id$…"))
    store.add_key(KeyRecord("ada", "SHA256:a", "laptop", "ssh-ed25519 AAAA"))
    assert store.remove_key("ada", "SHA256:a", keep_a_way_in=True)
    assert store.keys("ada") == ()


def test_a_code_is_taken_once_and_never_one_before_it(store: AccountStore, another: Open) -> None:
    store.create(AccountRecord("ada"))
    assert not store.take_totp("ada", 5)  # there is no second factor yet
    store.set_totp("ada", b"\0secret\xff")
    assert store.totp_secret("ada") == b"\0secret\xff"
    assert store.take_totp("ada", 5)
    assert not another().take_totp("ada", 5)
    assert not store.take_totp("ada", 4)
    assert another().take_totp("ada", 6)
    store.set_totp("ada", b"another")
    assert store.take_totp("ada", 1)
    store.set_totp("ada", None)
    assert store.totp_secret("ada") is None
    record = store.get("ada")
    assert record is not None
    assert not record.totp


def test_a_second_factor_that_is_there_can_be_kept(store: AccountStore) -> None:
    store.create(AccountRecord("ada"))
    assert store.set_totp("ada", b"first", only_if_none=True)
    assert store.take_totp("ada", 5)
    assert not store.set_totp("ada", b"second", only_if_none=True)
    assert store.totp_secret("ada") == b"first"
    assert not store.take_totp("ada", 5)  # its counter stands, too
    assert store.set_totp("ada", b"third")
    for only_if_none in (False, True):
        with pytest.raises(StoreError, match="no account of that name"):
            store.set_totp("eve", b"x", only_if_none=only_if_none)


def test_recovery_codes_are_replaced_as_a_set_and_taken_once(store: AccountStore) -> None:
    store.create(AccountRecord("ada"))
    store.set_recovery("ada", [b"1", b"2", b"2"])
    store.set_recovery("ada", [b"3", b"4"])
    assert not store.take_recovery("ada", b"1")
    assert store.take_recovery("ada", b"3")
    assert not store.take_recovery("ada", b"3")
    record = store.get("ada")
    assert record is not None
    assert record.recovery_left == 1


def racing(another: Open, act: Callable[[AccountStore], bool], threads: int = 8) -> list[bool]:
    """What `act` comes to where several hosts try it in the same moment."""
    barrier = threading.Barrier(threads, timeout=DEADLINE)
    results: list[bool] = []

    def run(store: AccountStore) -> None:
        barrier.wait()
        results.append(act(store))

    workers = [threading.Thread(target=run, args=(another(),)) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(DEADLINE)
        assert not worker.is_alive(), "a store hangs"
    return results


def test_of_many_at_once_one_gets_a_yes(store: AccountStore, another: Open) -> None:
    store.create(AccountRecord("ada"))
    store.set_totp("ada", b"secret")
    store.set_recovery("ada", [b"1"])
    store.add_invite(b"code", Invite())
    names = iter([f"new{number}" for number in range(8)])
    store.create(AccountRecord("bob"))
    for act in (
        lambda one: one.take_totp("ada", 7),
        lambda one: one.set_totp("bob", b"secret", only_if_none=True),
        lambda one: one.take_recovery("ada", b"1"),
        lambda one: one.take_invite(b"code", 0.0, AccountRecord(next(names))),
        lambda one: one.create(AccountRecord("Zoe")),
    ):
        assert sorted(racing(another, act)) == [False] * 7 + [True]
    assert len(store.all()) == 4  # ada, bob, zoe, and one of the new


def test_an_invitation_makes_no_name_that_looks_like_another(store: AccountStore) -> None:
    """Two people can choose at the same time: which name was free counts when it is taken."""
    store.add_invite(b"code", Invite())
    store.create(AccountRecord("lily"))
    for name in ("1i1y", "l1ly"):
        assert not store.take_invite(b"code", 5.0, AccountRecord(name))
        assert store.get(name) is None
    assert store.take_invite(b"code", 5.0, AccountRecord("rose"))


def test_of_many_who_choose_names_that_look_alike_one_gets_in(
    store: AccountStore, another: Open
) -> None:
    names = ("alice", "a1ice", "al1ce", "a11ce", "alLce", "aIice", "allce", "ALICE")
    for code, _ in enumerate(names):
        store.add_invite(bytes([code]), Invite())
    tries = iter(enumerate(names))

    def choose(one: AccountStore) -> bool:
        code, name = next(tries)
        return one.take_invite(bytes([code]), 5.0, AccountRecord(name))

    assert sorted(racing(another, choose)) == [False] * 7 + [True]
    assert len(store.all()) == 1


def test_an_invitation_makes_one_account_or_none(store: AccountStore) -> None:
    invite = Invite(frozenset({"staff"}), "for Bob", 1.0, 100.0, "ada")
    store.add_invite(b"code", invite)
    assert store.peek_invite(b"other", 5.0) is None
    assert store.peek_invite(b"code", 5.0) == invite
    assert store.peek_invite(b"code", 100.0) is None
    assert (store.open_invites(5.0), store.open_invites(100.0)) == (True, False)
    assert not store.take_invite(b"code", 100.0, AccountRecord("bob"))
    assert store.get("bob") is None  # neither
    store.create(AccountRecord("ada"))
    assert not store.take_invite(b"code", 5.0, AccountRecord("Ada"))
    assert store.peek_invite(b"code", 5.0) == invite  # a name that is taken costs nothing
    assert store.take_invite(b"code", 5.0, AccountRecord("bob"))
    assert not store.take_invite(b"code", 5.0, AccountRecord("eve"))
    assert store.peek_invite(b"code", 5.0) is None
    assert not store.open_invites(5.0)
    store.add_invite(b"another", Invite())
    assert store.open_invites(1e12)


def test_invitations_that_ran_out_are_forgotten(store: AccountStore) -> None:
    given = {b"old": Invite(expires=5.0), b"good": Invite(expires=5.1), b"for good": Invite()}
    store.drop_invites(5.0)
    for code_hash, invite in given.items():
        store.add_invite(code_hash, invite)
    store.drop_invites(5.0)
    # Asked as of an earlier time: what is there at all.
    assert [store.peek_invite(one, 0.0) for one in given] == [None, *list(given.values())[1:]]


def test_failures_are_counted_under_their_key_within_their_window(store: AccountStore) -> None:
    assert store.failures("ada", 0.0, 60.0) == 0
    assert [store.note_failure("ada", at, 60.0) for at in (0.0, 10.0, 59.0)] == [1, 2, 3]
    assert store.note_failure("bob", 59.0, 60.0) == 1
    assert store.failures("ada", 61.0, 60.0) == 2
    assert store.failures("ada", 500.0, 60.0) == 0
    store.clear_failures("ada")
    store.clear_failures("nobody")
    assert store.failures("ada", 59.0, 60.0) == 0
    assert store.failures("bob", 59.0, 60.0) == 1
    assert store.note_failure("a name with \udcff in it", 59.0, 60.0) == 1


def test_the_history_is_the_latest_first_and_bounded(store: AccountStore) -> None:
    store.create(AccountRecord("ada"))
    for at in range(KEPT_LOGINS + 5):
        store.record_login(LoginRecord("ada", float(at), "::1", ("publickey", "totp"), "SHA256:a"))
    store.record_login(LoginRecord("ada", 1e6, "::1", ("password",), success=False))
    store.record_login(LoginRecord("nobody", 1e6, "::1", ("password",)))
    latest, before = store.logins("ada", 2)
    assert latest == LoginRecord("ada", 1e6, "::1", ("password",), None, False)
    assert before.factors == ("publickey", "totp")
    assert len(store.logins("ada", 10_000)) == KEPT_LOGINS + 1  # strangers displace nothing
    assert len(store.logins("ada", 10**30)) == KEPT_LOGINS + 1
    assert store.logins("ada", -(10**30)) == ()
    assert store.logins("nobody") == ()
