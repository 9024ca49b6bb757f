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
    """An app, step or theme could not be loaded; the text is one sentence for the operator. `part`
    is the class or the function that is wrong, whose file and line are added to the sentence."""

    def __init__(self, text: str, part: object = None) -> None:
        super().__init__(text)
        self.part = part


class PeerError(TuihostError):
    """The client broke a rule of the protocol. Its connection ends, and nobody else's."""


class MisuseError(TuihostError):
    """Code used tuihost in a way that can never work: a bug on this side, not the client's."""


class Disconnected(TuihostError, EOFError):
    """The person has left. Raised in an app that reads or writes after that."""


class Interrupted(TuihostError):
    """The person has had enough: of a command, which hears it at its next read or write, or of a
    question on a screen. Let it pass: what was under way ends, and nothing else."""


class NoTerminal(TuihostError):
    """A command asked a question, and there is no terminal to ask on: ends it with status 2."""

    def __init__(self, question: str) -> None:
        super().__init__(f"cannot ask {question.strip()!r} without a terminal; ssh -t gives one")


class TookTooLong(TuihostError):
    """Work that was offloaded took more than its time, and was ended. If an app lets it pass, its
    person reads the sentence."""


class TookTooMuch(TuihostError):
    """Work that was offloaded needed more than its memory, or its result is too large. If an app
    lets it pass, its person reads the sentence."""


class HelperFailed(TuihostError):
    """Work that was offloaded failed by an exception that is not one of Python's own, or with the
    helper process; the text says how."""


def new_incident() -> str:
    """A short id that a person can read out over the phone, such as `7F3A-91C2`."""
    digits = secrets.token_hex(4).upper()
    return f"{digits[:4]}-{digits[4:]}"
