"""Which options an rsync client may give to the rsync on the host. No I/O.

A client runs `rsync --server [--sender] OPTIONS . PATHS` on the other side. Only the options listed
here are accepted: none that names other files, writes in place or keeps half-written files. Which
folder it reaches is decided in `tuihost/host/transfers/rsync.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

RSYNC = "rsync"
SERVER = "--server"

_FLAGS = re.compile(r"-[vqrlptgoDdncihuSHWxzmIUNEOJ]*(?:e[0-9]*\.?[A-Za-z0-9]*)?")
_WORDS = frozenset((
    "--delete", "--delete-before", "--delete-during", "--delete-after", "--delete-delay",
    "--delete-excluded", "--ignore-existing", "--existing", "--size-only", "--stats",
    "--numeric-ids", "--force", "--ignore-errors", "--no-implied-dirs", "--prune-empty-dirs",
    "--safe-links", "--checksum",  "--omit-dir-times", "--times", "--perms", "--owner",
    "--group", "--links", "--recursive", "--devices", "--specials", "--sparse", "--whole-file",
    "--no-whole-file", "--new-compress", "--old-compress", "--no-r", "--no-R",
    "--remove-source-files",
))  # fmt: skip
_VALUES = re.compile(
    r"--(?:timeout|bwlimit|block-size|max-size|min-size|compress-level|modify-window|max-delete"
    r"|checksum-seed|checksum-choice|compress-choice|info|debug)=[\w.,-]{1,100}"
    r"|--log-format=[%\w]{0,20}"
)


_SPELLED = {
    "--partial": "-P (--partial) is not possible here: half a file is never kept. Use --progress",
}
"""What is said of options that people give by a letter, which the client spells out."""


class Refused(Exception):
    """The client asks for something that is not done here; the text says what."""


@dataclass(frozen=True, slots=True)
class RsyncArgs:
    """A copy: to the client if `sender`, else from it. `paths` are as the client wrote them."""

    sender: bool
    options: tuple[str, ...]
    paths: tuple[str, ...]

    @property
    def compressed(self) -> bool:
        return any(word.endswith("-compress") or "z" in _flags(word) for word in self.options)


def _flags(word: str) -> str:
    """The letters of short options. What follows an `e` is what the client can do."""
    return "" if word.startswith("--") else word[1:].partition("e")[0]


def parse_rsync(words: tuple[str, ...]) -> RsyncArgs:
    """Reads the words after `rsync`. Raises `Refused`."""
    if words[:1] != (SERVER,):
        raise Refused("rsync is for copying files: rsync -a FOLDER HOST:")
    sender = words[1:2] == ("--sender",)
    rest = list(words[2 if sender else 1 :])
    options = []
    while rest and rest[0] != ".":
        word = rest.pop(0)
        if not (_FLAGS.fullmatch(word) or word in _WORDS or _VALUES.fullmatch(word)):
            raise Refused(_SPELLED.get(word, f"the option {word} is not supported here"))
        options.append(word)
    paths = tuple(rest[1:])
    if not paths or (not sender and len(paths) > 1):
        raise Refused("no file is named")
    return RsyncArgs(sender, tuple(options), paths)
