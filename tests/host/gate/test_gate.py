"""The gate's counting, with time and chance in hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.log import kept_log
from tests.verifiers import OpenGuests
from tuihost.core.gate.penalties import Offence
from tuihost.core.limits import TransportLimits
from tuihost.core.login.verdicts import Hangup
from tuihost.errors import SettingsError
from tuihost.host.gate._refusal_log import REPORT_BURST, REPORT_INTERVAL
from tuihost.host.gate.counting_verifier import CountingVerifier
from tuihost.host.gate.gate import (
    MAX_KNOWN,
    PATIENCE,
    Admission,
    Gate,
    GateRules,
    Refusal,
)
from tuihost.settings.loading import load
from tuihost.wire import Identity, Peer

LIMITS = TransportLimits()
ADA, EVE, HERE = (Peer(one, 50_000) for one in ("192.0.2.1", "198.51.100.9", "127.0.0.1"))


class Clock:
    """A timer whose time moves when a test says so."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.due: list[tuple[float, Callable[[], None]]] = []

    def now(self) -> float:
        return self.time

    def call_later(self, seconds: float, action: Callable[[], None]) -> Clock:
        self.due.append((self.time + seconds, action))
        return self

    def cancel(self) -> None:
        self.due.clear()

    def advance(self, seconds: float) -> None:
        self.time += seconds
        for one in [one for one in self.due if one[0] <= self.time]:
            self.due.remove(one)
            one[1]()


class Bench:
    """A gate on a bench."""

    def __init__(self, chance: float = 0.0, **settings: Any) -> None:
        self.clock = Clock()
        log, self.records = kept_log()
        given = {name.replace("__", "."): value for name, value in settings.items()}
        rules = GateRules.of(load(None, {}, given), LIMITS)
        self.gate = Gate(rules, self.clock, log, chance=lambda: chance)

    def enter(self, peer: Peer, **options: Any) -> Admission:
        admission = self.gate.admit(peer, **options)
        assert isinstance(admission, Admission), admission
        return admission

    def refusals(self) -> list[dict[str, Any]]:
        return self.records.named("conn.refused")


def of(number: int) -> Peer:
    return Peer(f"10.0.{number >> 8}.{number & 255}", 40_000)


def test_a_source_keeps_five_logins_and_others_get_in() -> None:
    bench = Bench()
    passes = [bench.enter(EVE) for _ in range(5)]
    assert [bench.gate.admit(EVE) for _ in range(95)] == [Refusal.SOURCE_LOGINS] * 95
    bench.enter(ADA)
    passes[0].entered()
    assert (bench.gate.connections, bench.gate.unfinished) == (6, 5)
    passes.append(bench.enter(EVE))
    for one in passes:
        one.ended()
        one.ended()
    assert (bench.gate.connections, bench.gate.unfinished) == (1, 1)


class Closed(OpenGuests):
    """Lets nobody in, in the end."""

    def settled(self, identity: Identity) -> Identity | Hangup:
        return Hangup("the account is closed")


@pytest.mark.parametrize(("verifier", "unfinished"), [(OpenGuests(), 0), (Closed(), 1)])
def test_a_login_is_over_for_the_gate_only_where_the_verifier_lets_in(
    verifier: OpenGuests, unfinished: int
) -> None:
    bench = Bench()
    CountingVerifier(verifier, bench.enter(EVE)).settled(Identity("eve"))
    assert bench.gate.unfinished == unfinished


def test_many_sources_are_dropped_at_random_before_all_are() -> None:
    unlucky, lucky = Bench(chance=0.0), Bench(chance=0.999)
    for number in range(10):
        unlucky.enter(of(number))
        lucky.enter(of(number))
    assert unlucky.gate.admit(of(10)) == "Exceeded MaxStartups"
    for number in range(10, 80):
        lucky.enter(of(number))
    assert lucky.gate.admit(of(80)) is Refusal.LOGINS
    assert lucky.gate.unfinished == 80


