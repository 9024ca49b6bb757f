"""Small pictures of numbers."""

from __future__ import annotations

from tests.tui.screen import make_session
from tuihost.tui.widgets.charts import meter, sparkline


def test_a_sparkline_stands_at_the_right_and_zero_is_low() -> None:
    session = make_session()
    (_, blank), (_, marks) = sparkline([0, 4, 8], 5, session)
    assert blank == "  "
    assert marks == "▁▅█"
    assert sparkline([0, 0], 2, session)[1] == ("class:chart", "▁▁")
    assert sparkline([1, 2, 3], 0, session) == [("class:chart.muted", ""), ("class:chart", "")]
    assert sparkline([5], 1, session, top=10)[1] == ("class:chart", "▅")


def test_a_meter_is_full_only_for_a_whole() -> None:
    session = make_session()
    assert [text for _, text in meter(0.999, 4, session)] == ["━━━", "─"]
    assert [text for _, text in meter(0.001, 4, session)] == ["━", "───"]
    assert [text for _, text in meter(1, 4, session)] == ["━━━━", ""]
    assert [text for _, text in meter(7, 3, make_session(unicode=False))] == ["===", ""]
