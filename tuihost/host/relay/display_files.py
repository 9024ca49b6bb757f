"""What a display of one session has on this machine: a number, sockets, a cookie; and what is left
of those whose host was killed.

The folder of a display is locked (flock) as long as its host lives, and says which socket is its
own: so another start can prove that both are this user's and nobody's any more.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import socket
import stat
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tuihost.core.x11_setup import xauthority
from tuihost.session.streams import NotOpened

SOCKETS = Path("/tmp/.X11-unix")  # where every X client looks for the display :N
FIRST_NUMBER, NUMBERS = 10, 1000  # as OpenSSH's X11DisplayOffset leaves room for real ones
PREFIX = "tuihost-x11-"
BACKLOG = 16
COOKIES, OWN_SOCKET = "xauthority", "socket"
"""The files of the folder: the cookie, and the number, device and inode of the socket."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OWN_SOCKET = re.compile(rb"([0-9]{1,9}) ([0-9]{1,20}) ([0-9]{1,20})\n")


class DisplayFiles:
    """A number, its sockets and its cookie, made for this user only, until `remove`. Raises
    `NotOpened` if there is none to be had, OSError if the folder cannot be made."""

    def __init__(self, cookie: bytes, screen: int) -> None:
        self.sockets: list[socket.socket] = []
        self._folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._lock = -1
        try:
            self._lock = os.open(self._folder, _FOLDER)
            fcntl.flock(self._lock, fcntl.LOCK_EX)  # another host may be looking for leftovers
            cookies = self._folder / COOKIES
            cookies.touch(0o600)
            cookies.write_bytes(xauthority(cookie))
            number, self.sockets = _take_number()
            place = os.lstat(f"{SOCKETS}/X{number}")
            note = f"{number} {place.st_dev} {place.st_ino}\n"
            (self._folder / OWN_SOCKET).write_text(note, "ascii")
        except BaseException:  # it passes on; nobody else would take away what is there already
            self.remove()
            raise
        self.environment: Mapping[str, str] = {
            "DISPLAY": f":{number}.{screen}",
            "XAUTHORITY": os.fspath(cookies),
        }

    def remove(self) -> None:
        """Takes all of it away; a second call does nothing."""
        for sock in self.sockets:
            _remove(sock)
        self.sockets = []
        if self._lock >= 0:
            _remove_folder(self._folder, self._lock)
            os.close(self._lock)
            self._lock = -1
        else:
            with suppress(OSError):
                os.rmdir(self._folder)  # without a lock nothing was put into it


def remove_leftovers() -> None:
    """Takes away the displays of this user whose hosts are gone without having done so. Follows no
    links, and leaves what it cannot prove to be such a one."""
    with suppress(OSError):
        for entry in os.scandir(tempfile.gettempdir()):
            if entry.name.startswith(PREFIX):
                with suppress(OSError):
                    _remove_leftover(Path(entry.path))


def _remove_leftover(path: Path) -> None:
    folder = os.open(path, _FOLDER)
    try:
        about = os.fstat(folder)
        if about.st_uid != os.getuid() or about.st_mode & 0o077:
            return
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises while its host lives
        file = os.open(OWN_SOCKET, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        with open(file, "rb") as note:
            found = _OWN_SOCKET.fullmatch(note.read(100))
        if found is not None:
            _remove_dead_socket(*map(int, found.groups()))
            _remove_folder(path, folder)
    finally:
        os.close(folder)


def _remove_dead_socket(number: int, device: int, inode: int) -> None:
    """Removes it if it is the one that is meant, and nobody listens on it."""
    with suppress(FileNotFoundError):
        folder = os.open(SOCKETS, _FOLDER)
        try:
            name = f"X{number}"
            about = os.stat(name, dir_fd=folder, follow_symlinks=False)
            same = (about.st_dev, about.st_ino, about.st_uid) == (device, inode, os.getuid())
            if same and stat.S_ISSOCK(about.st_mode) and _is_dead(f"{SOCKETS}/{name}"):
                os.unlink(name, dir_fd=folder)
        finally:
            os.close(folder)


def _is_dead(path: str) -> bool:
    """Whether nobody listens there: an inode that has become free is given to another file."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.setblocking(False)
        return sock.connect_ex(path) == errno.ECONNREFUSED


def _remove_folder(path: Path, folder: int) -> None:
    """The folder, and what files of the display and of X's own locks are in it."""
    with suppress(OSError):
        for name in os.listdir(folder):
            os.unlink(name, dir_fd=folder)
        os.rmdir(path)


def _take_number() -> tuple[int, list[socket.socket]]:
    """A display's number that nobody has, and what listens for it: the socket in the folder where
    X clients look, and on Linux the abstract one that many try first, lest somebody else take it.
    Raises `NotOpened`."""
    try:
        SOCKETS.mkdir(mode=0o1777, exist_ok=True)
    except OSError as error:
        raise NotOpened(f"a display cannot be set up: {error.strerror}") from None
    for number in range(FIRST_NUMBER, FIRST_NUMBER + NUMBERS):
        path = f"{SOCKETS}/X{number}"
        sockets: list[socket.socket] = []
        try:
            if sys.platform == "linux":
                sockets.append(_listen(f"\0{path}"))
            sockets.append(_listen(path))
        except OSError as error:
            for sock in sockets:
                sock.close()
            if error.errno != errno.EADDRINUSE:
                raise NotOpened(f"a display cannot be set up: {error.strerror}") from None
        else:
            return number, sockets
    raise NotOpened("no display is free on the host")


def _listen(path: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    try:
        os.fchmod(sock.fileno(), 0o600)  # what it is bound with, on Linux
        sock.bind(path)
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def _remove(sock: socket.socket) -> None:
    path = sock.getsockname()
    if isinstance(path, str):  # an abstract one is bytes
        with suppress(OSError):
            os.unlink(path)
    sock.close()