def silent(bench: Bench, peer: Peer, gone: list[str]) -> Admission:
    """A client that says nothing, and is gone once it is hung up on."""
    admission = bench.enter(peer)

    def hang_up(reason: str) -> None:
        gone.append(peer.address)
        admission.ended()

    admission.hang_up = hang_up
    return admission


def test_the_longest_silent_gives_way_and_nobody_else() -> None:
    bench, gone = Bench(chance=0.999), list[str]()
    talking = [silent(bench, of(number), gone) for number in range(10)]
    for admission in talking:
        admission.spoke()
    for number in range(10, 80):
        silent(bench, of(number), gone)
    assert bench.gate.admit(EVE) is Refusal.LOGINS, "nobody has been silent for long"
    bench.clock.advance(PATIENCE)
    for _ in range(3):
        bench.enter(EVE)
    assert gone == [of(number).address for number in (10, 11, 12)]
    assert (bench.gate.unfinished, bench.gate.connections) == (80, 80)
    penalties = bench.gate._penalties
    assert penalties is not None
    assert len(penalties) == 3, "it counts as having used up its time"


def test_a_stranger_gets_no_place_that_is_kept_for_others() -> None:
    bench, gone = Bench(chance=0.999), list[str]()
    bench.enter(ADA).entered()
    silent(bench, ADA, gone)
    for number in range(80):
        bench.enter(of(number)).spoke()
    bench.clock.advance(PATIENCE)
    assert bench.gate.admit(EVE) is Refusal.LOGINS
    assert gone == []
    assert bench.gate.unfinished == 81


def test_those_who_are_dropped_at_random_get_the_place_of_a_silent_one_too() -> None:
    bench, gone = Bench(chance=0.0), list[str]()
    for number in range(10):
        silent(bench, of(number), gone)
    assert bench.gate.admit(EVE) is Refusal.DROPPED
    bench.clock.advance(PATIENCE)
    bench.enter(EVE)
    assert gone == [of(0).address]


def _end(admission: Admission, reason: str) -> None:
    admission.ended()


def test_thirty_addresses_that_say_nothing_keep_nobody_out_for_long() -> None:
    bench = Bench(chance=0.5)
    entered = 0
    for _ in range(60):  # half a minute
        for number in range(30):
            for _ in range(5):
                if isinstance(admission := bench.gate.admit(of(number)), Admission):
                    admission.hang_up = partial(_end, admission)
        found = bench.gate.admit(ADA)
        if isinstance(found, Admission):
            found.spoke()
            found.entered()
            found.ended()
            entered += 1
        bench.clock.advance(0.5)
        for admission in tuple(bench.gate._silent):
            if bench.clock.time - admission.admitted >= LIMITS.hello_grace:
                admission.ended()
    assert entered >= 40


@pytest.mark.parametrize("spoke", [True, False])
def test_a_client_that_never_says_what_it_is_has_used_up_its_time(spoke: bool) -> None:
    bench = Bench()
    admissions = [bench.enter(EVE) for _ in range(2)]
    bench.clock.advance(LIMITS.hello_grace)
    for admission in admissions:
        if spoke:
            admission.spoke()
        admission.ended()
    assert (bench.gate.admit(EVE) is Refusal.WAITING) is not spoke


def test_room_is_kept_for_sources_from_which_accounts_have_logged_in() -> None:
    bench = Bench(chance=0.0)
    bench.enter(ADA).entered()
    bench.enter(EVE).entered(guest=True)
    for number in range(9):
        bench.enter(of(number))
    bench.enter(EVE)
    assert bench.gate.admit(EVE) is Refusal.DROPPED
    bench.enter(ADA)
    lucky = Bench(chance=0.999, server__per_address=1000)
    for number in range(MAX_KNOWN + 1):
        admission = lucky.enter(of(number))
        admission.entered()
        admission.ended()
    for number in range(80):
        lucky.enter(Peer(f"203.0.113.{number}", 1))
    assert lucky.gate.admit(of(0)) is Refusal.LOGINS, "the one that was remembered first"
    for number in range(1, 21):
        lucky.enter(of(number))
    assert lucky.gate.admit(of(21)) is Refusal.LOGINS
    assert lucky.gate.unfinished == 100


