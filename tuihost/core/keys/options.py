"""The options before a key, sshd(8) "AUTHORIZED_KEYS FILE FORMAT".

An option that is not known here might have been meant to keep somebody out, so it is an error and
never passed over; so is one that comes twice if only one can hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from tuihost.core.keys.address_patterns import AddressPatterns
from tuihost.wire import Restrictions

MAX_VALUES = 64  # of one option that may be repeated
_Value = TypeVar("_Value")

_OPTION = re.compile(r'([A-Za-z0-9-]+)(?:=("(?:\\"|[^"\\]|\\(?!"))*"))?(,|$)')
_ENVIRONMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_TIME = re.compile(r"(\d{8})(\d{4})?(\d{2})?(Z?)", re.ASCII)
_PORT = re.compile(r"\*|[1-9]\d{0,4}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9._*?-]+|\[[0-9A-Fa-f:.*?]+\]")


@dataclass(frozen=True, slots=True)
class KeyOptions:
    """What the line of a key says about it.

    `from_` are the addresses it may come from, `expiry` is the Unix second from which on it is no
    longer accepted. `principals` are the names of which a certificate must carry one, None for the
    person's own. `touch_required` and `verify_required` concern security keys. `limited`: an option
    takes something away, even if a later one gives it back.
    """

    from_: AddressPatterns | None = None
    expiry: float | None = None
    command: str | None = None
    environment: tuple[tuple[str, str], ...] = ()
    permitopen: tuple[str, ...] | None = None
    permitlisten: tuple[str, ...] | None = None
    no_pty: bool = False
    no_port_forwarding: bool = False
    no_x11: bool = False
    no_agent: bool = False
    cert_authority: bool = False
    principals: tuple[str, ...] | None = None
    touch_required: bool = True
    verify_required: bool = False
    limited: bool = False

    @classmethod
    def parse(cls, text: str) -> KeyOptions:
        """From the text before a key. Raises ValueError, with a reason for its owner."""
        options = cls()
        seen: set[str] = set()
        for name, value in _split(text):
            if name in _FLAGS:
                if value is not None:
                    raise ValueError(f"the option {name} takes no value")
                options = replace(options, **_FLAGS[name])
            elif name in _VALUES:
                if not value:
                    raise ValueError(f"the option {name} needs a value")
                if name in seen and name not in _REPEATABLE:
                    raise ValueError(f"the option {name} is there twice")
                options = _VALUES[name](options, value)
            else:
                raise ValueError(f"the option {name} is not known")
            seen.add(name)
        options = replace(options, limited=not seen.isdisjoint(_LIMITS))
        if options.principals is not None and not options.cert_authority:
            raise ValueError("principals belong to a cert-authority")
        return options

    @property
    def restrictions(self) -> Restrictions:
        """What a login with the line's key may not do."""
        return Restrictions(
            command=self.command,
            environment=self.environment,
            pty=not self.no_pty,
            port_forwarding=not self.no_port_forwarding,
            x11_forwarding=not self.no_x11,
            agent_forwarding=not self.no_agent,
            permit_open=self.permitopen,
            permit_listen=self.permitlisten,
            limited=self.limited,
        )


def _split(text: str) -> Iterator[tuple[str, str | None]]:
    """The options, in lower case, each with its value out of its quotes."""
    at = 0
    while True:
        found = _OPTION.match(text, at)
        if found is None:
            raise ValueError("the options cannot be read")
        name, value, comma = found.groups()
        yield name.lower(), None if value is None else value[1:-1].replace('\\"', '"')
        if not comma:
            return
        at = found.end()


# ------------------------------------------------------------------------------- single options


def _from(options: KeyOptions, value: str) -> KeyOptions:
    return replace(options, from_=AddressPatterns.parse(value))


