"""What was said on a screen, as rows."""

from __future__ import annotations

from typing import Any

import pytest
from rich.text import Text

from tests.tui.screen import make_session
from tuihost.tui.layout.renderables import render_lines
from tuihost.tui.running import _transcript
from tuihost.tui.running._transcript import KEPT, OPEN_ROWS, ScreenLine, Transcript, box_columns
from tuihost.wire import Stream

WIDTH = 20


@pytest.fixture
def transcript() -> Transcript:
    return Transcript(make_session().stage, lambda: WIDTH)


def rows(transcript: Transcript) -> list[str]:
    return [
        "".join(fragment[1] for fragment in transcript.row(index, WIDTH)).rstrip()
        for index in range(transcript.row_count())
    ]


def test_texts_side_by_side_share_a_line(transcript: Transcript) -> None:
    transcript.print(("one", 2, Text("three"), "four"), Stream.OUT)
    transcript.print((), Stream.OUT)
    transcript.print(("five\nsix",), Stream.OUT)
    assert rows(transcript) == ["one 2", "three", "four", "", "five", "six"]


def test_errors_look_like_errors(transcript: Transcript) -> None:
    transcript.print(("fine",), Stream.OUT)
    transcript.print(("wrong",), Stream.ERR)
    assert rows(transcript) == ["fine", "wrong"]
    styles = [[style for style, *_ in transcript.row(index, WIDTH)] for index in range(2)]
    assert styles[0] != styles[1]


def test_bytes_are_lines_however_they_are_cut(transcript: Transcript) -> None:
    for byte in "one\r\n\ntwo é\nthree".encode():
        transcript.write(bytes([byte]), Stream.OUT)
    transcript.write(b"an error", Stream.ERR)
    transcript.write(b" goes on\n", Stream.OUT)
    transcript.write(b"end", Stream.OUT)
    transcript.print(("said",), Stream.OUT)
    transcript.write(b"anew\n", Stream.OUT)
    assert rows(transcript) == [
        "one", "", "two é", "three goes on", "an error", "end", "said", "anew",
    ]  # fmt: skip


def test_no_text_steers_the_terminal(transcript: Transcript) -> None:
    transcript.print(("\x1b[2J[bold]",), Stream.OUT)
    transcript.write(b"\x1b]0;title\x07", Stream.ERR)
    assert not any("\x1b" in row or "\x07" in row for row in rows(transcript))
    assert rows(transcript)[0].endswith("[bold]")


def test_a_line_of_progress_changes_where_it_stands(transcript: Transcript) -> None:
    changes: list[int] = []
    line = ScreenLine(transcript, lambda: changes.append(1))
    line.show("1%")
    transcript.print(("meanwhile",), Stream.OUT)
    line.show("2%")
    line.end()
    assert rows(transcript) == ["2%", "meanwhile"]
    assert (len(changes), line.width) == (2, WIDTH)
    transcript.take()
    line.show("3%")
    assert rows(transcript) == ["3%"], "it is there again, whoever has seen it"


def test_only_what_is_new_is_drawn(transcript: Transcript, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []

    def counted(what: object, *args: Any, **options: Any) -> Any:
        drawn.append(str(what))
        return render_lines(what, *args, **options)

    monkeypatch.setattr(_transcript, "render_lines", counted)
    first = transcript.add("first")
    assert rows(transcript) == ["first"]
    last = transcript.add("second")
    transcript.change(last, "a second that is longer than a row")
    assert rows(transcript) == ["first", "a second that is", "longer than a row"]
    assert drawn == ["first", "a second that is longer than a row"]
    transcript.change(last, "a third")
    assert rows(transcript) == ["first", "a third"]
    transcript.change(first, "another")
    assert rows(transcript) == ["another", "a third"]
    assert drawn[2:] == ["a third", "another"]


def test_a_line_without_end_costs_no_more_the_longer_it_is(
    transcript: Transcript, monkeypatch: pytest.MonkeyPatch
) -> None:
    longest = 0

    def counted(what: object, *args: Any, **options: Any) -> Any:
        nonlocal longest
        longest = max(longest, len(str(what)))
        return render_lines(what, *args, **options)

    monkeypatch.setattr(_transcript, "render_lines", counted)
    written = "".join(chr(ord("a") + number % 26) for number in range(3 * OPEN_ROWS * WIDTH + 7))
    for start in range(0, len(written), 13):
        transcript.write(written[start : start + 13].encode(), Stream.OUT)
        assert transcript.row_count() == -(-min(start + 13, len(written)) // WIDTH)
    transcript.write(b"\nnext", Stream.OUT)
    assert "".join(rows(transcript)) == written + "next"
    assert longest <= OPEN_ROWS * WIDTH


def test_nothing_is_drawn_before_it_is_looked_at(
    transcript: Transcript, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert transcript.row_count() == 0
    monkeypatch.setattr(_transcript, "render_lines", None)
    for _ in range(100):
        transcript.write(b"piece", Stream.OUT)
    monkeypatch.undo()
    assert "".join(rows(transcript)) == "piece" * 100


def test_what_is_kept_has_a_limit(transcript: Transcript) -> None:
    for number in range(KEPT + 1):
        transcript.print((number,), Stream.OUT)
    assert KEPT // 2 < transcript.row_count() <= KEPT
    assert rows(transcript)[-1] == str(KEPT)


def test_what_is_taken_is_gone(transcript: Transcript) -> None:
    transcript.print(("one",), Stream.OUT)
    assert [str(what) for what in transcript.take()] == ["one"]
    assert not transcript
    assert rows(transcript) == []


@pytest.mark.parametrize(("columns", "inside"), [(200, 54), (80, 54), (60, 50), (59, 53), (40, 34)])
def test_how_wide_a_box_is_inside(columns: int, inside: int) -> None:
    assert box_columns(columns) == inside