def test_an_exempt_source_gets_half_of_the_logins_and_costs_strangers_none() -> None:
    bench = Bench(chance=0.0)
    for _ in range(32):
        bench.enter(HERE)
    assert bench.gate.admit(HERE) is Refusal.SOURCE_FULL
    bench.enter(ADA)
    bench.enter(Peer("127.0.0.2", 1))
    half = Bench(server__per_address=1000)
    for _ in range(50):
        half.enter(HERE)
    assert half.gate.admit(HERE) is Refusal.SOURCE_LOGINS
    half.enter(Peer("127.0.0.2", 1))


def test_a_full_host() -> None:
    bench = Bench(server__max_connections=2, server__per_address=1)
    bench.enter(ADA).entered()
    assert bench.gate.admit(ADA) is Refusal.SOURCE_FULL
    bench.enter(EVE).entered()
    assert bench.gate.admit(of(1)) is Refusal.FULL


def test_an_ipv6_site_is_one_source() -> None:
    bench = Bench()
    for number in range(5):
        bench.enter(Peer(f"2001:db8:7:1::{number:x}", 1))
    assert bench.gate.admit(Peer("2001:db8:7:1:ffff::", 1)) is Refusal.SOURCE_LOGINS
    bench.enter(Peer("2001:db8:7:2::1", 1))


def test_wrong_proofs_make_a_source_wait_and_nobody_else() -> None:
    bench = Bench()
    admission = bench.enter(EVE)
    for _ in range(3):
        admission.failed()
    assert bench.gate.admit(EVE) is Refusal.WAITING
    assert bench.records.named("source.waits") == [
        {"source": EVE.address, "reason": "authfail", "seconds": 15}
    ]
    bench.enter(ADA)
    bench.clock.advance(15.0)
    bench.enter(EVE)


def test_who_is_inside_stays_and_may_not_come_again() -> None:
    bench = Bench()
    admission = bench.enter(EVE)
    admission.entered()
    for _ in range(3):
        admission.failed(Offence.UNKNOWN_USER)
    assert bench.gate.connections == 1
    assert bench.gate.admit(EVE) is Refusal.WAITING


def test_a_wait_ends_the_other_logins_of_its_source() -> None:
    bench = Bench()
    gone: list[str] = []

    def enter(peer: Peer, name: str) -> Admission:
        admission = bench.enter(peer)
        admission.hang_up = lambda reason: gone.append(name)
        return admission

    inside, guesses = enter(EVE, "inside"), enter(EVE, "guesses")
    inside.entered()
    other, over = enter(EVE, "other"), enter(EVE, "over")
    over.ended()
    enter(ADA, "elsewhere")
    guesses.failed()
    guesses.failed()
    assert gone == []
    guesses.failed()
    assert gone == ["other"], "who is inside, elsewhere, or was just answered stays"
    other.ended()
    guesses.failed()
    assert gone == ["other"]
    assert bench.gate.unfinished == 2


def offence_after(seconds: float, tries: int, offence: Offence | None = None) -> float:
    """For how long a source has to wait after an ending, beside what its tries cost it."""
    bench = Bench()
    admission = bench.enter(EVE)
    for _ in range(tries):
        admission.failed()
    bench.clock.advance(seconds)
    if tries:
        bench.gate._penalties = type(bench.gate._penalties)()  # type: ignore[misc]
    admission.ended(offence)
    assert bench.gate._penalties is not None
    table = bench.gate._penalties._v4.held.get(EVE.address)
    return 0.0 if table is None else table.until - bench.clock.time


def test_each_ending_has_its_price() -> None:
    assert offence_after(0.1, tries=0) == Offence.NO_AUTH.seconds
    assert offence_after(LIMITS.login_grace, tries=0) == Offence.GRACE_EXCEEDED.seconds
    assert offence_after(LIMITS.login_grace, tries=1) == Offence.GRACE_EXCEEDED.seconds
    assert offence_after(1.0, tries=1) == 0.0
    assert offence_after(1.0, tries=LIMITS.max_tries) == Offence.REFUSED.seconds
    assert offence_after(1.0, tries=0, offence=Offence.CRASH) == Offence.CRASH.seconds


