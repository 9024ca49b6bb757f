"""Words that people type out of habit, and the command that does the same here: `ls` is `files ls`.

No I/O. An app with such a name always comes first, and the command is judged as if its own name had
been typed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from tuihost.core.exit_statuses import NOT_FOUND, NOT_YOURS

T = TypeVar("T")

_RUNS_A_LINE = re.compile(r"-[a-z]*c$")
_READS_INPUT = re.compile(r"-[a-z]*s$")
_OF_A_SYSTEM = re.compile(r"/(?:usr/)?(?:local/)?s?bin/(?=[^/]+$)")
_TAKES_KEYS = re.compile(r"\bcat\s*>>\s*\S*(?:authorized_keys|AUTH_KEY_FILE)\b")
"""In what `ssh-copy-id` has a server run, of every version; since OpenSSH 10 by a variable."""


@dataclass(frozen=True, slots=True)
class Instead:
    """The command of an app that is meant; without words, the app itself."""

    app: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the host answers by itself: a sentence, if it is not empty, and an exit status."""

    sentence: str
    status: int


class HostCommand(Enum):
    """A command that the host runs itself for people who may not run the one of the app."""

    HELP = ("shell", "help")
    WHOAMI = ("account", "whoami")


class _Keeps(Enum):
    """Which of the words behind it mean something here."""

    ALL = "all"
    LONG_OPTIONS = "those such as --json; the others say only how to show it elsewhere"
    A_SEARCH = "a folder, and a pattern after -name, as find(1) has them"
    A_LINE = "one after -c, however that is written, such as -lc; no file, which would be a script"


@dataclass(frozen=True, slots=True)
class _Word:
    """`as_it_is`: the letters of options that ask for what the command does anyway."""

    command: tuple[str, ...]
    keeps: _Keeps = _Keeps.ALL
    as_it_is: str = ""


@dataclass(frozen=True, slots=True)
class _NotHere:
    """What does not exist here, and what there is `instead` for people who may open `app`."""

    sentence: str
    app: str = ""
    instead: str = ""
    status: int = NOT_FOUND


def _each(words: str, meant: T) -> dict[str, T]:
    return dict.fromkeys(words.split(), meant)


_OF_THE_SHELL = (
    "alias", "apps", "count", "echo", "grep", "head", "history", "json", "page", "sort",
    "tail", "unalias",
)  # fmt: skip
"""Commands of the shell that need no app before them: there, and so here."""

