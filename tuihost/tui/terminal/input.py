"""A terminal as the input of prompt_toolkit, without a descriptor, a pipe or a thread in between.

`TerminalInput` takes bytes from a terminal only as fast as an Application takes keys; the rest
stays with the client (RFC 4254 §5.2). It outlives the Applications of its
session: keys typed between two of them go to the next.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import count
from typing import NoReturn, Protocol
from weakref import ref

from prompt_toolkit.application.current import get_app_or_none
from prompt_toolkit.input import typeahead
from prompt_toolkit.input.base import Input
from prompt_toolkit.key_binding.key_processor import KeyPress, _Flush
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout.containers import Window

from tuihost.tui.terminal._held_key import HeldKey
from tuihost.tui.terminal._vt100_parser import KeyPressParser
from tuihost.tui.terminal._vt100_parser import Reply as Reply

KEYS_A_TURN = 64
"""More than this many at once nobody types."""
READ_SIZE = 4096
"""Bytes of one read; no more than the keys of one read are held."""
READS_A_TURN = 16
"""Reads of one turn while they complete no key, as in a long paste."""
ESCAPE_WAIT = 0.05
"""Seconds after which an Escape is a key: nothing followed that would make it a sequence."""

_NOTHING_FOLLOWS = _Flush
"""prompt_toolkit's own word for it: a key that began a longer binding acts at once."""

_HOST_KEY = KeyPress(Keys.Ignore)
"""Stands among the keys for the host's own."""

_MOVES = frozenset(
    (Keys.Up, Keys.Down, Keys.Left, Keys.Right, Keys.PageUp, Keys.PageDown, Keys.Tab, Keys.BackTab)
)
"""Keys that may be held down to go from part to part."""

_numbers = count(1)


