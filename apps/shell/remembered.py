"""What the shell remembers for a person: their aliases, and what they typed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from sys import getsizeof

from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from tuihost import Session

MAX_ALIASES = 100
MAX_ALIAS = 500  # characters
MAX_ALL = 4096  # characters of all together, as they are kept
MAX_HISTORY = 512 * 1024  # bytes; beyond that, the older half is dropped
MAX_GUEST = 64 * 1024  # bytes of memory; beyond that, the oldest lines are dropped
_KEY = "shell.aliases"


def aliases_of(session: Session) -> dict[str, str]:
    """Their aliases, by name."""
    try:
        kept = json.loads(session.preferences.get(_KEY, "{}"))
    except ValueError:
        return {}
    return {str(name): str(meant) for name, meant in kept.items()} if isinstance(kept, dict) else {}


def problem_with_alias(name: str, meant: str, aliases: Mapping[str, str]) -> str:
    """Why there cannot be such an alias, as a sentence; empty if there can."""
    if not name.isprintable():
        return "The name of an alias has to be printable."
    if len(meant) > MAX_ALIAS:
        return f"An alias can have at most {MAX_ALIAS} characters."
    if name not in aliases and len(aliases) >= MAX_ALIASES:
        return f"You have {MAX_ALIASES} aliases, and there is no room for more. See: unalias"
    if len(_kept({**aliases, name: meant})) > MAX_ALL:
        return "There is no room for this alias. Remove another one first; see: unalias"
    return ""


def keep_aliases(session: Session, aliases: dict[str, str]) -> None:
    session.preferences.set(_KEY, _kept(aliases))


def _kept(aliases: Mapping[str, str]) -> str:
    return json.dumps(aliases)


class GuestHistory(InMemoryHistory):
    """The last lines that one guest typed, as many as fit into `MAX_GUEST`."""

    def __init__(self) -> None:
        super().__init__()
        self._size = 0

    def append_string(self, string: str) -> None:
        super().append_string(string)
        self._size += getsizeof(string)
        while self._size > MAX_GUEST and self._storage:
            self._size -= getsizeof(self._storage.pop(0))
        del self._loaded_strings[len(self._storage) :]  # the same lines, the latest first


class AccountHistory(FileHistory):
    """What one account typed, except lines that begin with a space."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path

    def append_string(self, string: str) -> None:
        if not string.strip() or string.startswith(" "):
            return
        super().append_string(string)
        if shortened(self.path):
            self._loaded_strings = list(self.load_history_strings())


def shortened(path: Path) -> bool:
    """Whether there were so many lines that the older half was dropped."""
    if not path.exists() or path.stat().st_size <= MAX_HISTORY:
        return False
    data = path.read_bytes()[-MAX_HISTORY // 2 :]
    path.write_bytes(data[data.find(b"\n\n") + 1 :])
    return True


def history_path(session: Session) -> Path:
    """Where the lines of one account are kept. Its name does not say whose they are."""
    name = hashlib.sha256(session.account.key.encode()).hexdigest()[:32]
    return session.data / f"history-{name}"


def history_of(session: Session) -> History:
    """The history of an account. A guest's is gone with their session."""
    if session.account.guest:
        kept = session.memory.setdefault("history", GuestHistory())
        assert isinstance(kept, History)
        return kept
    path = history_path(session)
    shortened(path)
    path.touch(0o600)
    return AccountHistory(path)


def typed_lines(session: Session) -> list[str]:
    """What was typed, oldest first."""
    return list(reversed(list(history_of(session).load_history_strings())))