_WORDS = {
    **_each("help man ? info", _Word(("shell", "help"))),
    "apropos": _Word(("shell", "help"), _Keeps.LONG_OPTIONS),
    **_each("which type whereis whatis command", _Word(("shell", "help"), as_it_is="Vafptv")),
    **_each("ls dir ll la l vdir", _Word(("files", "ls"), as_it_is="1AFGahlp")),
    "stat": _Word(("files", "ls")),
    "tree": _Word(("files", "find", "*"), as_it_is="aC"),
    **_each("cat bat", _Word(("files", "cat"), as_it_is="u")),
    **_each("less more most", _Word(("files", "cat"), as_it_is="EFRSXer")),
    **_each("find locate", _Word(("files", "find"), _Keeps.A_SEARCH)),
    **{word: _Word(("files", word)) for word in ("mkdir", "mv", "rm", "touch")},
    "cp": _Word(("files", "cp"), as_it_is="p"),
    "pwd": _Word(("files", "pwd"), _Keeps.LONG_OPTIONS),
    "du": _Word(("files", "quota"), as_it_is="abchkms"),
    **_each("df quota", _Word(("files", "quota"), _Keeps.LONG_OPTIONS)),
    **_each("who w users finger", _Word(("status", "people"), _Keeps.LONG_OPTIONS)),
    **_each("top htop btop", _Word(("status",), _Keeps.LONG_OPTIONS)),
    **_each("ps uptime free vmstat", _Word(("status", "now"), _Keeps.LONG_OPTIONS)),
    **_each("whoami id logname", _Word(("account", "whoami"), _Keeps.LONG_OPTIONS)),
    "groups": _Word(("account", "show"), _Keeps.LONG_OPTIONS),
    **_each("last lastlog", _Word(("account", "history"), _Keeps.LONG_OPTIONS)),
    **_each("passwd chsh chfn", _Word(("account",), _Keeps.LONG_OPTIONS)),
    **_each("hostname uname hostnamectl", _Word(("about", "host"), _Keeps.LONG_OPTIONS)),
    **_each("tty stty tput", _Word(("about", "terminal"), _Keeps.LONG_OPTIONS)),
    **_each("env printenv", _Word(("about", "env"))),
    **_each("sh bash dash zsh ksh fish", _Word(("shell",), _Keeps.A_LINE)),
    **{word: _Word(("shell", word)) for word in _OF_THE_SHELL},
    "date": _Word(("shell", "date"), as_it_is="u"),
    "wc": _Word(("shell", "count"), as_it_is="l"),
    **_each("egrep rg", _Word(("shell", "grep"), as_it_is="E")),
    "fgrep": _Word(("shell", "grep", "--fixed")),
}
_LEAVING = ("exit", "logout", "quit")
MAX_DIGITS = 9  # of an exit status: of thousands Python makes no number
_NO_KEYS = Answer("Keys cannot be added in this way here.", 1)
_ANSWERS = {**_each("true :", Answer("", 0)), "false": Answer("", 1)}
_NOT_HERE = {
    **_each(
        "cd pushd popd dirs chdir",
        _NotHere(
            "There is no folder to go to: each command takes the whole path.", status=NOT_YOURS
        ),
    ),
    **_each(
        "vi vim nvim nano pico emacs ed edit micro joe view",
        _NotHere(
            "There is no editor for the command line here.",
            "files",
            "In the app Files, Ctrl-E edits a text.",
        ),
    ),
    "rmdir": _NotHere("rmdir is not here.", "files", "`files rm -r FOLDER` deletes a folder."),
    **_each("ln link symlink", _NotHere("There are no links here.", "files", "`files cp` copies.")),
    **_each(
        "chmod chown chgrp umask",
        _NotHere("Owners and modes are not changed here.", "files", "`sftp` has chmod."),
    ),
    **_each(
        "clear reset cls",
        _NotHere("Only the screen of the shell can be cleared, with Ctrl-L."),
    ),
    **_each(
        "open xdg-open start",
        _NotHere(
            "On a terminal, the name of an app opens it.",
            "files",
            "Files are opened in the app Files.",
        ),
    ),
    **_each(
        "set export unset declare local read readonly",
        _NotHere("There are no variables here.", "about", "`about env` shows what you sent."),
    ),
    **_each(
        "if for while until case function test [ [[ let expr",
        _NotHere(
            "There are no conditions and no loops here.",
            "shell",
            "In the shell && goes on after success, and || after failure.",
        ),
    ),
    **_each(
        "source . eval exec",
        _NotHere(
            "Files are not run in this way.",
            "shell",
            "`shell script < FILE` runs the lines of one.",
        ),
    ),
    **_each(
        "sed awk cut tr uniq tee xargs rev tac nl paste join column diff cmp comm fold printf",
        _NotHere(
            "That filter is not here.",
            "shell",
            "There are grep, head, tail, sort (with -u), count, json and page.",
        ),
    ),
    **_each(
        "tar gzip gunzip zcat bzip2 xz zip unzip 7z md5sum sha1sum sha256sum cksum base64 xxd od "
        "hexdump dd split file",
        _NotHere(
            "No program here works on files in this way.",
            "files",
            "scp, sftp and rsync bring them to your own machine.",
        ),
    ),
    **_each(
        "sftp scp rsync",
        _NotHere("That is run on your own machine.", "files", "It copies files to and from here."),
    ),
    **_each(
        "curl wget ping dig host nslookup traceroute nc telnet ftp ssh mosh",
        _NotHere(
            "Nothing here goes out into the network.",
            "files",
            "Fetch it on your own machine, and copy it here with scp.",
        ),
    ),
    **_each(
        "ssh-keygen ssh-copy-id ssh-add ssh-agent",
        _NotHere(
            "That is run on your own machine.",
            "account",
            "`account add-key` adds public keys to your account here.",
        ),
    ),
    **_each(
        "su sudo doas login newgrp",
        _NotHere(
            "Nobody becomes somebody else here.", "account", "`account whoami` says who you are."
        ),
    ),
    **_each(
        "useradd adduser usermod userdel",
        _NotHere("Accounts are made by the operator, or with an invitation from them."),
    ),
    **_each(
        "kill killall pkill jobs bg fg wait disown nohup nice screen tmux byobu at crontab",
        _NotHere(
            "Nothing runs here in the background: Ctrl-C ends what you run, and all of it "
            "ends with your connection."
        ),
    ),
    **_each(
        "mail write wall mesg talk",
        _NotHere(
            "There are no messages between people here.",
            "status",
            "`status people` says who is here.",
        ),
    ),
    **_each(
        "apt apt-get aptitude dpkg yum dnf pacman apk brew pip npm git make gcc python python3 "
        "node perl ruby php java docker systemctl service journalctl dmesg reboot shutdown halt "
        "poweroff mount umount lsblk ip ifconfig netstat ss lsof time sleep watch yes seq cal bc",
        _NotHere("Only the apps of this host run here.", "shell", "`help` lists what they can do."),
    ),
}
"""Words for what does not exist here."""


