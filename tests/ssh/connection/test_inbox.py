"""What waits on a channel to be read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tuihost.ssh.connection._inbox import Inbox


def test_nothing_yet_is_not_nothing_ever() -> None:
    inbox = Inbox()
    assert inbox.read(10) is None
    inbox.feed(b"last words")
    inbox.close()
    assert inbox.read(4) == b"last"
    assert inbox.read(100) == b" words"
    assert inbox.read(100) == b""
    assert len(inbox) == 0


def test_a_piece_is_handed_on_as_it_came() -> None:
    inbox, piece = Inbox(), b"x" * 32_768
    inbox.feed(piece)
    assert inbox.read(65_536) is piece


@given(st.lists(st.one_of(st.binary(min_size=1, max_size=50), st.integers(1, 60)), max_size=50))
def test_what_is_fed_is_read_in_its_order(steps: list[bytes | int]) -> None:
    inbox, fed, read = Inbox(), b"", b""
    for step in steps:
        if isinstance(step, bytes):
            inbox.feed(step)
            fed += step
        elif (data := inbox.read(step)) is not None:
            assert 0 < len(data) <= step
            read += data
        else:
            assert read == fed
        assert len(inbox) == len(fed) - len(read)
    inbox.close()
    while data := inbox.read(7):
        read += data
    assert read == fed
