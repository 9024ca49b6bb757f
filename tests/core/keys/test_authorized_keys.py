"""Files of keys: what is refused as a whole line, and who gets in."""

from __future__ import annotations

import base64
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.keys.examples import (
    B64,
    BLOB,
    CA,
    CA_KEY,
    EVERYTHING,
    KEY,
    KIND,
    OFFER,
    SK_BLOB,
    SK_KEY,
    SK_OFFER,
    blob,
    certified,
    let_in,
)
from tuihost.core.keys.authorized_keys import KeyLine, key_text, parse, parse_line
from tuihost.core.keys.offers import KINDS, KeyOffer, fingerprint
from tuihost.core.keys.options import KeyOptions
from tuihost.wire import Restrictions

# -------------------------------------------------------------------------------------- lines


def test_a_plain_line() -> None:
    assert parse_line(f"  {KEY}   ada at  home ") == KeyLine(KIND, BLOB, "ada at  home")
    assert parse_line(KEY).options == KeyOptions()
    assert parse_line(f"no-pty\t{KIND}\t{B64}\tada").comment == "ada"
    assert parse_line(f'command="x" {KEY} ada').bare == f"{KEY} ada"
    assert parse_line(KEY).fingerprint == fingerprint(BLOB)


def test_a_file_leaves_out_what_is_wrong_and_says_where() -> None:
    text = f"# keys\r\n\n{KEY} one\r\n  # more\nno-such-option {KEY}\nnonsense\n{KEY} two"
    found = parse(text, "/etc/keys")
    assert [line.comment for line in found.lines] == ["one", "two"]
    assert found.problems == (
        "/etc/keys:5: the option no-such-option is not known",
        "/etc/keys:6: no key of an accepted kind is on this line",
    )


def test_a_file_of_too_many_lines_is_cut() -> None:
    found = parse("\n".join([KEY] * 1001), "keys")
    assert len(found.lines) == 1000
    assert found.problems == ("keys: only the first 1,000 lines count",)


