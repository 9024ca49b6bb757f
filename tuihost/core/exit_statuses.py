"""The exit statuses that the host itself gives a program, besides those that apps return."""

from __future__ import annotations

FAILED = 1
NOT_YOURS = 2
"""The role or the key does not let them; also for a command line that makes no sense."""
UNAVAILABLE = 69
"""It needs a terminal that can draw (sysexits: EX_UNAVAILABLE)."""
CRASHED = 70
"""A mistake in the app (sysexits: EX_SOFTWARE)."""
NO_ROOM = 75
"""Nothing was left for it of what people may take (sysexits: EX_TEMPFAIL)."""
NOT_FOUND = 127
"""No such app, as a shell says for a command."""
STOPPED = 130
"""Ended by its person, as a shell says after Ctrl-C."""
DISCONNECTED = 255
"""What ssh(1) says itself when a connection breaks."""
