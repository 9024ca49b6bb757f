"""The keys that are kept in files: people's, authorities', and those that are never accepted.

Files are looked at whenever somebody offers a key, so that a change counts at once. They are read
only if they have changed, so that the time of an offer does not tell how many keys there are. A
file that others can write to, or that cannot be read, lets nobody in. Threads: any.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tuihost.accounts import KeyRecord
from tuihost.core.keys.authorized_keys import (
    KeyFile,
    KeyLine,
    Unfit,
    judge,
    key_text,
    parse,
    parse_line,
)
from tuihost.core.keys.offers import KeyOffer, Revocations
from tuihost.core.keys.options import KeyOptions
from tuihost.errors import SettingsError
from tuihost.files.secret_files import NotPrivate, check_trusted, read_trusted
from tuihost.logs import Event, EventLog
from tuihost.settings.models import Settings
from tuihost.ssh.keys.revocations import MAX_SIZE, RevokedKeys, read_revocations
from tuihost.text import clean
from tuihost.wire import Restrictions

MAX_FILE = 1 << 18  # bytes: a thousand keys
MAX_KEPT = 20_000  # lines of all files that have been read
SETTLED = 1.0  # seconds after a change in which another one may leave a file looking the same
_MAX_TOLD = 1000


class KeyFiles:
    """Judges keys by those of the account and by the files that the settings name. Raises
    SettingsError if a file of authorities or of revoked keys cannot be used at the start."""

    def __init__(self, settings: Settings, log: EventLog) -> None:
        login = settings.login
        self._log = log
        self._patterns = login.authorized_keys
        self._authorities = login.trusted_ca
        self._revoked = login.revoked_keys
        self._kept: tuple[tuple[int, ...], RevokedKeys] | None = None
        self._read_files = _ReadFiles()
        self._told: set[str] = set()
        problems = [
            f"login.trusted_ca: {problem}"
            for path in self._authorities
            for problem in _read_authorities(path).problems
        ]
        if self._revoked is not None:
            try:
                self._revocations()
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or error
                problems.append(f"login.revoked_keys: {self._revoked}: {reason}")
        if problems:
            raise SettingsError(tuple(problems))
        self._tell_absent_folders()

    def judge(
        self,
        user: str,
        own: Sequence[KeyRecord],
        offer: KeyOffer,
        *,
        address: str,
        now: float,
        files: bool = True,
    ) -> Restrictions | Unfit:
        """What the key takes away from `user`, or why it does not let them in. `own` are the
        keys that the store has for them; without `files` only those count, and what is revoked."""
        lines = list(self._own(own))
        authorities: set[bytes] = set()
        if files:
            lines += self._of(self._files(user), offer.listed)
        if files and offer.certificate is not None:
            authorities = {line.blob for line in self._trusted()}
        try:
            revoked = self._revocations()
        except (OSError, ValueError) as error:
            # As nobody can know what is revoked, any key might be.
            self._tell(f"{self._revoked}: {error}")
            return Unfit("the list of revoked keys cannot be read")
        return judge(
            lines,
            offer,
            peer_address=address,
            now=now,
            user=user,
            trusted_cas=authorities,
            revoked=revoked,
        )

    def _tell_absent_folders(self) -> None:
        for folder in absent_folders(self._patterns):
            self._tell(f"{folder}: there is no such folder, so no key in it lets anybody in")

    def _own(self, records: Iterable[KeyRecord]) -> Iterable[KeyLine]:
        for record in records:
            try:
                yield _parsed_line(record.line)
            except ValueError as error:
                self._tell(f"the key {record.fingerprint} of {record.account}: {error}")

    def _files(self, user: str) -> tuple[Path, ...]:
        if not user:
            return ()
        return tuple(Path(pattern.replace("%u", user)) for pattern in self._patterns)

    def _of(self, paths: Iterable[Path], key: bytes) -> Iterable[KeyLine]:
        """The lines of these files that list a key."""
        self._tell_absent_folders()
        for path in paths:
            if problem := folder_problem(path.parent):
                self._tell(problem)
                continue
            found = self._read_files.read(path)
            for problem in found.problems:
                self._tell(problem)
            yield from found.by_key.get(key, ())

    def _trusted(self) -> Iterable[KeyLine]:
        for path in self._authorities:
            found = _read_authorities(path)
            for problem in found.problems:
                self._tell(problem)
            yield from found.lines

    def _revocations(self) -> Revocations | None:
        if self._revoked is None:
            return None
        about = self._revoked.stat()
        state, kept = _state_of(about), self._kept
        if kept is not None and kept[0] == state:
            return kept[1]
        revoked = read_revocations(_bytes_of(self._revoked, MAX_SIZE))
        if _is_settled(about):  # the list may be too long to read at every login
            self._kept = state, revoked
        return revoked

    def _tell(self, problem: str) -> None:
        """Logs a problem, once: nobody needs it again at every login."""
        if problem in self._told:
            return
        if len(self._told) >= _MAX_TOLD:
            self._told.clear()
        self._told.add(problem)
        self._log.warning(Event.KEYS_BROKEN, reason=clean(problem, limit=300))


def absent_folders(patterns: Iterable[str]) -> Iterator[Path]:
    """Folders of files of keys that are not there. Those whose name has `%u` in it are for each
    person to have."""
    for pattern in patterns:
        folder = Path(pattern.partition("%u")[0] + "x").parent
        if not folder.is_dir():
            yield folder


def folder_problem(folder: Path) -> str | None:
    """Why no file of keys in the folder counts; None if that is not the folder's fault. Anyone who
    can write to it can give one person's file the name of another one's."""
    try:
        check_trusted(folder)
    except NotPrivate as problem:
        return f"{folder}: {problem}, so no key in it lets anybody in"
    except OSError:
        return None
    return None


@dataclass(frozen=True, slots=True)
class _ReadFile:
    """A file of keys as it was read, when it looked like `state`."""

    state: tuple[int, ...]
    by_key: Mapping[bytes, Sequence[KeyLine]]
    problems: Sequence[str]
    size: int  # in lines


class _ReadFiles:
    """Files of keys, those that were asked for last. Threads: any."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Path, _ReadFile] = OrderedDict()
        self._lines = 0
        self._lock = threading.Lock()

    def read(self, path: Path) -> _ReadFile:
        """What is in it now; nothing if it is not there."""
        try:
            about = path.stat()
        except OSError as error:
            absent = isinstance(error, FileNotFoundError)
            return _ReadFile((), {}, () if absent else (f"{path}: {error.strerror}",), 0)
        state = _state_of(about)
        with self._lock:
            kept = self._kept.get(path)
            if kept is not None and kept.state == state:
                self._kept.move_to_end(path)
                return kept
        found = _indexed(_read(path), state)
        if _is_settled(about):
            self._keep(path, found)
        return found

    def _keep(self, path: Path, found: _ReadFile) -> None:
        with self._lock:
            before = self._kept.pop(path, None)
            self._kept[path] = found
            self._lines += found.size - (before.size if before is not None else 0)
            while self._lines > MAX_KEPT:
                _, oldest = self._kept.popitem(last=False)
                self._lines -= oldest.size


