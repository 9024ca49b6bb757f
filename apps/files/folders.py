"""The folders of each account: its own, and the shared ones that its roles open."""

from __future__ import annotations

import hashlib
import re
import shutil
import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuihost import Account, AppLoadError, DiskTree, FileError, Folders, Quota, Reason, SharedRoom

from .bin import Bin, items_of
from .guests import GuestRoom

SWEEP_EVERY = 3600.0  # seconds between two looks for what is too old in everybody's bins
APP, MINE = "files", "mine"
OWN = (APP, MINE)
"""Somebody's own folder, from the root of all files that they see."""
NOT_YOURS = "Your roles allow no files here. The host's operator can change that."
MEGABYTE = 1_000_000
_SHARED: dict[str, tuple[type, str]] = {
    "name": (str, "text"),
    "path": (str, "text"),
    "roles": (list, "a list of roles"),
    "write": (list, "a list of roles"),
    "guests": (bool, "true or false"),
}
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True)
class Shared:
    """A folder for several people. Without `roles` it is for everybody with an account."""

    name: str
    path: Path
    roles: frozenset[str]
    write: frozenset[str]
    guests: bool

    def opens_to(self, account: Account) -> bool:
        if account.guest:
            return self.guests
        return not self.roles or not self.roles.isdisjoint(account.roles)

    def lets_write(self, account: Account) -> bool:
        return not account.guest and not self.write.isdisjoint({*account.roles, "user"})


class AllFolders:
    """All folders of the host. Threads: any."""

    def __init__(self, data: Path, options: Mapping[str, Any]) -> None:
        self._people = data / "people"
        self._bins = data / "bins"
        self.bin_days = _count(options, "bin_days", 7)
        self._quota = _megabytes(options, "quota", 100)
        self._guests = data / "guests"
        each = _megabytes(options, "guest_quota", 5)
        shared = SharedRoom(_megabytes(options, "guests_quota", 500))
        self._guest_room = GuestRoom(
            self._guests,
            shared,
            each,
            lambda root: self._own_quota(root, each, shared),
            self._forget_guest,
        )
        self._entries = _count(options, "entries", 10_000)
        self.shared = _all_shared(data, options)
        self._quotas: dict[Path, Quota] = {}
        self._lock = threading.RLock()
        self._swept = float("-inf")
        for folder in self.shared:
            folder.path.mkdir(parents=True, exist_ok=True, mode=0o700)

    def quota_of(self, account: Account) -> Quota:
        """The quota of somebody's own folder, and of their bin."""
        key = _key_of(account)
        with self._lock:
            if account.guest:
                self._forget_passers_by()
                return self._guest_room.enter(self._guests / key)
            return self._own_quota(self._people / key, self._quota)

    def _own_quota(self, root: Path, size: int, room: SharedRoom | None = None) -> Quota:
        with self._lock:
            known = root in self._quotas
            quota = self._quota_at(root, size, items_of(self._bins / root.name), room=room)
            if not known:
                self._keep(root, quota)
            return quota

    def _forget_passers_by(self) -> None:
        """Guests choose their names: what is known of those who have left nothing goes."""
        for root in [root for root in self._quotas if root.parent == self._guests]:
            if root.exists() or (self._bins / root.name).exists():
                continue
            quota = self._quotas.pop(root)
            quota.dispensable = None  # which leads back to the quota
            known = weakref.ref(quota)
            del quota  # with which it ends, if nobody else has it
            if (in_use := known()) is not None:
                self._keep(root, in_use)

    def _keep(self, root: Path, quota: Quota) -> None:
        """Somebody's quota, with their bin."""
        self._quotas[root] = quota
        if self.bin_days > 0:
            quota.dispensable = Bin(DiskTree(quota), self._bins / root.name, self.bin_days)

    def _forget_guest(self, root: Path) -> None:
        """The folder of a guest gives way, and so does its bin."""
        if quota := self._quotas.pop(root, None):
            quota.forget()  # somebody may have been in it all the while
        shutil.rmtree(self._bins / root.name, ignore_errors=True)

    def bin_of(self, account: Account, tree: Folders) -> Bin:
        """The bin of somebody's own folder, which may be changed if that may be in `tree`, where
        all their files are. Raises `FileError` if they have none there."""
        mine, _ = tree.innermost(OWN)
        assert isinstance(mine, DiskTree), "somebody's own folder is on the disk"
        return Bin(mine, self._bins / _key_of(account), self.bin_days)

    def tree_of(self, account: Account) -> Folders:
        """The folders that `account` can see."""
        self._sweep()
        trees = {MINE: DiskTree(self.quota_of(account))}
        for folder in self.shared:
            if folder.opens_to(account):
                quota = self._quota_at(folder.path, self._quota)
                trees[folder.name] = DiskTree(quota, writable=folder.lets_write(account))
        return Folders(trees, MINE)

    def has_bin(self, names: tuple[str, ...]) -> bool:
        """Whether what is deleted there goes to a bin."""
        return self.bin_days > 0 and names[: len(OWN)] == OWN

    def delete(
        self, account: Account, tree: Folders, names: tuple[str, ...], *, folder: bool
    ) -> None:
        """Deletes a file or `folder`. Somebody's own goes to the bin, with everything in it; any
        other folder has to be empty. Raises `FileError`."""
        if not self.has_bin(names) or names == OWN:
            (tree.remove_folder if folder else tree.remove)(names)
            return
        if tree.info(names).folder is not folder:
            reason = "that is not a folder" if folder else "that is a folder"
            raise FileError(Reason.DENIED, reason)
        self.bin_of(account, tree).put(names[len(OWN) :])
        tree.changed("removed", names)

    def _sweep(self) -> None:
        """Removes what is too old from everybody's bin, now and then."""
        with self._lock:
            if time.monotonic() - self._swept < SWEEP_EVERY:
                return
            self._swept = time.monotonic()
            for place in self._bins.iterdir() if self._bins.exists() else ():
                guest = (self._guests / place.name).exists()
                root = (self._guests if guest else self._people) / place.name
                quota = self._quotas.get(root)
                if quota is None:  # nobody uses it now, and nobody begins to under this lock
                    beside = [items_of(place)]
                    quota = Quota(root, size=0, entries=0, beside=beside)
                with suppress(FileError):  # its owner will hear of it
                    Bin(DiskTree(quota), place, self.bin_days).sweep()

    def _quota_at(
        self, path: Path, size: int, *beside: Path, room: SharedRoom | None = None
    ) -> Quota:
        with self._lock:
            if path not in self._quotas:
                self._quotas[path] = Quota(
                    path, size=size, entries=self._entries, beside=beside, room=room
                )
            return self._quotas[path]