def test_a_login_costs_nothing_however_it_ends() -> None:
    bench = Bench()
    for _ in range(1000):
        admission = bench.enter(ADA)
        admission.entered()
        bench.clock.advance(100.0)
        admission.ended()
    assert bench.gate._penalties is not None
    assert len(bench.gate._penalties) == 0


@pytest.mark.parametrize(
    ("peer", "options", "settings"),
    [
        (HERE, {}, {}),
        (EVE, {"exempt": True}, {}),
        (EVE, {}, {"sources__penalties": False}),
        (EVE, {}, {"sources__penalty_max": 0}),
        (EVE, {}, {"sources__exempt": ["198.51.100.0/24"]}),
    ],
)
def test_who_never_waits(peer: Peer, options: dict[str, bool], settings: dict[str, object]) -> None:
    bench = Bench(**settings)
    for _ in range(100):
        admission = bench.enter(peer, **options)
        admission.failed()
        admission.ended()
    assert bench.records.events == []


def test_whom_a_proxy_cannot_name_waits_although_the_proxy_does_not() -> None:
    bench = Bench()
    check = bench.enter(HERE, exempt=True)
    hung_up: list[str] = []
    check.hang_up = hung_up.append
    while isinstance(admission := bench.gate.admit(HERE, exempt=False), Admission):
        admission.ended(Offence.CRASH)
    assert admission is Refusal.WAITING
    assert hung_up == []
    bench.enter(HERE)
    bench.enter(HERE, exempt=True)


def test_a_short_maximum_is_a_short_wait() -> None:
    bench = Bench(sources__penalty_max=4)
    bench.enter(EVE).failed()
    assert bench.gate.admit(EVE) is Refusal.WAITING
    bench.clock.advance(4.0)
    bench.enter(EVE)


def test_a_flood_of_refusals_is_a_few_lines() -> None:
    bench = Bench()
    for _ in range(5):
        bench.enter(EVE)
    for _ in range(10_000):
        bench.gate.admit(EVE)
    assert bench.refusals() == [{"peer": EVE, "reason": Refusal.SOURCE_LOGINS}]
    bench.clock.advance(REPORT_INTERVAL)
    assert bench.refusals()[1:] == [
        {"source": EVE.address, "reason": Refusal.SOURCE_LOGINS, "repeated": 9999}
    ]
    assert bench.clock.due == [], "something runs while nobody knocks"


def test_refusals_of_many_sources_are_a_few_lines_too() -> None:
    bench = Bench(server__max_connections=1)
    bench.enter(ADA)
    for number in range(10_000):
        bench.gate.admit(of(number))
    assert len(bench.refusals()) == REPORT_BURST
    assert len(bench.gate._refusals._repeated) == REPORT_BURST
    bench.clock.advance(REPORT_INTERVAL)
    assert bench.refusals()[REPORT_BURST:] == [
        {"reason": "from many sources", "repeated": 10_000 - REPORT_BURST}
    ]


def test_a_closed_gate_says_what_it_had_gathered() -> None:
    bench = Bench(server__max_connections=1)
    admission = bench.enter(ADA)
    bench.gate.admit(EVE)
    bench.gate.admit(EVE)
    bench.gate.close()
    assert [line.get("repeated") for line in bench.refusals()] == [None, 1]
    assert bench.gate.admit(of(1)) is Refusal.CLOSING
    admission.ended()
    assert bench.gate._penalties is not None
    assert len(bench.gate._penalties) == 0, "who is shown out is penalised"


def test_settings_that_make_no_sense_are_all_named() -> None:
    given = {
        "sources.exempt": ["home", "10.0.0.0/8"],
        "sources.proxies": ["10.0.0.1/8"],
        "sources.startups": "100:30:10",
    }
    with pytest.raises(SettingsError) as found:
        GateRules.of(load(None, {}, given), LIMITS)
    assert [problem.partition(":")[0] for problem in found.value.problems] == [
        "sources.startups",
        "sources.exempt",
        "sources.proxies",
    ]
