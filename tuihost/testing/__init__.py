"""Testing apps: the real host over a socket pair, with a real handshake, and a pilot.

    def test_hello():
        with hosted(hello) as host, host.open("hello", user="ada") as pilot:
            pilot.wait_for("Your name?")
            pilot.type("Ada").press("enter")
            pilot.wait_for("Hello, Ada!")

    def test_command():
        with hosted(Guestbook()) as host:
            assert host.run("guestbook sign hi").status == 0

Needs the extra `tuihost[testing]`.
"""

from tuihost.testing.hosted import Hosted, Outcome, hosted
from tuihost.testing.pilot import Pilot
from tuihost.testing.screen import Screen

__all__ = ["Hosted", "Outcome", "Pilot", "Screen", "hosted"]