def _indexed(file: KeyFile, state: tuple[int, ...]) -> _ReadFile:
    by_key: dict[bytes, list[KeyLine]] = {}
    for line in file.lines:
        by_key.setdefault(line.blob, []).append(line)
    return _ReadFile(state, by_key, file.problems, len(file.lines) + 1)


def _state_of(about: os.stat_result) -> tuple[int, ...]:
    """What differs once a file has changed, or others may write to it."""
    return (
        about.st_dev,
        about.st_ino,
        about.st_size,
        about.st_mtime_ns,
        about.st_ctime_ns,
        about.st_mode,
        about.st_uid,
    )


def _is_settled(about: os.stat_result) -> bool:
    return time.time() - about.st_ctime > SETTLED


def _read(path: Path) -> KeyFile:
    """The keys in the file, or why there are none."""
    try:
        text = key_text(_bytes_of(path))
    except OSError as error:
        return KeyFile((), (f"{path}: {error.strerror or error}",))
    except ValueError as error:
        return KeyFile((), (f"{path}: {error}",))
    return parse(text, str(path))


def _read_authorities(path: Path) -> KeyFile:
    """The keys of authorities. What one may do is for its certificates to say: a line that says
    more (`from=`, `principals=`) is reported and left out, not half obeyed."""
    found = _read(path)
    plain = (KeyOptions(), KeyOptions(cert_authority=True))
    problems = tuple(
        f"{path}: the authority {line.fingerprint} has options, which count in authorized_keys only"
        for line in found.lines
        if line.options not in plain
    )
    lines = tuple(line for line in found.lines if line.options in plain)
    return KeyFile(lines, found.problems + problems)


def _bytes_of(path: Path, limit: int = MAX_FILE) -> bytes:
    """All of a file. Raises ValueError with what is wrong with it, OSError."""
    try:
        check_trusted(path.parent)
    except NotPrivate as problem:
        raise ValueError(f"its folder {path.parent}: {problem}") from None
    try:
        raw = read_trusted(path, limit + 1)
    except NotPrivate as problem:
        raise ValueError(str(problem)) from None
    if len(raw) > limit:
        raise ValueError(f"is larger than {limit} bytes")
    return raw


_parsed_line = lru_cache(maxsize=4096)(parse_line)