def _expiry(options: KeyOptions, value: str) -> KeyOptions:
    """YYYYMMDD[HHMM[SS]], in UTC with a Z and in the host's own time without."""
    found = _TIME.fullmatch(value)
    if found is None or (found[3] and not found[2]):
        raise ValueError(f"{value!r} is not a time such as 20301231 or 203012312359Z")
    try:
        then = datetime.strptime(
            found[1] + (found[2] or "0000") + (found[3] or "00"), "%Y%m%d%H%M%S"
        )
        second = (then.replace(tzinfo=UTC) if found[4] else then).timestamp()
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{value!r} is not a time") from None
    return replace(options, expiry=second)


def _command(options: KeyOptions, value: str) -> KeyOptions:
    return replace(options, command=value)


def _environment(options: KeyOptions, value: str) -> KeyOptions:
    found = _ENVIRONMENT.fullmatch(value)
    if found is None:
        raise ValueError("an environment is NAME=value")
    if found[1] in dict(options.environment):
        return options  # the first one counts, as in OpenSSH
    return replace(options, environment=_one_more(options.environment, (found[1], found[2])))


def _permitopen(options: KeyOptions, value: str) -> KeyOptions:
    host, port = _host_and_port(value)
    return replace(options, permitopen=_one_more(options.permitopen or (), f"{host}:{port}"))


def _permitlisten(options: KeyOptions, value: str) -> KeyOptions:
    host, port = _host_and_port(value if ":" in value else f"*:{value}")
    return replace(options, permitlisten=_one_more(options.permitlisten or (), f"{host}:{port}"))


def _principals(options: KeyOptions, value: str) -> KeyOptions:
    names = tuple(value.split(","))
    if not all(names):
        raise ValueError("a principal has no name")
    return replace(options, principals=names)


def _host_and_port(value: str) -> tuple[str, str]:
    host, _, port = value.rpartition(":")
    if not _HOST.fullmatch(host) or not _PORT.fullmatch(port):
        raise ValueError(f"{value!r} is not host:port")
    if port != "*" and int(port) > 65535:
        raise ValueError(f"there is no port {port}")
    return host, port


def _one_more(values: tuple[_Value, ...], value: _Value) -> tuple[_Value, ...]:
    if len(values) >= MAX_VALUES:
        raise ValueError(f"an option is there more than {MAX_VALUES} times")
    return (*values, value)


_FLAGS: Mapping[str, Mapping[str, Any]] = {
    "restrict": {
        "no_pty": True,
        "no_port_forwarding": True,
        "no_x11": True,
        "no_agent": True,
    },
    "pty": {"no_pty": False},
    "no-pty": {"no_pty": True},
    "port-forwarding": {"no_port_forwarding": False},
    "no-port-forwarding": {"no_port_forwarding": True},
    "x11-forwarding": {"no_x11": False},
    "no-x11-forwarding": {"no_x11": True},
    "agent-forwarding": {"no_agent": False},
    "no-agent-forwarding": {"no_agent": True},
    "user-rc": {},  # there is no such file here to run, or not to
    "no-user-rc": {},
    "cert-authority": {"cert_authority": True},
    "touch-required": {"touch_required": True},
    "no-touch-required": {"touch_required": False},
    "verify-required": {"verify_required": True},
    "no-verify-required": {"verify_required": False},
}
_VALUES: Mapping[str, Callable[[KeyOptions, str], KeyOptions]] = {
    "from": _from,
    "expiry-time": _expiry,
    "command": _command,
    "environment": _environment,
    "permitopen": _permitopen,
    "permitlisten": _permitlisten,
    "principals": _principals,
    "tunnel": lambda options, value: options,  # there are no tunnel devices here to force
}
_LIMITS = frozenset(
    {
        *("restrict", "no-pty", "no-port-forwarding", "no-x11-forwarding", "no-agent-forwarding"),
        *("from", "expiry-time", "command", "environment", "permitopen", "permitlisten"),
        "verify-required",
    }
)
"""Options of a key that somebody meant to be good for less than the account. `no-user-rc` takes
nothing away here."""

_REPEATABLE = frozenset({"environment", "permitopen", "permitlisten"})
