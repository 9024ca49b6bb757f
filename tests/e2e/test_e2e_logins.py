"""OpenSSH through every chain of factors; what ssh asks is answered by a helper, as fast as it
can, so that what is shown to people is looked at elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.e2e_house import PASSWORD, TERMS, House, Said, keygen

WHO = ("probe", "who")
METHODS = "publickey,password,keyboard-interactive"
BY_PASSWORD = ("-o", "PreferredAuthentications=password")
BY_QUESTIONS = ("-o", "PreferredAuthentications=keyboard-interactive")
BY_BOTH = ("-o", "PreferredAuthentications=password,keyboard-interactive")
ONE_TRY = ("-o", "NumberOfPasswordPrompts=1")


def prompts(said: Said) -> list[str]:
    """The questions without what ssh puts before them: `(ada@127.0.0.1) Password: `."""
    return [question.rpartition(") ")[2].strip() for question in said.asked]


# -------------------------------------------------------------------------------- passwords


def test_guests_still_enter_and_prove_nothing(house: House) -> None:
    for name in ("guest", "guest-7"):
        said = house.ssh(name, *WHO)
        assert (said.who["user"], said.who["guest"]) == (name, True)
        house.wait_event("auth.ok", user=name, factors="none")


def test_a_guest_cannot_have_the_name_of_an_account(house: House) -> None:
    house.member("guest-ann")
    for name in ("guest-ann", "GUEST-ANN", "guest-Ann"):
        said = house.ssh(name, *WHO)
        assert (said.status, f"({METHODS})" in said.err) == (255, True), said


@pytest.mark.parametrize("way", ["password", "keyboard-interactive"])
def test_a_password_lets_in(house: House, way: str) -> None:
    name = f"ben-{way[0]}"
    house.member(name)
    options = ["-o", f"PreferredAuthentications={way}"]
    said = house.ssh(name, *WHO, answers=["not this one", PASSWORD], options=options)
    assert (said.who["user"], said.who["guest"], len(said.asked)) == (name, False, 2)
    house.wait_event("auth.ok", user=name, factors="password", method=way)
    house.wait_event("auth.failed", user=name, factor="password", method=way)


def test_a_wrong_password_tells_nothing(house: House) -> None:
    house.member("coy")
    house.member("cara", key=None)
    house.tuihost("user", "disable", "cara")
    house.tuihost("user", "add", "cher", "--no-password")
    for options in (BY_PASSWORD, BY_QUESTIONS):
        answers = {
            _without(house.ssh(name, *WHO, answers=["guess-1", "guess-2"], options=options), name)
            for name in ("coy", "cara", "cher", "cora")
        }
        assert len(answers) == 1, answers
    reasons = {
        "coy": "the password is wrong",
        "cara": "the account is closed",
        "cher": "the account has no password",
        "cora": "there is no such account",
    }
    for name, reason in reasons.items():
        house.wait_event("auth.denied", user=name, having=reason)


def _without(said: Said, name: str) -> Said:
    asked = tuple(question.replace(name, "NAME") for question in said.asked)
    return Said(said.status, said.out, said.err.replace(name, "NAME"), asked)


def test_six_tries_are_the_end_of_a_connection(house: House) -> None:
    house.member("dee")
    options = ["-o", "NumberOfPasswordPrompts=9", *BY_PASSWORD]
    said = house.ssh("dee", *WHO, answers=[f"guess-{n}" for n in range(9)], options=options)
    assert (said.status, len(said.asked)) == (255, 6)
    assert "oo many" in said.err, said.err
    assert house.ssh("dee", *WHO, answers=[PASSWORD]).who["user"] == "dee"


def test_a_locked_account_locks_only_where_the_guesses_come_from(house: House) -> None:
    house.member("eli")
    options = ["-o", "NumberOfPasswordPrompts=5", *BY_PASSWORD]
    for _ in range(2):
        guesses = [f"guess-{n}" for n in range(5)]
        said = house.ssh("eli", *WHO, answers=guesses, options=options)
        assert len(said.asked) == 5
    said = house.ssh("eli", *WHO, answers=[PASSWORD], options=(*ONE_TRY, *BY_PASSWORD))
    assert said.status == 255, "ten wrong ones, and the right one does not help from here"
    house.wait_event("auth.denied", user="eli", having="locked")


# ----------------------------------------------------------------------------- second factors


@pytest.mark.parametrize("options", [BY_BOTH, ()], ids=["password method", "all asked"])
def test_a_password_and_then_a_code(house: House, options: tuple[str, ...]) -> None:
    name = f"fee-{len(options)}"
    member = house.member(name, "password, totp", totp=True)
    code = member.code()
    said = house.ssh(name, *WHO, answers=[PASSWORD, code], options=options)
    assert said.who["user"] == name
    assert prompts(said)[-1] == "One-time code:"
    house.wait_event("auth.ok", user=name, factors="password+totp")
    again = house.ssh(name, *WHO, answers=[PASSWORD, code], options=(*options, *ONE_TRY))
    assert again.status == 255, "each code is good once"
    wrong = house.ssh(
        name, *WHO, answers=[PASSWORD, member.wrong_code()], options=(*options, *ONE_TRY)
    )
    assert wrong.status == 255
    assert house.ssh(name, *WHO, answers=[PASSWORD, member.code()], options=options).status == 0


def test_a_wrong_code_may_be_mended_in_the_same_login(house: House) -> None:
    member = house.member("gia", "password, totp", totp=True)
    answers = [PASSWORD, member.wrong_code(), member.code()]
    said = house.ssh("gia", *WHO, answers=answers)
    assert said.who["user"] == "gia"
    assert prompts(said) == ["Password:", "One-time code:", "One-time code:"]


def test_a_code_before_the_password_is_none(house: House) -> None:
    member = house.member("gil", "password, totp", totp=True)
    options = ["-o", "KbdInteractiveDevices=totp", *BY_QUESTIONS, *ONE_TRY]
    said = house.ssh("gil", *WHO, answers=[member.code()], options=options)
    assert (said.status, prompts(said)) == (255, ["Password:"])


def test_a_key_and_then_a_code(house: House, tmp_path: Path) -> None:
    key = keygen(tmp_path / "key")
    member = house.member("hub", "publickey, totp", key=key, totp=True)
    said = house.ssh("hub", *WHO, key=key, answers=[member.code()], options=["-v"])
    assert 'using "publickey" with partial success' in said.err
    assert "can continue: keyboard-interactive" in said.err
    assert said.who["user"] == "hub"
    house.wait_event("auth.partial", user="hub", factor="publickey")
    house.wait_event("auth.ok", user="hub", factors="publickey+totp")
    alone = house.ssh("hub", *WHO, key=key)
    assert (alone.status, "(keyboard-interactive)" in alone.err) == (255, True)
    without = house.ssh("hub", *WHO, answers=[PASSWORD, member.code()], options=ONE_TRY)
    assert (without.status, without.asked, "(publickey)" in without.err) == (255, (), True)


def test_two_keys_are_two(house: House, tmp_path: Path) -> None:
    one, other = keygen(tmp_path / "one"), keygen(tmp_path / "other")
    house.member("ian", "publickey, publickey", key=one)
    house.tuihost("user", "key", "add", "ian", str(tmp_path / "other.pub"))
    assert house.ssh("ian", *WHO, key=one).status == 255
    assert house.ssh("ian", *WHO, key=one, options=["-i", str(other)]).who["user"] == "ian"


def test_an_app_may_ask_for_more(house: House, tmp_path: Path) -> None:
    key = keygen(tmp_path / "key")
    house.member("joy", key=key)
    assert house.ssh("joy", *WHO, key=key).who["user"] == "joy"
    plain = house.ssh("joy", "reader", "list", key=key)
    assert (plain.status, plain.out) == (127, ""), plain
    assert "reader" not in house.ssh("joy", key=key, options=["-T"]).out.lower()
    said = house.ssh("joy+reader", "list", key=key, answers=[PASSWORD])
    assert (said.status, prompts(said)) == (0, ["Password:"]), said


# ------------------------------------------------------------------ recovery, terms, invitations


def test_a_recovery_code_lets_in_once(house: House) -> None:
    member = house.member("kit", "password, totp", "password, recovery", totp=True)
    options = ["-o", "KbdInteractiveDevices=recovery", *BY_BOTH, *ONE_TRY]
    code = member.recovery[3]
    said = house.ssh("kit", *WHO, answers=[PASSWORD, code.lower()], options=options)
    assert said.who["user"] == "kit"
    assert prompts(said)[-1] == "Recovery code:"
    assert house.shown("kit")["recovery_codes_left"] == 9
    again = house.ssh("kit", *WHO, answers=[PASSWORD, code], options=options)
    assert again.status == 255
    other = house.ssh("kit", *WHO, answers=[PASSWORD, member.recovery[4]], options=options)
    assert other.status == 0


def test_with_the_settings_as_they_come_a_second_factor_counts(
    house: House, tmp_path: Path
) -> None:
    key = keygen(tmp_path / "key")
    member = house.member("kim", key=key, totp=True)
    alone = house.ssh("kim", *WHO, answers=[PASSWORD], options=(*BY_PASSWORD, *ONE_TRY))
    assert (alone.status, "(keyboard-interactive)" in alone.err) == (255, True)
    assert house.ssh("kim", *WHO, answers=[PASSWORD, member.code()]).who["user"] == "kim"
    assert house.ssh("kim", *WHO, key=key).who["user"] == "kim"
    # What `tuihost user totp on` promises of these codes: each lets in once, in place of the app.
    options = ["-o", "KbdInteractiveDevices=recovery", *BY_BOTH, *ONE_TRY]
    said = house.ssh("kim", *WHO, answers=[PASSWORD, member.recovery[0]], options=options)
    assert said.who["user"] == "kim"


def test_terms_are_accepted_once(house: House) -> None:
    house.member("lou", "password, terms")
    no = house.ssh("lou", *WHO, answers=[PASSWORD, "no"], options=ONE_TRY)
    assert no.status == 255
    yes = house.ssh("lou", *WHO, answers=[PASSWORD, "Yes"])
    assert yes.who["user"] == "lou"
    assert TERMS in yes.asked[-1]
    house.wait_event("auth.ok", user="lou", factors="password+terms")
    later = house.ssh("lou", *WHO, answers=[PASSWORD])
    assert (later.status, prompts(later)) == (0, ["Password:"])


def test_an_expired_password_is_changed(house: House) -> None:
    house.member("moe")
    house.tuihost(
        "user", "passwd", "moe", "--password-stdin", "--expire", input="second-word-now-1\n"
    )
    assert house.ssh("moe", *WHO, answers=["second-word-now-1"], options=BY_PASSWORD).status == 255
    answers = ["second-word-now-1", "short", "the-third-word-1", "the-third-word-1"]
    said = house.ssh("moe", *WHO, answers=answers)
    assert said.who["user"] == "moe"
    assert prompts(said) == ["Password:", "New password:", "New password:", "New password again:"]
    assert "at least 15 characters" in said.err
    assert house.ssh("moe", *WHO, answers=["the-third-word-1"], options=BY_PASSWORD).status == 0
    assert house.ssh("moe", *WHO, answers=["second-word-now-1"], options=ONE_TRY).status == 255


def test_an_invitation_makes_an_account(house: House) -> None:
    code = house.tuihost("invite", "--role", "staff").split()[1]
    assert house.ssh("new", *WHO, answers=["0000-0000-0000-0000"], options=ONE_TRY).status == 255
    answers = [code.lower(), "new", "ned", "choose-well-now-1", "choose-well-now-1"]
    said = house.ssh("new", *WHO, answers=answers)
    assert (said.who["user"], said.who["guest"], said.who["roles"]) == ("ned", False, ["staff"])
    assert house.ssh("ned", *WHO, answers=["choose-well-now-1"]).who["user"] == "ned"
    again = house.ssh("new", *WHO, answers=[code], options=ONE_TRY)
    assert again.status == 255, "it is good once"
