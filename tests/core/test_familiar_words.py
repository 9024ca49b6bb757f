"""Words that people type out of habit, and what they lead to."""

from __future__ import annotations

import pytest

from tuihost.core.familiar_words import (
    Answer,
    HostCommand,
    Instead,
    familiar_words,
    instead_of,
    key_addition,
)

APPS = ("about", "account", "files", "menu", "shell", "status")
COPY_ID = (
    'exec sh -c \'cd; umask 077; mkdir -p ".ssh" && { [ -z `tail -1c .ssh/authorized_keys '
    '2>/dev/null` ] || echo >> ".ssh/authorized_keys" || exit 1; } && '
    'cat >> ".ssh/authorized_keys" || exit 1; if type restorecon >/dev/null 2>&1; then '
    'restorecon -F ".ssh" ".ssh/authorized_keys"; fi \''
)
OPENSSH_10 = (
    'exec sh -c \'cd;  umask 077;  AUTH_KEY_FILE=".ssh/authorized_keys";  '
    '[ -f /etc/openwrt_release ] && [ "$LOGNAME" = "root" ] &&   '
    'AUTH_KEY_FILE=/etc/dropbear/authorized_keys;  AUTH_KEY_DIR=`dirname "${AUTH_KEY_FILE}"`;  '
    'mkdir -p "${AUTH_KEY_DIR}" &&   { [ -z "`tail -1c "${AUTH_KEY_FILE}" 2>/dev/null`" ] ||    '
    'echo >> "${AUTH_KEY_FILE}" || exit 1; } &&   cat >> "${AUTH_KEY_FILE}" || exit 1;  \''
)
NO_SCRIPT = Answer(
    "Files are not run in this way. `shell script < FILE` runs the lines of one.", 127
)
OLDER = "umask 077 ; test -d .ssh || mkdir .ssh ; cat >> .ssh/authorized_keys"


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("help", Instead("shell", ("help",))),
        ("?", Instead("shell", ("help",))),
        ("man notes add", Instead("shell", ("help", "notes", "add"))),
        ("ls", Instead("files", ("ls",))),
        ("ls -la --json mine", Instead("files", ("ls", "--json", "mine"))),
        ("ls -latR", Instead("files", ("ls", "-tR"))),
        ("ls -l -t -- -l", Instead("files", ("ls", "-t", "--", "-l"))),
        ("cat a.txt", Instead("files", ("cat", "a.txt"))),
        ("cat -n -", Instead("files", ("cat", "-n", "-"))),
        ("less -R a.txt", Instead("files", ("cat", "a.txt"))),
        ("wc -l a.txt", Instead("shell", ("count", "a.txt"))),
        ("wc -w a.txt", Instead("shell", ("count", "-w", "a.txt"))),
        ("find *.txt", Instead("files", ("find", "*.txt"))),
        ("find -name *.txt", Instead("files", ("find", "*.txt"))),
        ("find sub -iname *.txt", Instead("files", ("find", "*.txt", "sub"))),
        ("find . -type f", Instead("files", ("find", ".", "-type", "f"))),
        ("rm --folder old", Instead("files", ("rm", "--folder", "old"))),
        ("pwd -P", Instead("files", ("pwd",))),
        ("df -h", Instead("files", ("quota",))),
        ("du -sh", Instead("files", ("quota",))),
        ("du -sh sub", Instead("files", ("quota", "sub"))),
        ("who", Instead("status", ("people",))),
        ("who --json", Instead("status", ("people", "--json"))),
        ("top", Instead("status", ())),
        ("ps aux", Instead("status", ("now",))),
        ("ps --help", Instead("status", ("now", "--help"))),
        ("whoami", Instead("account", ("whoami",))),
        ("passwd", Instead("account", ())),
        ("sh -c 'ls'", Instead("shell", ("-c", "'ls'"))),
        ("bash -lc ls zero", Instead("shell", ("-c", "ls"))),
        ("bash -c", Instead("shell", ("-c",))),
        ("/bin/sh -c ls", Instead("shell", ("-c", "ls"))),
        ("bash -s one two", Instead("shell", ())),
        ("bash script.sh", NO_SCRIPT),
        ("sh -x ./script one", NO_SCRIPT),
        ("bash -l", Instead("shell", ())),
        ("echo a b", Instead("shell", ("echo", "a", "b"))),
        ("exit", Answer("", 0)),
        ("logout", Answer("", 0)),
        ("exit 3", Answer("", 3)),
        ("exit 256", Answer("", 0)),
        ("exit now", Answer("", 0)),
        (f"exit {'1' * 4301}", Answer("", 0)),
        ("true", Answer("", 0)),
        ("false", Answer("", 1)),
        ("cp -p a b", Instead("files", ("cp", "a", "b"))),
        ("which -a notes", Instead("shell", ("help", "notes"))),
        ("command -v ls", Instead("shell", ("help", "ls"))),
        ("la", Instead("files", ("ls",))),
        ("tree sub", Instead("files", ("find", "*", "sub"))),
        ("fgrep -i x a", Instead("shell", ("grep", "--fixed", "-i", "x", "a"))),
        ("date -u", Instead("shell", ("date",))),
        ("date +%F", Instead("shell", ("date", "+%F"))),
        ("uname -a", Instead("about", ("host",))),
        ("last -n 3", Instead("account", ("history",))),
        ("env", Instead("about", ("env",))),
        ("nots", None),
        ("", None),
    ],
)
def test_what_a_word_leads_to(line: str, meant: Instead | Answer | None) -> None:
    assert instead_of(line.split(), APPS) == meant


