"""What looks like one character."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tuihost.tui.characters import cluster_after, cluster_before


@given(st.text(alphabet="ab\n\u0301\u200d👩👧🇩🇪각\u1100\u1161\ufe0f", max_size=30))
def test_forth_and_back_stop_at_the_same_places(text: str) -> None:
    forth = [0]
    while forth[-1] < len(text):
        forth.append(cluster_after(text, forth[-1]))
    back = [len(text)]
    while back[-1] > 0:
        back.append(cluster_before(text, back[-1]))
    assert forth == back[::-1]
