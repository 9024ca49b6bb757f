"""Whether the client is still there: a question after each silence, and an end after too many."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tuihost.core.limits import TransportLimits
from tuihost.wire import Cancellable, Timer


class Keepalive:
    """Asks keepalive@openssh.com where a client was silent for `limits.keepalive_interval`.

    Anything that arrives is a sign of life: `heard` counts it. After `limits.keepalive_count`
    silent intervals with a question in the air, or one that could not even be sent, `give_up` is
    called. Questions are counted, since their answers carry no name and come in order (RFC 4254
    §4).

    Threads: the watchdog's asks, the transport's gets the answers. `ask` must not wait; it says
    whether the question was sent.
    """

    def __init__(
        self,
        timer: Timer,
        limits: TransportLimits,
        *,
        heard: Callable[[], int],
        ask: Callable[[], bool],
        give_up: Callable[[], None],
    ) -> None:
        self._timer = timer
        self._interval = limits.keepalive_interval
        self._count = limits.keepalive_count
        self._heard = heard
        self._ask = ask
        self._give_up = give_up
        self._lock = threading.Lock()
        self._scheduled: Cancellable | None = None
        self._stopped = False
        self._heard_then = 0  # at the last look
        self._asking = False  # since the last look
        self._misses = 0
        self._questions = 0  # sent and not answered

    def start(self) -> None:
        """From now on."""
        self._heard_then = self._heard()
        if self._interval > 0:
            self._schedule()

    def stop(self) -> None:
        """Never again; and lets go of the connection, which holds this."""
        self._heard, self._ask, self._give_up = int, bool, lambda: None
        with self._lock:
            self._stopped = True
            scheduled, self._scheduled = self._scheduled, None
        if scheduled is not None:
            scheduled.cancel()

    def answered(self) -> bool:
        """An answer to a question came; False if none was asked."""
        with self._lock:
            if self._questions == 0:
                return False
            self._questions -= 1
            return True

    def _schedule(self) -> None:
        with self._lock:
            if not self._stopped:
                self._scheduled = self._timer.call_later(self._interval, self._due)

    def _due(self) -> None:
        """On the watchdog's thread, once an interval."""
        heard = self._heard()
        if heard != self._heard_then:
            self._asking, self._misses = False, 0
        else:
            self._misses += self._asking
            if self._misses >= self._count:
                self._give_up()
                return
            self._asking = True
            self._question()
        self._heard_then = heard
        self._schedule()

    def _question(self) -> None:
        with self._lock:
            self._questions += 1  # before it is sent: the answer may be quicker than this thread
        if not self._ask():
            with self._lock:
                self._questions -= 1
