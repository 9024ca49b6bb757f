"""Runs a program that can reach one folder: `python landlock.py FOLDER rw 100000 PROGRAM …`.

The kernel holds it there (Landlock, Linux 5.13 and newer). It may write to FOLDER, or with `ro`
only read it, and it may read and run what is in the system's own folders. It cannot make links,
devices, sockets or pipes, connect anywhere, gain rights, or write a file larger than so many bytes.

It needs nothing from the package, so that it starts quickly as a program of its own. A helper
process confines itself with it.
"""

from __future__ import annotations

import ctypes
import os
import resource
import struct
import sys
from collections.abc import Iterable

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = (1 << n for n in range(6))
MAKE_DIR, MAKE_REG, REFER, TRUNCATE = 1 << 7, 1 << 8, 1 << 13, 1 << 14
READ = READ_FILE | READ_DIR
WRITE = READ | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | REFER | TRUNCATE
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/ld.so.preload")
MEMORY = 1 << 30
NICE = 5

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # system calls, the same on every architecture
_ASK_VERSION, _BELOW = 1, 1
_NO_NEW_PRIVS = 38
_HANDLED = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # how many kinds of access a version knows


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64))


def version() -> int:
    """The version of Landlock. 0 if the kernel does not have it."""
    if not sys.platform.startswith("linux"):
        return 0
    found = _libc().syscall(_CREATE, None, 0, _ASK_VERSION)
    return int(max(0, found))


def confine(*, readable: Iterable[str] = (), writable: Iterable[str] = ()) -> None:
    """From now on this process can reach nothing but these folders and files and the system's own.
    What is not there is left out. Raises `OSError`."""
    known = version()
    if not known:
        raise OSError("the kernel has no Landlock")
    libc = _libc()
    handled = (1 << _HANDLED.get(known, 16)) - 1
    rules = _Ruleset(handled, 0b11 if known >= 4 else 0)
    size = ctypes.sizeof(rules) if known >= 4 else 8
    ruleset = _done(libc.syscall(_CREATE, ctypes.byref(rules), size, 0))
    allowed = (
        *((path, WRITE) for path in writable),
        *((path, READ) for path in readable),
        *((path, READ | EXECUTE) for path in SYSTEM),
        ("/dev/null", READ_FILE | WRITE_FILE),
    )
    for path, access in allowed:
        if os.path.exists(path):
            _allow(ruleset, path, access & handled)
    _done(libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0))
    _done(libc.syscall(_RESTRICT, ruleset, 0))
    os.close(ruleset)


def _allow(ruleset: int, path: str, access: int) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    if not os.path.isdir(path):
        access &= ~(READ_DIR | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | REFER)
    rule = struct.pack("=Qi", access, place)  # the kernel leaves no gap either
    _done(_libc().syscall(_ADD, ruleset, _BELOW, rule, 0))
    os.close(place)


def _done(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def main(words: list[str]) -> None:
    folder, mode, size, *command = words
    limit = int(size)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o077)
    os.nice(NICE)
    os.chdir(folder)
    if mode == "rw":
        confine(writable=(folder,))
    else:
        confine(readable=(folder,))
    os.execv(command[0], command)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as error:
        sys.exit(f"cannot be confined to its folder: {error}")
