"""Files of keys: what each option does, what is refused as a whole line, and who gets in."""

from __future__ import annotations

import base64
import calendar
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuihost.core.keys.address_patterns import AddressPatterns, networks
from tuihost.core.keys.authorized_keys import KeyLine, Unfit, examine, judge, parse, parse_line
from tuihost.core.keys.offers import KINDS, SK_ECDSA, SK_ED25519, Certificate, KeyOffer, fingerprint
from tuihost.core.keys.options import MAX_VALUES, KeyOptions
from tuihost.wire import Restrictions


def _blob(kind: str, body: bytes = b"k" * 32) -> bytes:
    more = {"ssh-ed25519": 0, SK_ECDSA: 2}.get(kind, 1)
    parts = (kind.encode(), body, *[b"ssh:"] * more)
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


KIND = "ssh-ed25519"
BLOB = _blob(KIND)
B64 = base64.b64encode(BLOB).decode()
KEY = f"{KIND} {B64}"
CA = _blob(KIND, b"a" * 32)
CA_KEY = f"{KIND} {base64.b64encode(CA).decode()}"
OFFER = KeyOffer(KIND, BLOB, fingerprint(BLOB), proved=True)
SK_BLOB = _blob(SK_ED25519)
SK_KEY = f"{SK_ED25519} {base64.b64encode(SK_BLOB).decode()}"
SK_OFFER = KeyOffer(SK_ED25519, SK_BLOB, fingerprint(SK_BLOB))
EVERYTHING = frozenset(
    {"permit-pty", "permit-port-forwarding", "permit-X11-forwarding", "permit-agent-forwarding"}
)
CERTIFICATE = Certificate(
    public=BLOB,
    ca=CA,
    serial=7,
    key_id="ada@ca",
    principals=("ada", "dev"),
    valid_after=1000,
    valid_before=2000,
    extensions=EVERYTHING,
)


def certified(base: KeyOffer = OFFER, **changes: Any) -> KeyOffer:
    certificate = replace(CERTIFICATE, public=base.blob, **changes)
    return replace(base, blob=b"certificate", certificate=certificate)


def options(text: str) -> KeyOptions:
    found = parse(f"{text} {KEY}", "keys")
    assert found.problems == ()
    (line,) = found.lines
    return line.options


def let_in(lines: str, offer: KeyOffer = OFFER, **changes: Any) -> Restrictions | None:
    found = parse(lines, "keys")
    assert found.problems == ()
    place = {"peer_address": "192.0.2.7", "now": 1500.0, "user": "ada"} | changes
    return judge(found.lines, offer, **place)


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
        "/etc/keys:6: there is no key of a kind that is taken",
    )


def test_a_file_of_too_many_lines_is_cut() -> None:
    found = parse("\n".join([KEY] * 1001), "keys")
    assert len(found.lines) == 1000
    assert found.problems == ("keys: only the first 1000 lines count",)


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
        f'tunnel="0" {KEY}',
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
        coded = base64.b64encode(_blob(kind)).decode()
        assert parse_line(f"restrict {kind} {coded} x").kind == kind


# ------------------------------------------------------------------------------------ options


def test_what_may_not_be_done() -> None:
    assert options("restrict").restrictions == Restrictions(
        pty=False, port_forwarding=False, x11_forwarding=False, agent_forwarding=False
    )
    assert options("restrict,pty,X11-forwarding").restrictions == Restrictions(
        port_forwarding=False, agent_forwarding=False
    )
    assert options("no-PTY,no-port-forwarding,no-user-rc,user-rc").restrictions == Restrictions(
        pty=False, port_forwarding=False
    )
    assert options("no-X11-forwarding,no-agent-forwarding").restrictions == Restrictions(
        x11_forwarding=False, agent_forwarding=False
    )
    assert options("restrict,agent-forwarding,port-forwarding").restrictions == Restrictions(
        pty=False, x11_forwarding=False
    )


def test_a_command_keeps_its_quotes_and_commas() -> None:
    line = r'command="say \"a, b\" C:\dir",no-pty'
    assert options(line).command == r'say "a, b" C:\dir'
    assert options(line).no_pty


def test_an_environment_and_ports() -> None:
    found = options('environment="A=1",environment="B=x=y",environment="A=2"')
    assert found.environment == (("A", "1"), ("B", "x=y"))
    found = options('permitopen="db:5432",permitopen="[::1]:*",permitlisten="8080"')
    assert found.permitopen == ("db:5432", "[::1]:*")
    assert found.permitlisten == ("*:8080",)
    assert options('permitlisten="localhost:80"').permitlisten == ("localhost:80",)


