"""Testing apps: the real host over a socket pair, with a real handshake, and a pilot.

    def test_hello():
        with hosted(hello) as host, host.open("hello", user="ada") as pilot:
            pilot.wait_for("Your name?")
            pilot.type("Ada").press("enter")
            pilot.wait_for("Hello, Ada!")

    def test_command():
        with hosted(Guestbook()) as host:
            assert host.run("guestbook sign hi").status == 0

    def test_a_step():
        assert drive(OneTimeCode(), answers=["123 456"]).accepted

Needs the extra `tuihost[testing]`.
"""

from tuihost.testing.hosted import Hosted, Outcome, hosted
from tuihost.testing.memory_store import MemoryAccounts
from tuihost.testing.pilot import Pilot
from tuihost.testing.screen import Screen
from tuihost.testing.steps import Driven, FakeServices, Outbox, drive

__all__ = [
    "Driven", "FakeServices", "Hosted", "MemoryAccounts", "Outbox", "Outcome", "Pilot", "Screen",
    "drive", "hosted",
]  # fmt: skip
