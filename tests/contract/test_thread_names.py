"""The names that Python's own threads keep to themselves.

A class of ours that is a thread by way of paramiko must not use them: from 3.13 on a thread has its
handle in `_handle`, and a method of that name would be hidden by it.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import socketserver
import threading
from collections.abc import Iterator

import paramiko
import pytest

import tuihost
from tests.contract.test_paramiko_channel import own_names
from tuihost.ssh.sftp.server import TreeServer
from tuihost.ssh.transport import HostTransport

EVERY_VERSION = {
    "_args", "_bootstrap", "_bootstrap_inner", "_daemonic", "_delete", "_ident", "_initialized",
    "_invoke_excepthook", "_kwargs", "_name", "_native_id", "_set_ident", "_set_native_id",
    "_started", "_stderr", "_target",
}  # fmt: skip
UP_TO_3_12 = {
    "_is_stopped", "_reset_internal_locks", "_set_tstate_lock", "_stop", "_tstate_lock",
    "_wait_for_tstate_lock",
}  # fmt: skip
FROM_3_13 = {"_after_fork", "_handle"}
FROM_3_14 = {"_context", "_os_thread_handle", "_set_os_name"}
LISTED = EVERY_VERSION | UP_TO_3_12 | FROM_3_13 | FROM_3_14
OF_SERVERS = {"_handle_request_noblock", "_selector_cls", "_sock", "_threads"}

THREADS = (threading.Thread, socketserver.BaseServer, socketserver.BaseRequestHandler)


def _ours() -> Iterator[type]:
    """The classes of this package that are threads."""
    for module in pkgutil.walk_packages(tuihost.__path__, "tuihost."):
        if not module.name.endswith("__main__") and "_bundled" not in module.name:
            importlib.import_module(module.name)
    waiting: list[type] = list(THREADS)
    while waiting:
        for kind in waiting.pop().__subclasses__():
            waiting.append(kind)
            if kind.__module__.startswith("tuihost."):
                yield kind


def test_paramikos_transports_and_sftp_servers_are_threads() -> None:
    assert issubclass(paramiko.Transport, threading.Thread)
    assert issubclass(paramiko.SFTPServer, threading.Thread)
    assert {HostTransport, TreeServer} <= set(_ours())


def test_this_python_has_the_private_names_that_are_listed() -> None:
    thread = threading.Thread()
    names = {*vars(threading.Thread), *vars(thread)}
    private = {name for name in names if re.fullmatch(r"_[a-z]\w*", name)}
    assert EVERY_VERSION <= private <= LISTED, "a version of Python with others"


@pytest.mark.parametrize("kind", sorted(set(_ours()), key=lambda kind: kind.__qualname__))
def test_no_thread_of_ours_uses_one_of_them(kind: type) -> None:
    ours = {
        name
        for base in kind.__mro__
        if base.__module__.startswith("tuihost.")
        for name in own_names(base)
    }
    assert ours & (LISTED | OF_SERVERS) == set()
