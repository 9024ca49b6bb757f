"""The numbers that the documents promise are those of the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.shell import filters, offloaded, patterns
from apps.tunnels import browser_connection as browser
from apps.tunnels import listener, open_tunnels
from tuihost import wire
from tuihost.core import exit_statuses as status
from tuihost.core.environment import MAX_ENV, MAX_ENV_BYTES
from tuihost.core.gate.penalties import PenaltyLimits
from tuihost.core.gate.startups import Startups
from tuihost.core.limits import STREAM_COST, TransportLimits
from tuihost.core.login.account_names import MAX_NAME
from tuihost.core.login.authentication import MAX_PASSWORD, MAX_PROBES
from tuihost.core.login.proof import FRESH
from tuihost.host.budget import descriptors
from tuihost.host.gate.proxied import HEADER_TIMEOUT
from tuihost.host.programs.program import ABANDON_AFTER, RAISE_AFTER, STOP_LADDER
from tuihost.host.relay import x11_display
from tuihost.host.server.server import PARTING_TIMEOUT
from tuihost.login.approvals import SEATS
from tuihost.login.steps import codes, delivery
from tuihost.login.steps.new_password import MIN_ALONE, MIN_WITH_SECOND
from tuihost.settings.loading import load
from tuihost.ssh.connection._openings import MAX_REFUSALS_LOGGED
from tuihost.ssh.sftp._handle_requests import MAX_LISTINGS
from tuihost.ssh.sftp.server import MAX_TOLD
from tuihost.tui.terminal._vt100_parser import PASTE_LIMIT

DOCS = Path(__file__).parents[1] / "docs"
GIVEN = load(None, {})
LIMITS = TransportLimits()
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
WORDS = {
    0.1: "a tenth",
    0.5: "half a",
    4: "four",
    5: "five",
    6: "six",
    8: "eight",
    10: "ten",
    GIB: "a gibibyte",
}


def word(number: float) -> str:
    return WORDS.get(number, f"{number:g}")


(CANCELLED, _), (LOOP_STOPPED, _) = STOP_LADDER

PROMISES = (
    f"At most `server.max_connections` at one time ({GIVEN.server.max_connections}), "
    f"`server.per_address` of them from one address ({GIVEN.server.per_address}), and "
    f"`server.max_unauthenticated` that have not logged in ({GIVEN.server.max_unauthenticated}).",
    f"may send {LIMITS.preauth_packets} packets and {LIMITS.preauth_bytes // KIB} KiB before",
    f"After `limits.keepalive` seconds of silence ({GIVEN.limits.keepalive:g}) a client is asked",
    f"questions without an answer ({GIVEN.limits.keepalive_count}) it is disconnected",
    f"New keys are exchanged after {word(LIMITS.rekey_bytes)}",
    f"does not finish is disconnected after {LIMITS.rekey_timeout:g} seconds",
    f"at most {word(Startups.parse(GIVEN.sources.startups).per_source)} logins under way",
    f"at most `sources.penalty_max` seconds ({GIVEN.sources.penalty_max:g})",
    f"A proxy must send one, within {word(HEADER_TIMEOUT)} seconds",
    f"`login.grace` seconds from the accept ({GIVEN.login.grace:g})",
    f"After `login.max_tries` failures ({GIVEN.login.max_tries}) the connection ends",
    f"A connection takes {MAX_PROBES} offers of keys",
    f"passwords are verified at a time ({GIVEN.login.password_concurrency})",
    f"A password has at least {MIN_ALONE} characters where it lets in alone, and "
    f"{MIN_WITH_SECOND} where every chain asks for more",
    f"{word(SEATS).capitalize()} logins of one source may wait for approval",
    f"needs a proof that is at most {word(FRESH / 60)} minutes old",
    f"after {word(descriptors.EACH)} for each connection of `server.max_connections` and "
    f"{descriptors.RESERVE} for itself",
    f"at most `limits.channels` channels ({GIVEN.limits.channels}), and of these "
    f"`limits.sessions` sessions ({GIVEN.limits.sessions})",
    f"enforces the window: {LIMITS.window // KIB} KiB for a channel, up to "
    f"{LIMITS.window_max // MIB} MiB while the program reads everything, and at most "
    f"{LIMITS.window_room // MIB} MiB of such growth for a whole connection",
    f"Small messages use up an allowance: {LIMITS.requests} at once, {LIMITS.requests_rate:g} a "
    "second in the long run.",
    f"what is to be ignored cost {word(STREAM_COST)} of that",
    f"standard error does: at most {MAX_TOLD} times in a session",
    f"says so on its standard error, and ends with status {status.NO_ROOM}.",
    f"A session holds the names of {word(MAX_LISTINGS)} folders at most",
    f"At most {MAX_ENV} of a client's variables are kept",
    f"at most {MAX_ENV} variables of {MAX_ENV_BYTES // KIB} KiB",
    f"with the nearest known name, and status {status.NOT_FOUND}",
    f"up to {wire.MAX_COLUMNS} columns, {wire.MAX_ROWS} rows and {wire.MAX_CELLS:,} cells",
    f"without control characters. One of more than {PASTE_LIMIT:,} characters is refused",
    f"An app that has only a screen says so, with status {status.UNAVAILABLE}",
    f"A command line that makes no sense gets status {status.NOT_YOURS}",
    f"its tasks are cancelled after {CANCELLED:g} seconds, its loop is stopped after "
    f"{LOOP_STOPPED:g}, and an exception is raised in its thread after {RAISE_AFTER:g}",
    f"is abandoned after {ABANDON_AFTER:g} seconds",
    f"A slow client has {word(PARTING_TIMEOUT)} second to read how its program ended",
    f"writes that sentence to standard error, with status {status.CRASHED}",
    f"`KeyboardInterrupt` (status {status.STOPPED})",
    f"only {MAX_REFUSALS_LOGGED} of its refusals are logged",
)


ON_OTHER_PAGES = (
    (
        "tunnels",
        f"At most {listener.MAX_BROWSERS} browsers are connected at a time, "
        f"{open_tunnels.MAX_OPEN} of them to one tunnel",
    ),
    (
        "tunnels",
        f"A browser has {browser.HEAD_TIME:g} seconds for the head of a request, and is "
        f"disconnected if nothing moves for {'a minute' if browser.IDLE == 60 else browser.IDLE}, "
        f"or for {word(browser.IDLE_SWITCHED / 60)} minutes after a change of protocol, and if a "
        f"long body comes at less than {browser.LEAST_RATE} bytes a second",
    ),
    (
        "x11",
        f"At most {x11_display.MAX_CONNECTIONS} are open in a session at a time, and a program has "
        f"{word(x11_display.SETUP_TIMEOUT)} seconds to say who it is",
    ),
    ("shell", f"`sort` takes up to about {filters.MAX_SORTED // MIB} MB"),
    ("shell", f"`json` up to {filters.MAX_JSON / 1e6:g} MB, with {offloaded.MAX_DEPTH} levels"),
    ("shell", f"at most {patterns.MAX_NAMES:,} names or {patterns.MAX_BYTES // 1000} kB"),
    ("shell", f"at most {patterns.MAX_SEEN:,} files are looked at"),
    ("shell", f"Both have {word(filters.MAX_SECONDS)} seconds of the processor's time"),
    ("logging-in", f"A login is such a proof for {word(FRESH / 60)} minutes"),
    ("logging-in", f"They have at most {MAX_PASSWORD:,} bytes"),
    ("logging-in", f"A name has at most {MAX_NAME} characters"),
    ("logging-in", f"has not said within {LIMITS.hello_grace:g} seconds what it is"),
    ("logging-in", f"From {PenaltyLimits().minimum:g} seconds on, the source is turned away"),
    ("logging-in", f"wrong tries ({GIVEN.sources.lockout_failures}) from one source within"),
    ("logging-in", f"an {word(delivery.DIGITS)}-digit code that the host sends another way"),
    ("logging-in", f"good for {word(delivery.LIFETIME / 60)} minutes and one question"),
    ("logging-in", f"{word(codes.DIGITS)} digits, {codes.PERIOD} seconds, one period early or"),
)


@pytest.mark.parametrize(
    ("page", "promise"),
    [*(("server-behaviour", promise) for promise in PROMISES), *ON_OTHER_PAGES],
)
def test_a_number_is_what_the_page_says(page: str, promise: str) -> None:
    assert promise in " ".join((DOCS / f"{page}.md").read_text(encoding="utf-8").split())


def test_the_bounds_of_a_connection_are_the_defaults_of_the_settings() -> None:
    given = {
        "login_grace": GIVEN.login.grace,
        "max_tries": GIVEN.login.max_tries,
        "channels": GIVEN.limits.channels,
        "sessions": GIVEN.limits.sessions,
        "keepalive_interval": GIVEN.limits.keepalive,
        "keepalive_count": GIVEN.limits.keepalive_count,
    }
    assert {name: getattr(LIMITS, name) for name in given} == given
