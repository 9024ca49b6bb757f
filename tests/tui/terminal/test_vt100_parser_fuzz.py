"""Whatever is sent, however it is cut: the same keys, no exception, nothing unbounded."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st
from prompt_toolkit.input.ansi_escape_sequences import ANSI_SEQUENCES
from prompt_toolkit.key_binding.bindings.mouse import xterm_sgr_mouse_events
from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.keys import Keys

from tuihost.tui.terminal._vt100_parser import CSI_LIMIT, KeyPressParser, Reply

PIECES = st.one_of(
    st.binary(max_size=6),
    st.text(max_size=6).map(str.encode),
    st.sampled_from(sorted(ANSI_SEQUENCES)).map(str.encode),
    st.sampled_from(
        [
            b"\x1b",
            b"\x1b[",
            b"\x1b[M",
            b"\x1b[[",
            b"\x1bO",
            b"\x1b]",
            b"\x1bP",
            b"\x1b\\",
            b"\x07",
            b"\x1b[200~",
            b"\x1b[201~",
            b"\x1b[<0;5;5M",
            b"\x1b[<1;2m",
            b"\x1b[?62;22c",
            b"\x1b[1;1R",
            b"\x1b]11;rgb:0/0/0",
            b"\x1bP>|x",
            b"\xc3",
            b"\xe6\xbc",
        ]
    ),
    st.text("0123456789;:<?>=$ !~uAMm", max_size=80).map(lambda text: b"\x1b[" + text.encode()),
)
STREAMS = st.lists(PIECES, max_size=25).map(b"".join)
CUTS = st.lists(st.integers(0, 600), max_size=12)

MERGED = Keys.BracketedPaste, Keys.ControlM, Keys.ControlJ, Keys.ControlI


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    return [data[start:stop] for start, stop in pairwise(edges)]


def fed(parts: list[bytes]) -> tuple[list[KeyPress], list[str]]:
    replies: list[str] = []
    parser = KeyPressParser(replies.append)
    for reply in Reply:
        for _ in range(5):
            parser.expect(reply)
    keys = [key for part in parts for key in parser.feed(part)]
    return keys + parser.flush(), replies


def as_text(keys: list[KeyPress]) -> list[str]:
    """The keys with typed text and pastes made alike."""
    result: list[str] = []
    for key in keys:
        if key.key in MERGED or len(key.key) == 1:
            text = key.data.replace("\r", "\n")
            if result and result[-1].startswith("text:"):
                result[-1] += text
            else:
                result.append("text:" + text)
        else:
            result.append(f"{key.key}:{key.data}")
    return [item.replace("\n", "") for item in result]


@given(STREAMS, CUTS)
@example(b"\x1b[M\x1b[Mab", [1, 2, 3])
@example(b"\x1b[[\x1b[[A", [3])
@example(b"\x1b[" + b"1" * 62 + b"A", [10])
@example(b"\x1b[" + b"1" * 63 + b"A", [64, 65])
@example(b"\x1b[1$2", [4])
@example(b"\x1bO\x1bO5\x03", [2])
def test_however_it_is_cut_the_keys_are_the_same(data: bytes, cuts: list[int]) -> None:
    whole, whole_replies = fed([data])
    cut, cut_replies = fed(pieces(data, cuts))
    assert as_text(whole) == as_text(cut)
    assert whole_replies == cut_replies
    single, single_replies = fed([bytes([byte]) for byte in data])
    assert as_text(whole) == as_text(single)
    assert whole_replies == single_replies


@given(STREAMS)
def test_what_comes_out_is_sound_and_bounded(data: bytes) -> None:
    parser = KeyPressParser()
    keys = parser.feed(data) + parser.flush()
    assert sum(max(1, len(key.data)) for key in keys) <= 2 * len(data)
    for key in keys:
        match key.key:
            case Keys.Vt100MouseEvent if key.data[2] == "<":
                event, column, row = map(int, key.data[3:-1].split(";"))
                assert (event, key.data[-1]) in xterm_sgr_mouse_events
                assert column >= 1
                assert row >= 1
            case Keys.BracketedPaste:
                assert all(char >= " " or char in "\n\t" for char in key.data)
            case Keys.CPRResponse:
                raise AssertionError("nobody asked where the cursor is")
            case Keys():
                assert key.key in set(Keys)
            case _:
                assert key.key == key.data
                assert key.key >= " "
                assert not "\x7f" <= key.key <= "\x9f"


@given(STREAMS)
def test_what_is_held_is_bounded_and_a_sequence_frees_the_keyboard(data: bytes) -> None:
    parser = KeyPressParser()
    for byte in data:
        parser.feed(bytes([byte]))
        assert len(parser._held) <= CSI_LIMIT
    # The end of a paste, Ctrl-C: whatever was begun, a person gets out of it.
    keys = parser.feed(b"\x1b[201~\x03")
    assert keys[-1] == KeyPress(Keys.ControlC, "\x03")
    assert not parser.pending


@given(
    st.text(max_size=200).filter(
        lambda text: not any(c < " " or "\x7f" <= c < "\xa0" for c in text)
    )
)
def test_text_is_kept_as_it_is(text: str) -> None:
    keys = KeyPressParser().feed(text.encode())
    assert "".join(key.data for key in keys) == text
    assert len(keys) == len(text)