def host_command(app: str, words: Sequence[str]) -> HostCommand | None:
    """What the host runs for somebody who may not run this command; None if it is nothing."""
    found = (command for command in HostCommand if command.value == (app, *words[:1]))
    return next(found, None)


def program_name(word: str) -> str:
    """The name of a program that somebody calls by its path on other systems: `/usr/bin/rsync`."""
    return _OF_A_SYSTEM.sub("", word, count=1) if word.startswith("/") else word


def instead_of(
    words: Sequence[str], apps: Collection[str]
) -> Instead | Answer | HostCommand | None:
    """What `words` mean here for somebody who may open `apps`; None if it is nothing."""
    if not words:
        return None
    name, rest = program_name(words[0]), words[1:]
    if name in _LEAVING:
        is_status = rest and rest[0].isdecimal() and len(rest[0]) <= MAX_DIGITS
        return Answer("", int(rest[0]) & 0xFF if is_status else 0)
    if name in _ANSWERS:
        return _ANSWERS[name]
    if missing := _NOT_HERE.get(name):
        instead = missing.instead if missing.app in apps else ""
        return Answer(f"{missing.sentence} {instead}".rstrip(), missing.status)
    found = _WORDS.get(name)
    if found is None:
        return None
    if found.keeps is _Keeps.A_LINE and _names_a_file(rest):
        return instead_of((".",), apps)
    app, *command = found.command
    if app not in apps:
        return host_command(app, command)
    return Instead(app, (*command, *_kept(rest, found)))


def key_addition(line: str, apps: Collection[str]) -> Instead | Answer | None:
    """The same for a whole command line of `ssh-copy-id`, which writes keys to a file that is not
    there; None for any other line."""
    if not _TAKES_KEYS.search(line):
        return None
    return Instead("account", ("add-key",)) if "account" in apps else _NO_KEYS


def familiar_words(apps: Collection[str]) -> Iterator[tuple[str, str]]:
    """Each word that means something, and the command that it leads to; that is empty if the host
    itself answers."""
    yield from dict.fromkeys((*_LEAVING, *_ANSWERS, *_NOT_HERE), "").items()
    for name, word in _WORDS.items():
        app, *command = word.command
        if app in apps:
            yield name, " ".join(word.command)
        elif host_command(app, command) is not None:
            yield name, ""


def _names_a_file(words: Sequence[str]) -> bool:
    """Whether a shell would read its lines from a file that stands there."""
    if any(_RUNS_A_LINE.match(word) or _READS_INPUT.match(word) for word in words):
        return False
    return any(word[:1] not in ("-", "+") for word in words)


def _kept(words: Sequence[str], known: _Word) -> tuple[str, ...]:
    match known.keeps:
        case _Keeps.ALL:
            return tuple(_without_letters(words, known.as_it_is))
        case _Keeps.A_SEARCH:
            return _search(words)
        case _Keeps.LONG_OPTIONS:
            return tuple(word for word in words if word.startswith("--"))
        case _Keeps.A_LINE:
            before = next((at for at, word in enumerate(words) if _RUNS_A_LINE.match(word)), None)
            return () if before is None else ("-c", *words[before + 1 :][:1])


def _without_letters(words: Sequence[str], letters: str) -> Iterator[str]:
    """The words without these letters of options; the others stay, for the command to refuse."""
    for number, word in enumerate(words):
        if word == "--":
            yield from words[number:]
            return
        if not letters or len(word) < 2 or word[0] != "-" or word[1] == "-":
            yield word
        elif left := "".join(letter for letter in word[1:] if letter not in letters):
            yield f"-{left}"


def _search(words: Sequence[str]) -> tuple[str, ...]:
    """`. -name '*.txt'` as the pattern and the folder; anything else as it is."""
    match tuple(words):
        case ("-name" | "-iname", pattern):
            return (pattern,)
        case (folder, "-name" | "-iname", pattern):
            return pattern, folder
        case as_they_are:
            return as_they_are