@pytest.mark.parametrize(
    "line",
    [
        "",
        KIND,
        f"{KIND} ",
        f"{KIND} ====",
        f"{KIND} {B64}!",
        f"{KIND} {B64[:-4]}é===",
        f"{KEY}AAAA",
        f"{KEY}{B64}",
        f"{KIND} {base64.b64encode(BLOB[:-1]).decode()}",
        f"ssh-rsa {B64}",  # of another kind than it says
        f"{KIND} {base64.b64encode(BLOB[:12]).decode()}",
        f"ssh-dss {B64}",
        f"{KIND}-cert-v01@openssh.com {B64}",
        f"no-pty, {KEY}",
        f",no-pty {KEY}",
        f"no-pty no-x11-forwarding {KEY}",
        f'no-pty="yes" {KEY}',
        f"command {KEY}",
        f"command=ls {KEY}",
        f'command="" {KEY}',
        f'command="ls {KEY}',
        f'command="ls\\" {KEY}',
        f'command="a",command="b" {KEY}',
        f'from="10.0.0.1",from="10.0.0.2" {KEY}',
        f'environment="no" {KEY}',
        f'environment="1A=b" {KEY}',
        f'environment="A B=c" {KEY}',
        f'permitopen="host" {KEY}',
        f'permitopen="host:0" {KEY}',
        f'permitopen="host:65536" {KEY}',
        f'permitopen="host:１" {KEY}',
        f'permitopen=":80" {KEY}',
        f'permitopen="a b:80" {KEY}',
        f'permitlisten="x" {KEY}',
        f'principals="ada" {KEY}',
        f'cert-authority,principals="" {KEY}',
        f'cert-authority,principals="ada,,eve" {KEY}',
        f"verify-required {KEY}",
        f'expiry-time="tomorrow" {KEY}',
        f'expiry-time="20301301" {KEY}',
        f'expiry-time="2030010112" {KEY}',
        f'expiry-time="２０３０0101" {KEY}',
        f'expiry-time="203001012460Z" {KEY}',
        f"{KEY} a\x1b[31m",
        f"{KEY}\0",
        f"no-pty\r{KEY}",
        f"{KEY} {'x' * 17_000}",
    ],
)
def test_a_line_with_a_fault_is_refused_as_a_whole(line: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_line(line)
    assert parse(line, "keys").lines == ()


def test_every_kind_of_key_is_taken() -> None:
    for kind in KINDS:
        coded = base64.b64encode(blob(kind)).decode()
        assert parse_line(f"restrict {kind} {coded} x").kind == kind


# ----------------------------------------------------------------------------- who gets in: keys


def test_a_listed_key_comes_in_and_no_other() -> None:
    assert let_in(KEY) == Restrictions()
    assert let_in(CA_KEY) is None
    assert let_in("") is None
    assert let_in(KEY, user="") is None
    same_but_kind = replace(OFFER, blob=blob("ssh-rsa"))
    assert let_in(KEY, same_but_kind) is None


def test_the_first_line_that_agrees_counts() -> None:
    lines = f'from="10.0.0.1" {KEY}\nno-pty {KEY}\n{KEY}'
    assert let_in(lines) == Restrictions(pty=False, limited=True)
    assert let_in(lines, peer_address="10.0.0.1") == Restrictions(limited=True)


def test_what_a_line_takes_away_comes_along() -> None:
    line = f'command="menu",environment="A=1",permitopen="db:1",restrict {KEY}'
    assert let_in(line) == Restrictions(
        command="menu",
        environment=(("A", "1"),),
        pty=False,
        port_forwarding=False,
        x11_forwarding=False,
        agent_forwarding=False,
        permit_open=("db:1",),
        limited=True,
    )


class _Revoked:
    def covers(self, offer: KeyOffer) -> bool:
        return True


def test_a_revoked_key_stays_out() -> None:
    assert let_in(KEY, revoked=_Revoked()) is None
    assert let_in("", certified(), trusted_cas={CA}, revoked=_Revoked()) is None


# ---------------------------------------------------------------------- who gets in: FIDO keys


def _signed(touched: bool, verified: bool = False, offer: KeyOffer = SK_OFFER) -> KeyOffer:
    return replace(offer, proved=True, touched=touched, verified=verified)


def test_a_security_key_must_be_touched() -> None:
    assert let_in(SK_KEY, SK_OFFER) is not None  # only named: nothing is known of a touch yet
    assert let_in(SK_KEY, _signed(True)) is not None
    assert let_in(SK_KEY, _signed(False)) is None
    assert let_in(f"no-touch-required {SK_KEY}", _signed(False)) is not None
    assert let_in(f"no-touch-required,touch-required {SK_KEY}", _signed(False)) is None


def test_a_security_key_must_verify_its_user_where_that_is_asked() -> None:
    line = f"verify-required {SK_KEY}"
    assert let_in(line, SK_OFFER) is not None
    assert let_in(line, _signed(True)) is None
    assert let_in(line, _signed(True, True)) is not None
    assert let_in(line, _signed(False, True)) is None


@pytest.mark.parametrize(
    ("line", "extension", "touched", "fits"),
    [
        ("cert-authority", False, False, False),
        ("cert-authority", True, False, False),
        ("cert-authority,no-touch-required", False, False, False),
        ("cert-authority,no-touch-required", True, False, True),
        ("cert-authority", False, True, True),
        ("", True, False, True),  # an authority of the host's
        ("", False, False, False),
    ],
)
def test_a_touch_is_waived_by_line_and_certificate_together(
    line: str, extension: bool, touched: bool, fits: bool
) -> None:
    extensions = EVERYTHING | ({"no-touch-required"} if extension else set())
    offer = _signed(touched, offer=certified(SK_OFFER, extensions=extensions))
    lines = f"{line} {CA_KEY}" if line else ""
    trusted = () if line else (CA,)
    assert (let_in(lines, offer, trusted_cas=trusted) is not None) is fits


def test_a_certificate_may_ask_for_a_verified_user() -> None:
    trusted = {"trusted_cas": {CA}}
    offer = certified(SK_OFFER, verify_required=True)
    assert let_in("", _signed(True, offer=offer), **trusted) is None
    assert let_in("", _signed(True, True, offer), **trusted) is not None
    # A key that is not a security key can never say so.
    assert let_in("", certified(verify_required=True), **trusted) is None
    assert let_in(f"cert-authority,verify-required {CA_KEY}", certified()) is None


# ---------------------------------------------------------------------------------------- fuzz

_WORDS = st.sampled_from(
    [KEY, SK_KEY, KIND, B64, " ", "\t", ",", "=", '"', '\\"', "\\", "#", "\n", "\r", "\0", "é", "*",
     "restrict", "no-pty", "pty", "command", "from", "environment", "permitopen", "principals",
     "cert-authority", "expiry-time", "20300101", "A=b", "10.0.0.0/8", "h:1", "no-touch-required"],
)  # fmt: skip


@given(st.lists(_WORDS | st.text(max_size=5), max_size=12).map("".join))
def test_any_text_is_lines_and_problems(text: str) -> None:
    found = parse(text, "keys")
    said = [line for line in text.split("\n") if line.strip(" \t\r")]
    said = [line for line in said if not line.strip(" \t\r").startswith("#")]
    assert len(found.lines) + len(found.problems) == len(said)
    for line in found.lines:
        assert line.blob in (BLOB, SK_BLOB)
        again = parse_line(line.bare)
        assert (again.kind, again.blob) == (line.kind, line.blob)
        assert line.options.command != ""
    for problem in found.problems:
        assert problem.isprintable()


_VALUES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1)


