"""What one channel sends, in the order in which it was accepted, from whichever thread.

One thread at a time has the *turn* to send. Only `reserve` waits for it. Any other
call that finds it taken leaves its message, and the thread that has the turn sends it. So a thread
that must not wait never waits for one that writes.

Nothing is sent here. The thread with the turn sends what `next` gives, until that is nothing.
"""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

from tuihost.ssh.connection._windows import SendWindow

Message = TypeVar("Message")


class SendQueue(Generic[Message]):
    """The turn, the window, what waits, and the end. Any thread."""

    def __init__(self, window: SendWindow) -> None:
        self.window = window
        self.ended = False  # nothing is written any more: after `end` or `close`
        self.closed = False  # nothing is accepted any more
        self._waiting: list[Message] = []
        self._turn_taken = False
        self._changed = threading.Condition(threading.Lock())

    def __len__(self) -> int:
        """How much was left behind for the thread that has the turn."""
        return len(self._waiting)

    def reserve(self, wanted: int) -> int | None:
        """Waits for the turn, and gives it with as much of the window as one message takes. 0 where
        the window is shut, without the turn; None after the end."""
        with self._changed:
            while self._turn_taken and not self.ended:
                self._changed.wait()
            if self.ended:
                return None
            count = self.window.take(wanted)
            self._turn_taken = count > 0
            return count

    def post(self, message: Message) -> bool:
        """Accepts it, except after the close. True if the caller has the turn now."""
        with self._changed:
            return not self.closed and self._accept(message)

    def end(self, eof: Message) -> bool:
        """Accepts `eof`, once; nothing is written after it. True if the caller has the turn."""
        with self._changed:
            if self.ended:
                return False
            self.ended = True
            return self._accept(eof)

    def close(self, *messages: Message, eof: Message | None, last: Message) -> bool:
        """Accepts `messages`, `eof` where that was not said before, and `last`, once; nothing after
        it. True if the caller has the turn."""
        with self._changed:
            if self.closed:
                return False
            due = () if eof is None or self.ended else (eof,)
            self.closed = self.ended = True
            return self._accept(*messages, *due, last)

    def drop(self) -> None:
        """The connection is over: nothing is sent any more, and nobody waits."""
        with self._changed:
            self._waiting.clear()
            self.closed = self.ended = True
            self._changed.notify_all()

    def next(self) -> list[Message]:
        """For the thread with the turn: what others left behind. Where that is nothing, the turn is
        given back with it."""
        with self._changed:
            waiting, self._waiting = self._waiting, []
            if not waiting:
                self._turn_taken = False
                self._changed.notify_all()
            return waiting

    def adjust(self, count: int) -> int:
        """See `SendWindow.adjust`."""
        with self._changed:
            return self.window.adjust(count)

    def _accept(self, *messages: Message) -> bool:
        """With the lock held."""
        self._waiting.extend(messages)
        if self.ended:
            self._changed.notify_all()
        has_turn, self._turn_taken = not self._turn_taken, True
        return has_turn
