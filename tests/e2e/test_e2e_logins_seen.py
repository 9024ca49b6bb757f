"""Logging in as people see it: what stands in the terminal while a client asks."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.e2e.e2e_house import PASSWORD, House, Member
from tests.e2e.e2e_tmux import WELL, Open, Terminal

Dial = Callable[..., Terminal]


def openssh(terminal: Terminal, house: House, user: str) -> Terminal:
    return terminal.shell(f"ssh -p {house.port} {user}@127.0.0.1")


def plink(terminal: Terminal, house: House, user: str) -> Terminal:
    return terminal.shell(
        f"plink -ssh -P {house.port} -l {user} -hostkey {house.fingerprint} 127.0.0.1"
    )


def dbclient(terminal: Terminal, house: House, user: str) -> Terminal:
    return terminal.shell(f"dbclient -y -y -p {house.port} {user}@127.0.0.1")


@pytest.fixture(params=[openssh, plink, dbclient], ids=lambda dial: dial.__name__)
def dial(request: pytest.FixtureRequest, program: Callable[[str], str]) -> Dial:
    program(request.param.__name__.replace("openssh", "ssh"))
    return request.param  # type: ignore[no-any-return]


def answer(terminal: Terminal, text: str) -> Terminal:
    return terminal.type(text).press("Enter")


def enter(terminal: Terminal, dial: Dial) -> Terminal:
    """Past what PuTTY says before a session, to the menu."""
    if dial is plink:
        terminal.wait_for("Press Return to begin session").press("Enter")
    return terminal.wait_for("Menu", "Notes")


def leave(terminal: Terminal) -> None:
    terminal.press("C-c").wait_shell(0)
    assert terminal.flags() == WELL


def test_a_password_and_a_code_are_asked_for(house: House, open_terminal: Open, dial: Dial) -> None:
    name = f"ada-{dial.__name__}"
    member = house.member(name, "password, totp", totp=True)
    terminal = dial(open_terminal(), house, name).wait_for("Password:")
    answer(terminal, PASSWORD).wait_for("One-time code:")
    assert PASSWORD not in terminal.text, "a password is not shown while it is typed"
    wrong, code = member.wrong_code(), member.code()
    answer(terminal, wrong).wait_until(
        lambda text: text.count("One-time code:") == 2, "the question for a code again"
    )
    answer(terminal, code)
    leave(enter(terminal, dial).wait_for(name))
    house.wait_event("auth.ok", user=name, factors="password+totp")


def test_the_first_login_sets_up_a_second_factor(
    house: House, open_terminal: Open, dial: Dial
) -> None:
    name = f"bea-{dial.__name__}"
    member = house.member(name, "password, enroll", "password, recovery")
    terminal = dial(open_terminal(), house, name).wait_for("Password:")
    answer(terminal, PASSWORD).wait_for("Code that the app shows")
    # Dropbear from 2026 on leaves out the ends of lines.
    shown = terminal.text.replace("\n", "")
    found = re.search(r"(?<!\w)((?:[A-Z2-7]{4} ?){7}[A-Z2-7]{4})", shown)
    assert found, terminal.text
    member.secret = found[1].replace(" ", "")
    if dial is not dbclient:  # which shows nothing but ASCII
        answer(terminal, "qr").wait_until(
            lambda text: text.count("Code that the app shows") == 1 and "█▀" in text, "the picture"
        )
        # The whole of it, with its quiet zone, stands on a screen of 80×24.
        picture = [line for line in terminal.lines if re.search("[█▀▄ ]{41}$", line)]
        assert len(picture) == 21, terminal.text
    answer(terminal, member.code()).wait_for("written down")
    shown = terminal.text.replace("\n", "") if dial is dbclient else terminal.text
    member.recovery = tuple(re.findall(r"(?<!\w)[0-9A-Z]{5}-[0-9A-Z]{5}", shown))
    assert len(set(member.recovery)) == 10, terminal.text
    leave(enter(terminal.press("Enter"), dial))
    assert house.shown(name)["recovery_codes_left"] == 10
    again(house, open_terminal, dial, member)


def again(house: House, open_terminal: Open, dial: Dial, member: Member) -> None:
    """Whoever has set it up is asked for the code from now on, and shown nothing."""
    terminal = dial(open_terminal(), house, member.name).wait_for("Password:")
    answer(terminal, member.password).wait_for("One-time code:")
    answer(terminal, member.code())
    leave(enter(terminal, dial))
    ways = "PreferredAuthentications=password,keyboard-interactive"
    said = house.ssh(
        member.name,
        "probe",
        "who",
        answers=[PASSWORD, member.recovery[0]],
        options=["-o", ways, "-o", "KbdInteractiveDevices=recovery"],
    )
    assert said.who["user"] == member.name


def test_an_expired_password_is_changed_where_it_is_asked_for(
    house: House, open_terminal: Open, dial: Dial
) -> None:
    name = f"cem-{dial.__name__}"
    house.member(name)
    house.tuihost(
        "user", "passwd", name, "--password-stdin", "--expire", input="second-word-now-1\n"
    )
    terminal = dial(open_terminal(), house, name).wait_for("assword:")
    answer(terminal, "second-word-now-1").wait_for("New password:")
    assert "expired" in terminal.text
    answer(terminal, "the-third-word-1").wait_for("New password again:")
    answer(terminal, "the-third-word-1")
    leave(enter(terminal, dial))
    assert house.ssh(name, "probe", "who", answers=["the-third-word-1"]).status == 0


def test_whoever_gives_up_has_their_terminal_back(
    house: House, open_terminal: Open, dial: Dial
) -> None:
    name = f"dov-{dial.__name__}"
    house.member(name, "password, totp", totp=True)
    terminal = dial(open_terminal(), house, name).wait_for("assword:")
    answer(terminal, PASSWORD).wait_for("One-time code:").press("C-c").wait_shell()
    assert terminal.flags() == WELL
    assert not house.events("auth.ok", user=name)


def test_a_connection_is_sound_for_the_next_try(
    house: House, open_terminal: Open, dial: Dial
) -> None:
    name = f"eva-{dial.__name__}"
    house.member(name)
    terminal = dial(open_terminal(80, 60), house, name).wait_for("assword:")
    for wrong in ("", "x" * 2000, "pässword", "\t", PASSWORD[:-1]):
        before = terminal.text.count("assword:")
        answer(terminal, wrong).wait_until(
            lambda text, before=before: text.count("assword:") > before, "another question"
        )
        if dial is openssh and wrong == "pässword":
            break  # after three it asks by the other method, and after six it is over
    answer(terminal, PASSWORD)
    leave(enter(terminal, dial))


def test_somebody_inside_lets_somebody_in(house: House, open_terminal: Open, dial: Dial) -> None:
    keeper, comes = f"kit-{dial.__name__}", f"pam-{dial.__name__}"
    house.member(keeper, role="approver")
    house.member(comes, "password, approve")
    inside = openssh(open_terminal(), house, f"{keeper}+approvals").wait_for("assword:")
    answer(inside, PASSWORD).wait_for("Approvals")
    outside = dial(open_terminal(), house, comes).wait_for("assword:")
    answer(outside, PASSWORD)
    inside.wait_for(comes).press("y").wait_for(f"Let {comes} in?").press("Left", "Enter")
    leave(enter(outside, dial).wait_for(comes))
    leave(inside)
    house.wait_event("auth.ok", user=comes, factors="password+approve")