def test_an_option_cannot_be_repeated_without_end() -> None:
    many = ",".join(f'permitopen="h:{n}"' for n in range(1, MAX_VALUES + 1))
    assert len(options(many).permitopen or ()) == MAX_VALUES
    with pytest.raises(ValueError, match="more than"):
        parse_line(f'{many},permitopen="h:99" {KEY}')


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("20301231Z", calendar.timegm((2030, 12, 31, 0, 0, 0))),
        ("203012312359Z", calendar.timegm((2030, 12, 31, 23, 59, 0))),
        ("20301231235958Z", calendar.timegm((2030, 12, 31, 23, 59, 58))),
    ],
)
def test_an_expiry(text: str, seconds: float) -> None:
    assert options(f'expiry-time="{text}"').expiry == seconds
    line = f'expiry-time="{text}" {KEY}'
    assert let_in(line, now=seconds - 1) is not None
    assert let_in(line, now=seconds) is None


def test_an_expiry_without_a_zone_is_the_hosts_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC-2")
    time.tzset()
    try:
        expected = calendar.timegm((2030, 12, 30, 22, 0, 0))
        assert options('expiry-time="20301231"').expiry == expected
    finally:
        monkeypatch.undo()
        time.tzset()


# ---------------------------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    ("patterns", "yes", "no"),
    [
        ("192.0.2.7", ["192.0.2.7", "::ffff:192.0.2.7"], ["192.0.2.70", "", "host"]),
        ("192.0.2.0/24,2001:db8::/32", ["192.0.2.9", "2001:db8:1::1"], ["192.0.3.1", "::1"]),
        ("192.0.*", ["192.0.2.7", "192.0.99.1"], ["192.1.2.7", "2001:db8::1"]),
        ("10.0.0.?", ["10.0.0.1"], ["10.0.0.10", "10.0.0."]),
        ("2001:DB8:*", ["2001:db8::1"], ["2001:db9::1", "192.0.2.1"]),
        ("*", ["192.0.2.7", "::1", "fe80::1%eth0"], ["", "nowhere"]),
        ("*,!10.0.0.0/8", ["192.0.2.7"], ["10.1.1.1"]),
        ("!10.0.0.1,10.*", ["10.0.0.2"], ["10.0.0.1"]),
        ("::1", ["::1", "0:0::1"], ["127.0.0.1"]),
    ],
)
def test_from(patterns: str, yes: list[str], no: list[str]) -> None:
    line = f'from="{patterns}" {KEY}'
    for address in yes:
        assert let_in(line, peer_address=address) is not None, address
    for address in no:
        assert let_in(line, peer_address=address) is None, address


@pytest.mark.parametrize(
    "patterns",
    ["host", "*.example.com", "!10.0.0.1", "10.0.0.1/8", "10.0.0.0/33", "", "10.0.0.1,,", "caf?",
     "*,!evil.example.com", "!cafe.bad,*", "[::1]", "10.0.0.1 10.0.0.2", ",".join(["::1"] * 300)],
)  # fmt: skip
def test_from_with_a_name_or_nonsense_is_refused(patterns: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        AddressPatterns.parse(patterns)


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    pattern = AddressPatterns.parse("*:" * 30 + "*")
    began = time.perf_counter()
    assert not pattern.match("2001:db8:1:2:3:4:5:6")
    assert time.perf_counter() - began < 0.05


def test_the_networks_of_a_certificate() -> None:
    assert networks("10.0.0.0/8,::1") == ("10.0.0.0/8", "::1/128")
    for wrong in ("", "10.0.0.*", "!10.0.0.1", "10.0.0.1/8", "host", ",".join(["::1"] * 300)):
        with pytest.raises(ValueError, match=r".+"):
            networks(wrong)


# ----------------------------------------------------------------------------- who gets in: keys


def test_a_listed_key_comes_in_and_no_other() -> None:
    assert let_in(KEY) == Restrictions()
    assert let_in(CA_KEY) is None
    assert let_in("") is None
    assert let_in(KEY, user="") is None
    same_but_kind = replace(OFFER, blob=_blob("ssh-rsa"))
    assert let_in(KEY, same_but_kind) is None


def test_the_first_line_that_agrees_counts() -> None:
    lines = f'from="10.0.0.1" {KEY}\nno-pty {KEY}\n{KEY}'
    assert let_in(lines) == Restrictions(pty=False)
    assert let_in(lines, peer_address="10.0.0.1") == Restrictions(conditional=True)


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
    # A key that is no security key can never say so.
    assert let_in("", certified(verify_required=True), **trusted) is None
    assert let_in(f"cert-authority,verify-required {CA_KEY}", certified()) is None


# -------------------------------------------------------------------- who gets in: certificates


def test_a_certificate_of_a_trusted_authority() -> None:
    assert let_in("", certified(), trusted_cas={CA}) == Restrictions()
    assert let_in("", certified()) is None
    assert let_in("", certified(), trusted_cas={BLOB}) is None


def test_a_certificate_is_no_key_and_a_key_no_certificate() -> None:
    assert let_in(KEY, certified()) is None
    assert let_in(f"cert-authority {KEY}", OFFER) is None
    assert let_in(f"cert-authority {KEY}", certified(ca=CA)) is None
    assert let_in(CA_KEY, certified()) is None  # listed, but not as an authority
    assert let_in("", OFFER, trusted_cas={BLOB}) is None
    assert let_in(f"{KEY}\ncert-authority {CA_KEY}", certified()) == Restrictions()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"for_user": False}, "the certificate is a host's"),
        ({"principals": ("eve",)}, "the certificate is somebody else's"),
        ({"principals": ("Ada", "ada ", "a*")}, "the certificate is somebody else's"),
        ({"principals": ()}, "the certificate is somebody else's"),
        ({"valid_after": 1501}, "the certificate is not valid yet"),
        ({"valid_before": 1500}, "the certificate has expired"),
        ({"valid_after": 2, "valid_before": 1}, "the certificate has expired"),
        ({"unknown_critical": ("x\x1b",)}, "the certificate asks for x·"),
        (
            {"source_addresses": ("10.0.0.0/8",)},
            "the certificate may not come from this address",
        ),
        ({"source_addresses": ()}, "the certificate may not come from this address"),
    ],
)
def test_a_certificate_that_does_not_fit(changes: dict[str, Any], reason: str) -> None:
    offer = certified(**changes)
    for text, trusted in (("", (CA,)), (f"cert-authority {CA_KEY}", ())):
        lines = parse(text, "keys").lines
        place = {"peer_address": "192.0.2.7", "now": 1500.0, "user": "ada"}
        assert examine(lines, offer, **place, trusted_cas=trusted) == Unfit(reason)