class ReadableTerminal(Protocol):
    """What an input needs from a terminal. Everything happens on the thread of `loop`."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...

    @property
    def closed(self) -> bool: ...

    def read(self, limit: int, /) -> bytes | None:
        """What was typed. None if there is nothing now; b"" if no more will come."""

    def set_reader(self, callback: Callable[[], None] | None, /) -> None:
        """Calls `callback` when there may be something to read, or its end."""


class TerminalInput(Input):
    """The keys of one terminal. Everything on the thread of its loop, which may be another loop
    for every Application.

    `escape` is the host's own key: it is taken out before any Application sees it, and `on_escape`
    is called once what was typed before it has been read. In a paste it is text like any other.
    `on_reply` gets the replies announced by `expect`, `on_refused` a sentence for each paste that
    is too long, and `room` is asked for the bytes of an unfinished one, as by `KeyPressParser`.
    `takes_text` says whether a letter would be text now.

    A key that is held down does one thing: once another window has the keys, its repeats are
    dropped. In doubt a key press waits for a moment, and those behind it, too.
    """

    def __init__(
        self,
        terminal: ReadableTerminal,
        *,
        escape: str | None = Keys.ControlSquareClose,
        on_escape: Callable[[], None] | None = None,
        on_reply: Callable[[str], None] | None = None,
        on_refused: Callable[[str], None] | None = None,
        room: Callable[[int], str] | None = None,
        takes_text: Callable[[], bool] = lambda: False,
    ) -> None:
        self.escape = escape
        self.on_escape = on_escape
        self._terminal = terminal
        self._parser = KeyPressParser(on_reply, on_refused=on_refused, room=room)
        self._takes_text = takes_text
        self._held = HeldKey()
        self._last_key: KeyPress | None = None
        self._newest: Keys | str | None = None
        self._focused: ref[Window] | None = None
        self._name = f"terminal-{next(_numbers)}"
        self._keys: deque[KeyPress] = deque()
        self._ready: Callable[[], None] | None = None
        self._wake: asyncio.Handle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._doubt: asyncio.TimerHandle | None = None
        self._paused = False
        self._ended = False

    # ------------------------------------------------------------------ what is read

    def read_keys(self) -> list[KeyPress]:
        """The next key, and only one: the callback comes again for the next when the work that this
        one started has begun, so a dialog that it opens gets the keys after it. Of a flood of
        letters and arrows, `KEYS_A_TURN` come at once."""
        if self._paused:
            return []
        self._look_at_focus()
        drained = self._fill()
        keys: list[KeyPress] = []
        wanted = KEYS_A_TURN if len(self._keys) > KEYS_A_TURN else 1
        while self._keys and (len(keys) < wanted or self._keys[0] is _NOTHING_FOLLOWS):
            if self._in_doubt():
                return keys
            if not self._keys:
                break
            key = self._keys.popleft()
            if key is _HOST_KEY:
                self._call_escape()
                break
            keys.append(key)
            if key is _NOTHING_FOLLOWS:
                continue
            self._last_key = key
            if isinstance(key.key, Keys) and key.key not in _MOVES:
                wanted = 1  # what it begins gets the keys behind it
        if self._keys or not drained:
            self._wake_soon()
        return keys

    def flush_keys(self) -> list[KeyPress]:
        """Nothing: this class decides itself when an Escape has waited long enough, whatever the
        Application's `ttimeoutlen` is."""
        return []

    @property
    def closed(self) -> bool:
        """Whether no more keys will come and all have been read."""
        return self._ended and not self._keys

    def expect(self, reply: Reply) -> None:
        """Lets one reply of the terminal through: to `on_reply`, the cursor position as a key."""
        self._parser.expect(reply)

    # ------------------------------------------------------------------ a key that is held down

    def ignore_held_key(self) -> None:
        """From now on the key that was read last does nothing as long as it is held down."""
        if self._last_key is not None:
            self._held.begin(self._last_key.key, self._terminal.loop.time())

    def _look_at_focus(self) -> None:
        """Whether another window has the keys than when the last one was read."""
        application = get_app_or_none()
        if application is None:
            return
        window = application.layout.current_window
        if self._focused is None or self._focused() is not window:
            self._focused = ref(window)
            if self._last_key is None or self._last_key.key not in _MOVES:
                self.ignore_held_key()

    def _in_doubt(self) -> bool:
        """Whether the next key has to wait, since it may be held down. Drops it if it is."""
        self._stop_doubt()
        for _ in range(READS_A_TURN):
            now = self._terminal.loop.time()
            wait = self._held.sift(self._keys, now, takes_text=self._takes_text)
            if not wait:
                return False
            if self._read():
                break
        self._doubt = self._terminal.loop.call_later(wait, self._doubt_over)
        return True

    def _doubt_over(self) -> None:
        self._doubt = None
        self._call_ready()

    def _stop_doubt(self) -> None:
        if self._doubt is not None:
            self._doubt.cancel()
            self._doubt = None

    # ------------------------------------------------------------------ between Applications

    @property
    def paused(self) -> bool:
        """While this is true no key is read; they wait here and with the client."""
        return self._paused

    @paused.setter
    def paused(self, paused: bool) -> None:
        self._paused = paused
        if not paused:
            self._wake_soon()

    def drop_pending(self) -> None:
        """Forgets every key typed so far: only later ones are meant for what is shown next."""
        for _ in range(READS_A_TURN):
            self._keys.clear()
            if self._read():
                break
        self._keys.clear()
        self._parser.drop()
        self._time_escape()
        self.forget()

    def take_back(self) -> None:
        """Takes back what an Application was given and did not use, since it had ended."""
        self._keys.extendleft(reversed(typeahead.get_typeahead(self)))

    def start_over(self) -> None:
        """Drops an unfinished sequence, since another terminal is attached now."""
        self._parser.reset()
        self._time_escape()

    def forget(self) -> None:
        """Takes this input out of prompt_toolkit's table of type-ahead, which never shrinks."""
        typeahead._buffer.pop(self.typeahead_hash(), None)

    def close(self) -> None:
        """Ends with the session: no callback comes after it, and nothing is left behind."""
        self._ended = True
        self._listen(None)
        self._keys.clear()
        self._parser.reset()
        self.forget()

    # ------------------------------------------------------------------ prompt_toolkit's Input

    def attach(self, input_ready_callback: Callable[[], None]) -> AbstractContextManager[None]:
        """Calls back whenever `read_keys` may give something, at once for what came earlier."""
        return self._attached(input_ready_callback)

    def detach(self) -> AbstractContextManager[None]:
        """Calls nobody back meanwhile, so that others can read the terminal."""
        return self._attached(None)

    def raw_mode(self) -> AbstractContextManager[None]:
        """Nothing to do: the client's terminal is raw from the pty request on."""
        return nullcontext()

    def cooked_mode(self) -> AbstractContextManager[None]:
        """Nothing to do, as above."""
        return nullcontext()

    def typeahead_hash(self) -> str:
        """A name that no other input of this process ever has."""
        return self._name

    def fileno(self) -> NoReturn:
        # Not AttributeError: prompt_toolkit would take the server's own standard input instead.
        raise NotImplementedError("a terminal behind SSH has no file descriptor")

    # ------------------------------------------------------------------ within

    @contextmanager
    def _attached(self, ready: Callable[[], None] | None) -> Iterator[None]:
        before = self._ready
        self._listen(ready)
        try:
            yield
        finally:
            if self._ready is ready:  # else an Application that was cut off is tidied up late
                self._listen(before)

    def _listen(self, ready: Callable[[], None] | None) -> None:
        self._ready = ready
        self._terminal.set_reader(None if ready is None else self._call_ready)
        if self._wake is not None:  # it may belong to a loop that is gone
            self._wake.cancel()
            self._wake = None
        self._stop_doubt()
        self._wake_soon()
        self._time_escape(again=True)

    def _wake_soon(self) -> None:
        if self._wake is None and self._ready is not None and not self._paused:
            self._wake = self._terminal.loop.call_soon(self._hop)

    def _hop(self) -> None:
        """Waits one turn more, so that the tasks which the last key started have begun."""
        self._wake = self._terminal.loop.call_soon(self._woken)

    def _woken(self) -> None:
        self._wake = None
        self._call_ready()

    def _call_ready(self) -> None:
        if self._ready is not None and not self._paused:
            self._ready()

    def _fill(self) -> bool:
        """Reads until there is a key. True if the terminal has nothing more for now."""
        for _ in range(READS_A_TURN):
            if self._keys:
                return False
            if self._read():
                return True
        return False

    def _read(self) -> bool:
        """One read. True if there was nothing."""
        data = self._terminal.read(READ_SIZE)
        if data:
            self._ended = False  # a terminal that was attached anew
            self._take(self._parser.feed(data))
        elif data is not None or self._terminal.closed:
            self._ended = True
            self._take(self._parser.flush())
        self._time_escape(again=bool(data))
        return not data

    def _take(self, keys: list[KeyPress]) -> None:
        for key in keys:
            if key.key is Keys.Escape and self._newest is Keys.Escape:
                # prompt_toolkit would keep the first until it has the second, and so past the
                # place where the repeats of a held key are dropped.
                self._keys.append(_NOTHING_FOLLOWS)
            self._newest = key.key
            if key.key == self.escape and self.on_escape is not None:
                # In its place among the keys: what was typed before it is still the app's.
                self._keys.append(_HOST_KEY)
            else:
                self._keys.append(key)

    def _call_escape(self) -> None:
        """Calls it a turn later, since this runs inside the Application that will be left."""
        if self.on_escape is not None:
            self._terminal.loop.call_soon(self.on_escape)

    # ------------------------------------------------------------------ a lone Escape

    def _time_escape(self, *, again: bool = False) -> None:
        """Runs the timer exactly while an Escape waits and somebody waits for keys; `again`
        starts it anew."""
        waiting = self._ready is not None and self._parser.pending_escape
        if self._timer is not None and (again or not waiting):
            self._timer.cancel()
            self._timer = None
        if self._timer is None and waiting:
            self._timer = self._terminal.loop.call_later(ESCAPE_WAIT, self._escape_waited)

    def _escape_waited(self) -> None:
        self._timer = None
        # A busy loop comes late: the rest of the sequence may be here already.
        if self._paused or self._read():
            self._take(self._parser.flush())
            if self._keys and self._keys[-1].key == Keys.Escape:
                self._keys.append(_NOTHING_FOLLOWS)
                self._newest = None
        self._time_escape()
        self._wake_soon()