def _key_of(account: Account) -> str:
    """A name for somebody's folders. Their key may hold characters that no folder name can have,
    and must not lead elsewhere."""
    return hashlib.sha256(account.key.encode()).hexdigest()[:32]


def mistakes_in(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The name of each option that is wrong, and why."""
    for name in ("quota", "guest_quota", "guests_quota", "entries", "bin_days"):
        try:
            _count(options, name, 0)
        except AppLoadError as error:
            yield name, str(error)
    wrong = [problem for given in options.get("shared", ()) for problem in _shared_mistakes(given)]
    yield from (("shared", problem) for problem in wrong)
    if not wrong:
        try:
            _all_shared(Path(), options)
        except AppLoadError as error:
            yield "shared", str(error)


def roles_named_in(options: Mapping[str, Any]) -> Iterator[str]:
    """The roles to which the shared folders are open."""
    for folder in _all_shared(Path(), options):
        yield from sorted(folder.roles | folder.write)


def _all_shared(data: Path, options: Mapping[str, Any]) -> tuple[Shared, ...]:
    found = tuple(_shared(data, given) for given in options.get("shared", ()))
    names = [folder.name for folder in found]
    if len(set(names)) < len(names) or MINE in names:
        raise AppLoadError(f"every shared folder needs a name of its own, other than {MINE!r}")
    return found


def _shared_mistakes(given: Any) -> Iterator[str]:
    """What is wrong with one shared folder."""
    if not isinstance(given, Mapping) or not _NAME.fullmatch(str(given.get("name", ""))):
        yield "a shared folder needs a `name` of lower-case letters, digits and '-'"
        return
    for option, value in given.items():
        if option not in _SHARED:
            yield f"a shared folder has no option {option!r}; there are {', '.join(_SHARED)}"
            continue
        kind, called = _SHARED[option]
        items = value if isinstance(value, list) else ()
        if not isinstance(value, kind) or not all(isinstance(item, str) for item in items):
            yield f"`{option}` of a shared folder should be {called}"
        elif option == "path" and isinstance(value, str):
            try:
                _absolute(value)
            except AppLoadError as error:
                yield str(error)


def _shared(data: Path, given: Any) -> Shared:
    if (problem := next(_shared_mistakes(given), None)) is not None:
        raise AppLoadError(problem)
    name = given["name"]
    return Shared(
        name,
        _absolute(given["path"]) if "path" in given else data / "shared" / name,
        frozenset(given.get("roles", ())),
        frozenset(given.get("write", ())),
        given.get("guests", False),
    )


def _absolute(path: str) -> Path:
    """The folder at a path that means the same wherever the host is started."""
    try:
        folder = Path(path).expanduser()
    except RuntimeError:
        raise AppLoadError(f"{path}: there is no such home folder") from None
    if not folder.is_absolute():
        raise AppLoadError(f"`path` of a shared folder should begin with / or ~, not {path!r}")
    return folder


def _megabytes(options: Mapping[str, Any], name: str, default: int) -> int:
    return _count(options, name, default) * MEGABYTE


def _count(options: Mapping[str, Any], name: str, default: int) -> int:
    value = options.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 10_000_000:
        raise AppLoadError(f"`{name}` should be a whole number from 0 to 10,000,000, not {value!r}")
    return value