def test_the_bounds_of_a_certificate() -> None:
    trusted = {"trusted_cas": {CA}}
    assert let_in("", certified(), now=1000, **trusted) is not None
    assert let_in("", certified(), now=1999.9, **trusted) is not None
    near = certified(source_addresses=("192.0.2.0/24",))
    assert let_in("", near, **trusted) is not None
    assert let_in("", near, peer_address="", **trusted) is None
    assert let_in("", certified(source_addresses=("::/0",)), **trusted) is None


def test_principals_of_a_line_take_the_place_of_the_name() -> None:
    line = f'cert-authority,principals="dev,ops" {CA_KEY}'
    assert let_in(line, certified(), user="build") is not None
    assert let_in(line, certified(principals=("ada",))) is None
    assert let_in(line, certified(principals=("dev,ops",))) is None


def test_line_and_certificate_take_away_together() -> None:
    line = f'cert-authority,no-pty,environment="A=1",permitopen="db:1" {CA_KEY}'
    found = let_in(line, certified(extensions=EVERYTHING - {"permit-X11-forwarding"}))
    assert found == Restrictions(
        environment=(("A", "1"),), pty=False, x11_forwarding=False, permit_open=("db:1",)
    )
    bare = let_in("", certified(extensions=frozenset()), trusted_cas={CA})
    assert bare == Restrictions(
        pty=False, port_forwarding=False, x11_forwarding=False, agent_forwarding=False
    )


def test_commands_of_line_and_certificate() -> None:
    line = f'cert-authority,command="menu" {CA_KEY}'
    forced = certified(force_command="menu")
    found = let_in(line, forced)
    assert found is not None
    assert found.command == "menu"
    assert let_in(line, certified(force_command="other")) is None
    by_certificate = let_in("", forced, trusted_cas={CA})
    assert by_certificate is not None
    assert by_certificate.command == "menu"


def test_a_line_of_an_authority_has_its_own_conditions() -> None:
    line = f'cert-authority,from="10.0.0.1",expiry-time="19700101001000Z" {CA_KEY}'
    assert let_in(line, certified(), peer_address="10.0.0.1", now=1500) is None
    assert let_in(line, certified(valid_after=0), peer_address="10.0.0.1", now=599) is not None
    assert let_in(line, certified(valid_after=0), peer_address="10.0.0.2", now=599) is None


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


@given(
    st.integers(0, 3000),
    st.integers(0, 3000),
    st.integers(0, 3000),
    st.lists(st.sampled_from(["ada", "eve", ""]), max_size=2),
    st.booleans(),
    st.booleans(),
)
def test_a_certificate_lets_in_only_where_everything_fits(
    after: int, before: int, now: int, principals: list[str], for_user: bool, trusted: bool
) -> None:
    offer = certified(
        valid_after=after, valid_before=before, principals=tuple(principals), for_user=for_user
    )
    expected = after <= now < before and "ada" in principals and for_user and trusted
    found = let_in("", offer, now=now, trusted_cas={CA} if trusted else set())
    assert (found is not None) is expected
