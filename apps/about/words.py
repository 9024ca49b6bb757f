"""What there is to say about the host: a screen draws it and a conversation reads it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Any

from tuihost import Session, duration

from .facts import UNKNOWN, Address, HostKey, host_keys

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and their values."""

    pairs: Pairs


@dataclass(frozen=True, slots=True)
class Commands:
    """What people type, and what it does."""

    pairs: Pairs


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Lines to be taken as they are."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pictures:
    """Drawings, for those who look."""

    pictures: tuple[tuple[str, ...], ...]


Block = Words | Facts | Commands | Verbatim | Pictures


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    blocks: tuple[Block, ...]


def sections(session: Session, options: Mapping[str, Any]) -> list[Section]:
    """Everything, in the order in which it matters to somebody who is new."""
    address = Address.of(session, options)
    keys = host_keys(session, address)
    return [
        _host(session, address),
        _going(session),
        _keys(address, keys),
        _shell(session, address),
        _looks(session),
        _plain(address),
    ]


def _host(session: Session, address: Address) -> Section:
    host = session.host
    known = address.host != UNKNOWN
    reached = f"{address.host}, port {address.port}" if known else f"port {address.port}"
    # Names without versions: what is new in one is old in another, and only a burglar asks.
    facts = (
        ("Name", host.name),
        ("Runs", f"tuihost {host.version}, for {duration(host.gauges().uptime)} now"),
        ("Reached at", reached),
        ("Made of", "Python, paramiko, prompt_toolkit and rich"),
    )
    return Section("This host", (Facts(facts),))


def _going(session: Session) -> Section:
    keys = (
        (session.host.escape_label, "leads back to the menu from any app"),
        ("q", "leaves, unless you are typing text; in the menu it leaves the host"),
        ("?", "shows what every key does at this moment"),
        ("Enter ~ .", "ends the connection, with OpenSSH, if nothing else helps"),
    )
    return Section("Coming and going", (Commands(keys),))


def _keys(address: Address, keys: list[HostKey]) -> Section:
    several = len(keys) > 1
    fingerprints = tuple((f"{key.kind} {key.bits}", key.sha256) for key in keys)
    checks = (
        (address.ssh(options="-o VisualHostKey=yes"), "draws the same picture for comparison"),
        (f"ssh-keygen -lF {quote(address.known_as)}", "shows what your own machine remembers"),
        (f"ssh-keyscan {address.target} | ssh-keygen -lf -", "asks the host again"),
    )
    if not keys:
        return Section("Is it the right one?", (Words("This host shows no keys."),))
    return Section(
        "Is it the right one?",
        (
            Words(
                "When you first came your client showed a fingerprint. It should be "
                + ("one of these:" if several else "this:")
            ),
            Facts(fingerprints),
            Pictures(tuple(key.picture for key in keys)),
            Commands(checks),
            Words(
                "Whoever stands between you and the host could change this page, too: what "
                "counts is the same fingerprint from elsewhere, such as the operator's own words."
            ),
            Words(f"For your file ~/.ssh/known_hosts, {_lines(keys)}:"),
            Verbatim(tuple(key.line for key in keys)),
        ),
    )


def _lines(keys: list[HostKey]) -> str:
    return "one line" if len(keys) == 1 else f"{len(keys)} lines"


def _shell(session: Session, address: Address) -> Section:
    able = [card for card in session.host.apps(session.account) if card.commands]
    example = next((card for card in able if card.name == "notes"), able[0] if able else None)
    commands = [(address.ssh(), "opens the menu")]
    if example is not None:
        commands += [
            (address.ssh(example.name, options="-t"), f"opens {example.title} at once"),
            (address.ssh(example.name, example.commands[0]), "runs one of its commands"),
            (address.ssh(example.name, "--help"), "names all of them"),
        ]
    note = Words("A command reads your input, writes to your output and has an exit status.")
    unnamed = (Words(f"{UNKNOWN} is the name that you typed."),) if address.host == UNKNOWN else ()
    return Section("From your own shell", (Commands(tuple(commands)), note, *unnamed))


def _looks(session: Session) -> Section:
    themes = session.host.themes()
    light = sum(not theme.dark for theme in themes)
    text = (
        f"You see the theme {session.theme.title}. There are {len(themes)}, {light} of them light: "
        "t in the menu shows each, and the one you choose is remembered."
    )
    return Section("Looks", (Words(text),))


def _plain(address: Address) -> Section:
    commands = (
        (address.ssh(options="-T"), "plain lines, for screen readers and scripts"),
        (f"TERM=dumb {address.ssh()}", "the same, and what you type is echoed"),
        (address.ssh(options="-o SetEnv=NO_COLOR=1"), "screens without colours"),
        (address.ssh(options="-o SetEnv=LANG=C"), "screens in plain ASCII"),
    )
    note = Words("Nothing here is said by colour alone, and nothing blinks.")
    return Section("Without pictures", (Commands(commands), note))


def plain(section: Section) -> str:
    """A section as it is read out: no columns, no pictures."""
    lines = [section.title if section.title.endswith("?") else f"{section.title}."]
    for block in section.blocks:
        match block:
            case Words(text=text):
                lines.append(text)
            case Facts(pairs=pairs) | Commands(pairs=pairs):
                lines += [f"{left}: {right}" for left, right in pairs]
            case Verbatim(lines=verbatim):
                lines += verbatim
            case Pictures():
                pass
    return "\n".join(lines)
