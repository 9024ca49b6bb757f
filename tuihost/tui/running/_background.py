"""Whether a terminal is light or dark: one question, for whose answer nobody waits.

OSC 11 asks for the colour of the background. DA1, which every terminal answers, goes behind it:
once that answer is here, no other will come (xterm's "Control Sequences", OSC and CSI c).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING

from tuihost.theme.contrast import contrast, hex_of
from tuihost.tui.terminal.input import Reply

if TYPE_CHECKING:
    from tuihost.tui.terminal.input import TerminalInput
    from tuihost.tui.terminal.output import TerminalOutput
    from tuihost.tui.terminal.terminal import Terminal

QUESTION = "\x1b]11;?\x1b\\\x1b[c"

ANSWER_GRACE = 0.5
"""Seconds after the question in which a session that ends still takes the answer in: the person's
own shell would take it for typing."""

_COLOR = re.compile(r"\x1b\]11;rgba?:" + "/".join(["([0-9a-fA-F]{1,4})"] * 3))
_ATTRIBUTES = re.compile(rb"\x1b\[\?[0-9;]*c")


def is_light(answer: str) -> bool | None:
    """Whether the answer to OSC 11 names a colour on which black is easier to read than white.
    None if it names none."""
    found = _COLOR.match(answer)
    if found is None:
        return None
    red, green, blue = (int(part, 16) / (16 ** len(part) - 1) * 255 for part in found.groups())
    color = hex_of((red, green, blue))
    return contrast(color, "#000000") > contrast(color, "#ffffff")


class Background:
    """What is known of a terminal's background. Thread: the app's."""

    def __init__(self, input: TerminalInput, output: TerminalOutput) -> None:
        self.light: bool | None = None
        """None as long as the terminal has not said what it is."""
        self.on_answer: Callable[[], None] | None = None
        """Called when `light` is known."""
        self._input = input
        self._output = output
        self._asked: float | None = None
        self._waits = False

    def ask(self) -> None:
        """Asks, with the next frame, unless that was done or the terminal is too simple."""
        if self._asked is not None or self._output.plain:
            return
        self._asked, self._waits = monotonic(), True
        self._input.expect(Reply.COLOR)
        self._input.expect(Reply.ATTRIBUTES)
        self._output.write_raw(QUESTION)

    def start_over(self) -> None:
        """Another terminal is attached now, of which nothing is known."""
        self.light = self._asked = None
        self._waits = False

    def heard(self, reply: str) -> None:
        """The terminal answered something that it was asked."""
        if not self._waits:
            return
        if reply.startswith("\x1b["):
            self._waits = False
        elif (light := is_light(reply)) is not None:
            self.light = light
            if self.on_answer is not None:
                self.on_answer()

    def take_in(self, terminal: Terminal) -> None:
        """Waits for an answer that is still on its way at the end of a session, not long."""
        channel = terminal.channel
        if not self._waits or self._asked is None or channel is None:
            return
        came = bytearray()

        def answered() -> bool:
            while data := terminal.read():
                came.extend(data)
            return terminal.closed or channel.closed or _ATTRIBUTES.search(came) is not None

        channel.wait(answered, max(0.0, self._asked + ANSWER_GRACE - monotonic()))
