"""What the app says about the host, in sections. A screen draws them, a talk reads them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Any

from tuihost import Session, duration

from .identity import UNKNOWN, Address, HostKey, host_keys

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts, each with its name."""

    pairs: Pairs


@dataclass(frozen=True, slots=True)
class Commands:
    """Keys or command lines, and what each does."""

    pairs: Pairs


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Lines to be copied unchanged."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pictures:
    """Drawings, which are not read out."""

    pictures: tuple[tuple[str, ...], ...]


RIGHT_HOST = "Is this the right host?"

Block = Paragraph | Facts | Commands | Verbatim | Pictures


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    blocks: tuple[Block, ...]


def sections(session: Session, options: Mapping[str, Any]) -> list[Section]:
    """All of them, first what matters most to somebody who is new here."""
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
    # Without versions: they help an attacker to find a hole, and nobody else.
    facts = (
        ("Name", host.name),
        ("Runs", f"tuihost {host.version}, up for {duration(host.gauges().uptime)}"),
        ("Reached at", reached),
        ("Made with", "Python, paramiko, prompt_toolkit and rich"),
    )
    return Section("This host", (Facts(facts),))


def _going(session: Session) -> Section:
    keys = (
        (session.host.escape_label, "goes back to the menu from any app"),
        ("^C", "leaves; in the menu it leaves the host"),
        ("?", "shows what every key does at the moment"),
        ("Enter ~ .", "ends the connection if nothing else works (OpenSSH)"),
    )
    return Section("Coming and going", (Commands(keys),))


def _keys(address: Address, keys: list[HostKey]) -> Section:
    several = len(keys) > 1
    fingerprints = tuple((f"{key.kind} {key.bits}", key.sha256) for key in keys)
    checks = (
        (address.ssh(options="-o VisualHostKey=yes"), "draws the same picture, to compare"),
        (f"ssh-keygen -lF {quote(address.known_as)}", "shows what your machine remembers"),
        (f"ssh-keyscan {address.target} | ssh-keygen -lf -", "asks the host again"),
    )
    if not keys:
        return Section(RIGHT_HOST, (Paragraph("This host does not show its keys."),))
    return Section(
        RIGHT_HOST,
        (
            Paragraph(
                "When you first connected, your client showed a fingerprint. It should be "
                + ("one of these:" if several else "this:")
            ),
            Facts(fingerprints),
            Pictures(tuple(key.picture for key in keys)),
            Commands(checks),
            Paragraph(
                "Somebody between you and the host could change this page, too. Compare with a "
                "fingerprint that you got in another way, such as from the operator in person."
            ),
            Paragraph(f"The {'lines' if several else 'line'} for your ~/.ssh/known_hosts:"),
            Verbatim(tuple(key.line for key in keys)),
        ),
    )


def _shell(session: Session, address: Address) -> Section:
    able = [card for card in session.host.apps(session.account) if card.commands]
    example = next((card for card in able if card.name == "notes"), able[0] if able else None)
    commands = [(address.ssh(), "opens the menu")]
    if example is not None:
        commands += [
            (address.ssh(example.name, options="-t"), f"opens {example.title} directly"),
            (address.ssh(example.name, example.commands[0]), "runs one of its commands"),
            (address.ssh(example.name, "--help"), "lists all of them"),
        ]
    note = Paragraph("A command reads your input, writes to your output and has an exit status.")
    unnamed = (
        (Paragraph(f"{UNKNOWN} stands for the name that you connect to."),)
        if address.host == UNKNOWN
        else ()
    )
    return Section("From your own shell", (Commands(tuple(commands)), note, *unnamed))


def _looks(session: Session) -> Section:
    themes = session.host.themes()
    light = sum(not theme.dark for theme in themes)
    text = (
        f"Your theme is {session.theme.title}. There are {len(themes)}, {light} of them light. "
        "Press Ctrl-T in the menu to try each; the one that you choose is remembered."
    )
    return Section("Looks", (Paragraph(text),))


def _plain(address: Address) -> Section:
    commands = (
        (address.ssh(options="-T"), "takes commands, one on each line, for scripts"),
        (f"TERM=dumb {address.ssh()}", "plain lines in place of screens, for screen readers"),
        (address.ssh(options="-o SetEnv=NO_COLOR=1"), "screens without colours"),
        (address.ssh(options="-o SetEnv=LANG=C"), "screens in plain ASCII"),
    )
    note = Paragraph("Nothing is said by colour alone, and nothing blinks.")
    return Section("Plain output", (Commands(commands), note))


def plain(section: Section) -> str:
    """A section as text, without columns and pictures."""
    lines = [section.title if section.title.endswith("?") else f"{section.title}."]
    for block in section.blocks:
        match block:
            case Paragraph(text=text):
                lines.append(text)
            case Facts(pairs=pairs) | Commands(pairs=pairs):
                lines += [f"{left}: {right}" for left, right in pairs]
            case Verbatim(lines=verbatim):
                lines += verbatim
            case Pictures():
                pass
    return "\n".join(lines)
