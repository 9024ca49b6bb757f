"""Who is here."""

from __future__ import annotations

from tuihost import Account
from tuihost.host.presence import Roster
from tuihost.wire import Peer

PEER = Peer("192.0.2.1", 4321)


def test_people_are_told_in_the_order_in_which_they_came() -> None:
    now = [100.0]
    roster = Roster(lambda: now[0])
    ada = roster.enter(Account("ada", guest=False), "menu", PEER, lambda: 2.0, lambda: (80, 24))
    now[0] = 110.0
    eve = roster.enter(Account("eve", guest=True), "menu", PEER, lambda: 0.0, lambda: None)
    ada.app = "notes"
    first, second = roster.people()
    assert (first.user, first.app, first.since, first.touched) == ("ada", "notes", 100.0, 108.0)
    assert (first.size, first.guest, first.peer) == ((80, 24), False, PEER)
    assert (second.user, second.guest, second.size) == ("eve", True, None)
    assert first.id != second.id
    roster.leave(ada)
    roster.leave(ada)
    assert [person.user for person in roster.people()] == ["eve"]
    roster.leave(eve)
    assert (roster.count, roster.total) == (0, 2)