@given(_VALUES.filter(lambda text: '\\"' not in text and not text.endswith("\\")), st.booleans())
def test_no_value_can_end_its_own_quotes(value: str, restricted: bool) -> None:
    quoted = value.replace('"', '\\"')
    line = f'command="{quoted}"{",restrict" if restricted else ""} {KEY} comment'
    found = parse_line(line)
    assert found.options.command == value
    assert found.options.no_pty is restricted
    assert found.comment == "comment"


RFC_4716 = """\
---- BEGIN SSH2 PUBLIC KEY ----
Comment: "a laptop, \\
and more"
x-other: 1
{first}
{rest}
---- END SSH2 PUBLIC KEY ----
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_other_forms_of_a_public_key_are_read(newline: str) -> None:
    kind, coded = "ssh-ed25519", base64.b64encode(BLOB).decode()
    block = RFC_4716.format(first=coded[:40], rest=coded[40:]).replace("\n", newline)
    text = key_text(f"\ufeff{block}{kind} {coded} b{newline}bad{newline}".encode())
    found = parse(text, "file")
    assert [key.blob for key in found.lines] == [BLOB, BLOB]
    assert [key.comment for key in found.lines] == ["a laptop, and more", "b"]
    assert found.problems == ("file:9: no key of an accepted kind is on this line",)


def test_a_block_that_was_pasted_into_one_line_is_read() -> None:
    coded = base64.b64encode(BLOB).decode()
    block = RFC_4716.format(first=coded[:40], rest=coded[40:]).replace("x-other: 1\n", "")
    for pasted in (" ".join(block.split("\n")), " ".join(block.replace("\\\n", "").split("\n"))):
        (found,) = parse(key_text(pasted.encode()), "paste").lines
        assert (found.blob, found.kind) == (BLOB, "ssh-ed25519")
        assert found.text.startswith(f"ssh-ed25519 {coded}")
    bare = f"---- BEGIN SSH2 PUBLIC KEY ---- {coded} ---- END SSH2 PUBLIC KEY ----"
    assert parse(key_text(bare.encode()), "paste").lines[0].text == f"ssh-ed25519 {coded}"


def test_a_comment_on_a_private_key_does_not_shut_out_a_whole_file() -> None:
    text = f"{KEY}\n# -----BEGIN OPENSSH PRIVATE KEY----- is not for here\n"
    assert len(parse(key_text(text.encode()), "keys").lines) == 1


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("ssh-ed25519 AAAA".encode("utf-16"), "is UTF-16 text; save it as UTF-8"),
        (b"PuTTY-User-Key-File-3: ssh-ed25519", "is a private key of PuTTY; load it in PuTTYgen"),
        (b"ssh-ed25519 \xe9", "is not UTF-8 text"),
        (
            b"\n-----BEGIN OPENSSH PRIVATE KEY-----\nb3",
            "whose name ends in .pub",
        ),
        ("ssh-ed25519 AAAA".encode("utf-16-le"), "is UTF-16 text; save it as UTF-8"),
        ("ssh-ed25519 AAAA".encode("utf-16-be"), "is UTF-16 text; save it as UTF-8"),
        (b"-----BEGIN RSA PUBLIC KEY-----\nAA", "`ssh-keygen -i -m PEM -f FILE` prints its line"),
        (b"\n-----BEGIN PUBLIC KEY-----\nAA", "`ssh-keygen -i -m PKCS8 -f FILE` prints its line"),
        (b"-----BEGIN PGP PUBLIC KEY BLOCK-----", "is a key of PGP; a key for SSH is made with"),
        (b"-----BEGIN CERTIFICATE-----\nAA", "is not a key for SSH; one is made with"),
        (b"-----BEGIN PRIVATE KEY----- MC4C", "is a private key, which nobody else should have"),
    ],
)
def test_what_is_no_text_of_keys_is_named_with_the_cure(raw: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        key_text(raw)


def test_an_option_without_a_meaning_here_is_ignored() -> None:
    line = parse_line(f'tunnel="0",no-pty ssh-ed25519 {base64.b64encode(BLOB).decode()}')
    assert line.options.no_pty
    every = 'no-user-rc,user-rc,no-touch-required,touch-required,no-verify-required,TUNNEL="any"'
    assert parse_line(f"{every} {KEY}").options == KeyOptions()


@pytest.mark.parametrize(
    "text",
    [
        "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n",
        '---- BEGIN SSH2 PUBLIC KEY ----\nComment: "a\\\nb"\n!!!\n---- END SSH2 PUBLIC KEY ----\n',
        "---- BEGIN SSH2 PUBLIC KEY ----\n====\n---- END SSH2 PUBLIC KEY ----\n",
        "---- BEGIN SSH2 PUBLIC KEY ---- Comment: x ---- END SSH2 PUBLIC KEY ----\n",
    ],
)
def test_a_broken_block_of_rfc_4716_is_no_key(text: str) -> None:
    assert parse(key_text(text.encode()), "keys").lines == ()
