"""What rsync's client may ask of the host's half."""

from __future__ import annotations

import shlex

import pytest

from tuihost.core.routing import BadCommand, NoSuchApp, RunCommand, SyncFiles, route
from tuihost.core.rsync_args import Refused, RsyncArgs, parse_rsync
from tuihost.wire import ExecRequest

FLAGS = "-logDtpre.iLsfxCIvu"


def asked(line: str) -> RsyncArgs:
    return parse_rsync(tuple(shlex.split(line)))


def test_what_clients_send_is_read() -> None:
    assert asked(f"--server {FLAGS} . copy") == RsyncArgs(False, (FLAGS,), ("copy",))
    both = asked(f"--server --sender {FLAGS} --delete-during --timeout=5 . a 'b c'")
    assert both == RsyncArgs(True, (FLAGS, "--delete-during", "--timeout=5"), ("a", "b c"))
    assert not both.compressed
    assert asked("--server -vlogDtprze.iLsfxCIvu . x").compressed
    assert asked("--server -logDtpre.iLsfxCIvu --new-compress . x").compressed
    assert asked("--server --sender -de.LsfxCIvu --log-format=%i . x").paths == ("x",)


@pytest.mark.parametrize(
    "line",
    [
        "", "--version", "-a x y", "--daemon", "--server --daemon .", "--server", "--server .",
        f"--server {FLAGS} . a b", f"--server {FLAGS} --inplace . x", "--server -R . x",
        f"--server {FLAGS} --partial-dir=/tmp . x", f"--server {FLAGS} --append . x",
        f"--server {FLAGS} --link-dest=/etc . x", f"--server {FLAGS} --copy-dest=/etc . x",
        f"--server {FLAGS} --compare-dest=/ . x", f"--server {FLAGS} --backup-dir=/tmp . x",
        f"--server {FLAGS} --temp-dir=/tmp . x", f"--server {FLAGS} -T /tmp . x",
        f"--server {FLAGS} --log-file=/tmp/x . x", f"--server {FLAGS} --files-from=/etc/x . x",
        f"--server {FLAGS} --config=/x . x", f"--server {FLAGS} --exclude-from=/etc/x . x",
        f"--server {FLAGS} --write-batch=x . x", f"--server {FLAGS} --rsh=sh . x",
        f"--server {FLAGS} --rsync-path=sh . x", f"--server {FLAGS} --fuzzy . x",
        f"--server {FLAGS} --super . x", f"--server {FLAGS} --log-format=%n/../x . x",
        f"--server {FLAGS} --timeout=5/../x . x", "--server -e sh . x", "--server -b . x",
        "--server -s . x", "--server -k . x", "--server -L . x", "--server -K . x",
        "--server --sender x y",
    ],
)  # fmt: skip
def test_everything_else_is_refused(line: str) -> None:
    with pytest.raises(Refused):
        asked(line)


def test_what_is_refused_is_called_as_it_was_typed() -> None:
    with pytest.raises(Refused, match=r"^-P \(--partial\)"):
        asked(f"--server {FLAGS} --partial . x")


def test_an_app_of_that_name_comes_first() -> None:
    line = ExecRequest(f"rsync --server {FLAGS} . x")
    how = {"target": None, "default": "menu", "pty": False}
    assert isinstance(route(line, apps=["menu"], **how), SyncFiles)  # type: ignore[arg-type]
    assert isinstance(route(line, apps=["rsync"], **how), RunCommand)  # type: ignore[arg-type]
    other = route(ExecRequest("rsyncd x"), apps=["menu"], **how)  # type: ignore[arg-type]
    assert isinstance(other, NoSuchApp)
    wrong = route(ExecRequest("rsync 'x"), apps=["menu"], **how)  # type: ignore[arg-type]
    assert isinstance(wrong, BadCommand)
