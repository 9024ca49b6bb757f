"""The errors of tuihost, one tree, and the ids by which a person can ask about one."""

from __future__ import annotations

import secrets


class TuihostError(Exception):
    """Anything that tuihost raises on purpose."""


class SettingsError(TuihostError):
    """The settings are wrong. Holds every mistake that was found, not only the first."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class AppLoadError(TuihostError):
    """An app, step or theme could not be loaded; the text is one sentence for the operator."""


class PeerError(TuihostError):
    """The client broke a rule of the protocol. Its connection ends, and nobody else's."""


class MisuseError(TuihostError):
    """Code used tuihost in a way that can never work: a bug on this side, not the client's."""


class Disconnected(TuihostError, EOFError):
    """The person has left. Raised in an app that reads or writes after that."""


class Interrupted(TuihostError):
    """A command is no longer wanted. Raised in one that reads or writes after that."""


def new_incident() -> str:
    """A short id that a person can read out over the phone, such as `7F3A-91C2`."""
    digits = secrets.token_hex(4).upper()
    return f"{digits[:4]}-{digits[4:]}"
