"""`tuihost user totp`: the second factor."""

from __future__ import annotations

import base64
import json
import time

from tests.cli.operator import Run, ada
from tuihost.accounts import AccountStore
from tuihost.login.steps.codes import recovery_hash, totp_code, totp_counter


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

    assert _told(run)["second_factor"] is True
    assert "add --yes" in run("user", "totp", "on", "ada", status=1).err
    fresh = run("user", "totp", "recovery", "ada").out
    assert not store.take_recovery("ada", recovery_hash("ada", codes[1]))
    assert fresh.split()[-1] not in codes
    run("user", "totp", "off", "ada", "--yes")
    assert (ada(store).totp, ada(store).recovery_left) == (False, 0)
    assert _told(run)["second_factor"] is False
    run("user", "totp", "off", "ada", "--yes", status=1)
    run("user", "totp", "recovery", "ada", status=1)


def _told(run: Run) -> dict[str, object]:
    """What programs are told of the account, alone and in the list of all."""
    alone = json.loads(run("user", "show", "ada", "--json").out)
    listed = json.loads(run("user", "list", "--json").out)[0]
    assert listed["second_factor"] is alone["second_factor"]
    return dict(alone)