HABITS = """
    help man ls ll la dir tree cat less more head tail cp mv rm rmdir mkdir touch ln chmod chown
    umask stat file find locate du df quota vi vim nvim nano emacs ed edit open env printenv set
    export unset source . eval exec alias unalias history which type whereis command clear reset cls
    tput stty tty date cal time sleep watch w who whoami users id groups last lastlog finger uname
    hostname uptime free top htop ps kill killall pkill jobs bg fg nohup nice screen tmux cd pushd
    popd pwd echo printf yes seq test [ true false exit logout quit grep egrep fgrep rg sed awk cut
    tr sort uniq wc tee xargs diff cmp md5sum sha256sum base64 tar gzip gunzip zip unzip curl wget
    ping ssh scp sftp rsync ssh-keygen ssh-copy-id ftp telnet nc su sudo doas passwd chsh login
    useradd adduser mail write wall talk apt apt-get yum dnf brew pip npm git make gcc python
    python3 node perl ruby bash sh zsh fish systemctl service journalctl dmesg reboot shutdown
    poweroff mount lsblk ip ifconfig netstat ss lsof crontab at if for while : dd
"""


@pytest.mark.parametrize("apps", [APPS, ("files", "shell"), ()])
def test_a_word_from_a_shell_leads_to_a_command_or_to_a_sentence(apps: tuple[str, ...]) -> None:
    known = dict(familiar_words(apps))
    assert apps != APPS or known.keys() >= set(HABITS.split())
    for word in known:
        match instead_of((word,), apps):
            case Instead(app=app):
                assert app in apps
            case Answer(sentence="", status=status):
                assert status == (word == "false")
            case Answer(sentence=sentence, status=status):
                assert status, word
                assert sentence[-1] == ".", word
                assert len(sentence) < 130, word
            case HostCommand():
                assert apps != APPS, word
            case None:
                raise AssertionError(word)


@pytest.mark.parametrize("apps", [(), ("notes",), ("account", "shell")])
def test_help_and_whoami_are_for_everybody(apps: tuple[str, ...]) -> None:
    for word, command in (("help", HostCommand.HELP), ("id", HostCommand.WHOAMI)):
        app, *words = command.value
        meant = Instead(app, tuple(words)) if app in apps else command
        assert instead_of((word,), apps) == meant
        assert dict(familiar_words(apps))[word] == (" ".join(command.value) if app in apps else "")
    assert instead_of(("ls",), apps) is None


def test_only_what_somebody_may_open_is_named_instead() -> None:
    assert instead_of(("rmdir", "x"), ()) == Answer("rmdir is not here.", 127)
    assert instead_of(("rmdir", "x"), ("files",)) == Answer(
        "rmdir is not here. `files rm -r FOLDER` deletes a folder.", 127
    )


def test_a_folder_to_go_to_is_told_to_be_missing() -> None:
    found = instead_of(("cd", "src"), APPS)
    assert isinstance(found, Answer)
    assert found.status, "what follows on the line must not run in the wrong place"
    assert found.sentence


def test_a_word_leads_nowhere_without_its_app() -> None:
    assert instead_of(("ls",), ("menu",)) is None
    found = dict(familiar_words(("status",)))
    assert {word: meant for word, meant in found.items() if meant} == {
        **dict.fromkeys(("who", "w", "users", "finger"), "status people"),
        **dict.fromkeys(("top", "htop", "btop"), "status"),
        **dict.fromkeys(("ps", "uptime", "free", "vmstat"), "status now"),
    }
    assert not {"exit", "true", "false", "cd"} - found.keys()


@pytest.mark.parametrize("line", [OPENSSH_10, COPY_ID, OLDER])
def test_what_ssh_copy_id_sends_adds_a_key(line: str) -> None:
    assert key_addition(line, APPS) == Instead("account", ("add-key",))
    found = key_addition(line, ("menu",))
    assert isinstance(found, Answer)
    assert found.status
    assert found.sentence


@pytest.mark.parametrize("line", ["notes add authorized_keys", "cat .ssh/authorized_keys", ""])
def test_other_lines_add_no_key(line: str) -> None:
    assert key_addition(line, APPS) is None
