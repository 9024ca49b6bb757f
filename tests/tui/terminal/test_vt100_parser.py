"""The KeyPressParser: what a terminal sends, as the keys that prompt_toolkit expects."""

from __future__ import annotations

import pytest
from prompt_toolkit.input.ansi_escape_sequences import ANSI_SEQUENCES
from prompt_toolkit.input.vt100_parser import Vt100Parser
from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.keys import Keys

from tuihost.tui.terminal._vt100_parser import (
    PASTE_LIMIT,
    STRING_LIMIT,
    TOO_LONG,
    KeyPressParser,
    Reply,
)

Named = list[tuple[str, str]]


def named(keys: list[KeyPress]) -> Named:
    return [(str(getattr(key.key, "value", key.key)), key.data) for key in keys]


def names(data: str | bytes, *, flush: bool = True) -> list[str]:
    """The names of the keys in `data`, one read."""
    parser = KeyPressParser()
    keys = parser.feed(data.encode() if isinstance(data, str) else data)
    if flush:
        keys += parser.flush()
    return [name for name, _ in named(keys)]


def of_prompt_toolkit(data: str) -> Named:
    keys: list[KeyPress] = []
    parser = Vt100Parser(keys.append)
    parser.feed(data)
    parser.flush()
    return named(keys)


def of_ours(data: str) -> Named:
    parser = KeyPressParser()
    return named(parser.feed(data.encode()) + parser.flush())


# ------------------------------------------------------------------------ what every app knows

OTHERWISE = {
    "\x9b",  # C1: no terminal sends it in UTF-8
    "\x1b[200~",  # a paste, tested below
    "\x1b[E",  # Ignore: swallowed
    "\x1b[G",
    "\x1b[27;2;13~",  # the same key; the data is what Enter sends
    "\x1b[27;5;13~",
    "\x1b[27;6;13~",
    # Rows of prompt_toolkit's table that say Down for Up and the other way round:
    *(f"\x1b[1;{modifiers}{final}" for modifiers in (4, 6, 7, 8) for final in "AB"),
    "\x1b[5;7~",
    "\x1b[5;8~",
}


@pytest.mark.parametrize("sequence", [key for key in ANSI_SEQUENCES if key not in OTHERWISE])
def test_every_key_of_prompt_toolkit_is_the_same_key(sequence: str) -> None:
    assert of_ours(sequence) == of_prompt_toolkit(sequence)


def test_up_is_up_with_every_modifier() -> None:
    assert names("\x1b[1;4A") == ["escape", "s-up"]
    assert names("\x1b[1;6A") == ["c-s-up"]
    assert names("\x1b[1;6B") == ["c-s-down"]
    assert names("\x1b[1;7A") == ["escape", "c-up"]
    assert names("\x1b[5;7~") == ["escape", "c-pageup"]


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        ("a", ["a"]),
        ("aé漢🙂", ["a", "é", "漢", "🙂"]),
        ("\r", ["c-m"]),
        ("\n", ["c-j"]),
        ("\t", ["c-i"]),
        ("\x7f", ["c-h"]),
        ("\x08", ["c-h"]),
        ("\x03", ["c-c"]),
        ("\x1d", ["c-]"]),
        ("\x1ba", ["escape", "a"]),
        ("\x1b\r", ["escape", "c-m"]),
        ("\x1b\x7f", ["escape", "c-h"]),
        ("\x1b\x1b[A", ["escape", "up"]),
        ("\x1b\t", ["s-tab"]),
        ("\x1bé", ["escape", "é"]),
        ("x\x1b[Ay", ["x", "up", "y"]),
        ("\x1bOA\x1b[B", ["up", "down"]),
        ("\x1b[[A\x1b[[E", ["f1", "f5"]),
        ("\x1bO2P", ["f13"]),  # Konsole
        ("\x1bO5A", ["c-up"]),
        ("\x1bOp\x1bOy\x1bOM\x1bOk", ["0", "9", "c-m", "+"]),  # a keypad in application mode
    ],
)
def test_typed(typed: str, keys: list[str]) -> None:
    assert names(typed) == keys


def test_bytes_that_are_not_utf_8_become_replacement_characters() -> None:
    assert names(b"a\xff\x80b") == ["a", "\ufffd", "\ufffd", "b"]
    assert names(b"\xc3\x1b[A") == ["\ufffd", "up"]


def test_characters_cut_in_two_are_put_together() -> None:
    parser = KeyPressParser()
    assert parser.feed("漢".encode()[:2]) == []
    assert not parser.pending_escape
    assert parser.feed("漢".encode()[2:]) == [KeyPress("漢", "漢")]


def test_c1_controls_are_no_text() -> None:
    assert names("a\x9bb\x85c") == ["a", "b", "c"]


# ------------------------------------------------------------------------ a lone Escape


def test_an_escape_waits_to_be_flushed() -> None:
    parser = KeyPressParser()
    assert parser.feed(b"\x1b") == []
    assert parser.pending
    assert parser.pending_escape
    assert parser.flush() == [KeyPress(Keys.Escape, "\x1b")]
    assert not parser.pending
    assert parser.flush() == []


@pytest.mark.parametrize("char", "[O]PX^_")
def test_alt_with_a_character_that_opens_sequences(char: str) -> None:
    parser = KeyPressParser()
    assert parser.feed(f"\x1b{char}".encode()) == []
    assert parser.pending_escape
    assert named(parser.flush()) == [("escape", "\x1b"), (char, char)]
    assert names("\x1b" + char + "\x03") == ["escape", char, "c-c"]


def test_alt_with_a_character_that_opens_strings_does_not_swallow_what_no_terminal_answers() -> (
    None
):
    assert names("\x1b]hello") == ["escape", *"]hello"]
    assert names("\x1bPhello") == ["escape", *"Phello"]


def test_a_sequence_that_has_begun_is_awaited_without_a_timer() -> None:
    parser = KeyPressParser()
    assert parser.feed(b"\x1b[1;") == []
    assert parser.pending
    assert not parser.pending_escape
    assert parser.flush() == []
    assert named(parser.feed(b"5A")) == [("c-up", "\x1b[1;5A")]


def test_a_sequence_that_breaks_off_gives_way_to_what_follows() -> None:
    assert names("\x1b[12\x03a") == ["c-c", "a"]
    assert names("\x1b[12\x1b[A") == ["up"]
    assert names("\x1b[1\u6f22") == ["\u6f22"]
    assert names("\x1b[?1$1yb") == ["b"]


# ------------------------------------------------------------------------ pastes


def test_a_paste_is_one_key() -> None:
    assert of_ours("a\x1b[200~one\r\ntwo\rthree\tx\x1b[201~b") == [
        ("a", "a"),
        ("<bracketed-paste>", "one\ntwo\nthree\tx"),
        ("b", "b"),
    ]


def test_a_paste_holds_no_control_characters() -> None:
    [(_, text)] = of_ours("\x1b[200~a\x1b[31m\x00\x03\x1d\x9b\x7fb\x1b[201~")
    assert text == "a[31mb"


def test_a_paste_that_comes_in_pieces() -> None:
    parser = KeyPressParser()
    data = "\x1b[200~漢 and\x1b[20 more\x1b[201~!".encode()
    keys = [key for byte in data for key in parser.feed(bytes([byte]))]
    assert named(keys) == [("<bracketed-paste>", "漢 and[20 more"), ("!", "!")]


def test_no_timer_runs_in_a_paste() -> None:
    parser = KeyPressParser()
    parser.feed(b"\x1b[200~abc\x1b")
    assert parser.pending
    assert not parser.pending_escape
    assert parser.flush() == []
    assert named(parser.feed(b"[201~")) == [("<bracketed-paste>", "abc")]


class Paste:
    """A parser, what it has refused, and the bytes of a paste that it holds."""

    def __init__(self, most: int = 1 << 30) -> None:
        self.refused: list[str] = []
        self.held = self.highest = 0
        self._most = most
        self.parser = KeyPressParser(on_refused=self.refused.append, room=self._room)

    def _room(self, count: int) -> str:
        if self.held + count > self._most:
            return "There is no more."
        self.held += count
        self.highest = max(self.highest, self.held)
        return ""


def test_a_paste_that_is_too_long_is_refused_whole_with_a_sentence() -> None:
    paste = Paste()
    paste.parser.feed(b"\x1b[200~")
    for _ in range(PASTE_LIMIT // 65536 + 3):
        assert paste.parser.feed(b"x" * 65536) == []
    assert paste.refused == [TOO_LONG]
    assert paste.held == 0
    assert PASTE_LIMIT <= paste.highest < PASTE_LIMIT + 70_000
    assert paste.parser.feed(b"yyy\x1b[201~z") == [KeyPress("z", "z")]
    assert paste.parser.feed(b"\x1b[200~ab\x1b[201~") == [KeyPress(Keys.BracketedPaste, "ab")]
    assert (paste.refused, paste.held) == ([TOO_LONG], 0)


def test_the_longest_paste_comes_whole() -> None:
    parser = KeyPressParser()
    parser.feed(b"\x1b[200~" + b"x" * (PASTE_LIMIT - 1))
    assert parser.feed(b"y\x1b[201~") == [
        KeyPress(Keys.BracketedPaste, "x" * (PASTE_LIMIT - 1) + "y")
    ]


@pytest.mark.parametrize("ends", [b"\x1b[201~", b""])
def test_what_is_held_of_a_paste_is_taken_from_somebody(ends: bytes) -> None:
    paste = Paste()
    paste.parser.feed(b"\x1b[200~" + "\U0001f600".encode() * 1000)
    assert paste.held >= 4000
    paste.parser.feed(ends)
    paste.parser.reset()
    assert paste.held == 0


def test_a_paste_for_which_there_is_no_memory_is_refused_whole() -> None:
    paste = Paste(most=1000)
    paste.parser.feed(b"\x1b[200~" + b"x" * 500)
    assert paste.parser.feed(b"x" * 600 + b"\x1b[201~y") == [KeyPress("y", "y")]
    assert paste.refused == ["Nothing of that paste was taken. There is no more."]
    assert paste.held == 0


def test_the_end_of_a_paste_that_never_began_is_nothing() -> None:
    assert names("\x1b[201~a") == ["a"]


def test_text_without_brackets_is_typing_however_much_comes_at_once() -> None:
    lines = "".join(f"b{number}\r" for number in range(1, 16))
    assert "".join(data for _, data in of_ours(lines)) == lines
    assert names(lines).count("c-m") == 15
    assert names("x" * 4000 + "\r") == ["x"] * 4000 + ["c-m"]


def test_enter_held_down_stays_enter() -> None:
    assert names("\r" * 100) == ["c-m"] * 100


# ------------------------------------------------------------------------ replies


UNASKED = [
    "\x1b[?62;22c",
    "\x1b[>0;276;0c",
    "\x1b[?2026;2$y",
    "\x1b[?1u",
    "\x1b[0n",
    "\x1b[?997;1n",
    "\x1b[24;80R",
    "\x1b[1;5R",
    "\x1b[8;24;80t",
    "\x1b[I",
    "\x1b[O",
    "\x1b]11;rgb:1c1c/1c1c/1c1c\x07",
    "\x1b]11;rgb:1c1c/1c1c/1c1c\x1b\\",
    "\x1b]lthe title\x1b\\",
    "\x1b]52;c;aGVsbG8=\x1b\\",
    "\x1bP>|XTerm(389)\x1b\\",
    "\x1bP1+r544e=787465726d\x1b\\",
    "\x1bP!|00000000\x1b\\",
    "\x1b_Gi=31;OK\x1b\\",
    "\x1b^private\x1b\\",
    "\x1bXstring\x1b\\",
]


@pytest.mark.parametrize("reply", UNASKED)
def test_a_reply_that_nobody_asked_for_is_swallowed(reply: str) -> None:
    asked: list[str] = []
    parser = KeyPressParser(asked.append)
    assert names(f"a{reply}b") == ["a", "b"]
    assert named(parser.feed(reply.encode())) == []
    assert asked == []
    assert not parser.pending


@pytest.mark.parametrize(
    ("kind", "reply"),
    [
        (Reply.ATTRIBUTES, "\x1b[?62;22c"),
        (Reply.MODE, "\x1b[?2026;2$y"),
        (Reply.KEYBOARD, "\x1b[?1u"),
        (Reply.COLOR, "\x1b]11;rgb:1c1c/1c1c/1c1c\x1b\\"),
        (Reply.COLOR, "\x1b]11;rgb:1c1c/1c1c/1c1c\x07"),
        (Reply.VERSION, "\x1bP>|XTerm(389)\x1b\\"),
    ],
)
def test_an_expected_reply_is_passed_on_once(kind: Reply, reply: str) -> None:
    replies: list[str] = []
    parser = KeyPressParser(replies.append)
    parser.expect(kind)
    for byte in reply.encode() * 2:
        assert parser.feed(bytes([byte])) == []
    assert replies == [reply]


def test_an_expected_cursor_position_is_a_key() -> None:
    parser = KeyPressParser()
    parser.expect(Reply.CURSOR_POSITION)
    data = b"\x1b[12;40R"
    assert parser.feed(data * 2) == [KeyPress(Keys.CPRResponse, "\x1b[12;40R")]


def test_a_string_is_not_timed_and_a_control_character_breaks_it_off() -> None:
    parser = KeyPressParser()
    parser.feed(b"\x1b]11;rgb:\x1b")
    assert parser.pending
    assert not parser.pending_escape
    assert parser.flush() == []
    assert parser.feed(b"\\") == []
    assert names("\x1b]11;rgb\x03x") == ["c-c", "x"]
    assert names("\x1b]11;rgb\x1b[Ax") == ["up", "x"]
    assert names("\x1b]11;rgb\rx") == ["c-m", "x"]


def test_a_string_that_is_too_long_is_swallowed_to_its_end() -> None:
    replies: list[str] = []
    parser = KeyPressParser(replies.append)
    parser.expect(Reply.COLOR)
    parser.feed(b"\x1b]11;")
    for _ in range(100):
        assert parser.feed(b"x" * STRING_LIMIT) == []
    assert named(parser.feed(b"\x07a")) == [("a", "a")]
    assert replies == []


# ------------------------------------------------------------------------ the mouse


@pytest.mark.parametrize(
    "report", ["\x1b[<0;1;1M", "\x1b[<0;80;24m", "\x1b[<64;10;10M", "\x1b[<35;3;4M", "\x1b[M !!"]
)
def test_a_mouse_report_is_one_key(report: str) -> None:
    assert of_ours(report) == [("<vt100-mouse-event>", report)]
    assert of_prompt_toolkit(report) == of_ours(report)


@pytest.mark.parametrize(
    "report",
    [
        "\x1b[<1;2m",
        "\x1b[<m",
        "\x1b[<;;M",
        "\x1b[<0;1;1;1M",
        "\x1b[<999;1;1M",
        "\x1b[<0;0;1M",
        "\x1b[<0;1;9999M",
        "\x1b[<0;99999999;1M",
        "\x1b[<0:1;1M",
        "\x1b[96;14;13M",
        "\x1b[M\x7f!!",
        "\x1b[M   ",
    ],
)
def test_a_mouse_report_that_makes_no_sense_is_swallowed(report: str) -> None:
    assert names(f"a{report}") in (["a"], ["a", "c-h", "!", "!"])


# ------------------------------------------------------------------------ newer keyboards


@pytest.mark.parametrize(
    ("sequence", "keys"),
    [
        ("97u", ["a"]),
        ("97;1u", ["a"]),
        ("97;2u", ["A"]),
        ("97:65;2u", ["A"]),
        ("228;2u", ["Ä"]),
        ("49:33;2u", ["!"]),
        ("97;;228u", ["ä"]),
        ("0;;104:105u", ["h", "i"]),
        ("97;1;27u", ["a"]),  # a control character is not text
        ("99;5u", ["c-c"]),
        ("99;69u", ["c-c"]),  # with Caps Lock
        ("99;133u", ["c-c"]),  # with Num Lock
        ("1089::99;5u", ["c-c"]),  # Cyrillic С on the key of Latin C
        ("99;6u", ["c-c"]),
        ("99;3u", ["escape", "c"]),
        ("99;7u", ["escape", "c-c"]),
        ("93;5u", ["c-]"]),
        ("32;5u", ["c-@"]),
        ("47;5u", ["c-_"]),
        ("50;5u", ["c-2"]),
        ("50;6u", ["c-s-2"]),
        ("27u", ["escape"]),
        ("27;2u", ["s-escape"]),
        ("27;3u", ["escape", "escape"]),
        ("13;2u", ["c-m"]),
        ("13;3u", ["escape", "c-m"]),
        ("9;2u", ["s-tab"]),
        ("9;5u", ["c-i"]),
        ("127u", ["c-h"]),
        ("127;3u", ["escape", "c-h"]),
        ("97;5:2u", ["c-a"]),  # repeated
        ("97;5:3u", []),  # released
        ("97;9u", []),  # Super
        ("57441;2u", []),  # a Shift key by itself
        ("57400u", ["1"]),  # the keypad
        ("57414u", ["c-m"]),
        ("57419u", ["up"]),
        ("57419;5u", ["c-up"]),
        ("57376u", ["f13"]),
        ("1;2:1A", ["s-up"]),
        ("1;1:3A", []),
        ("1;1:1A", ["up"]),
        ("1;129A", ["up"]),
        ("1;129P", ["f1"]),
        ("13;129~", ["f3"]),
        ("3;5:1~", ["c-delete"]),
        ("3;5:3~", []),
        ("5;1:1~", ["pageup"]),
        ("15;3~", ["escape", "f5"]),
        ("99999999999999999999u", []),
        ("u", []),
        (";u", []),
        ("57346;1u", []),
        ("27;5;99~", ["c-c"]),  # xterm's modifyOtherKeys
        ("27;2;65~", ["A"]),
        ("27;3;97~", ["escape", "a"]),
        ("27;6;80~", ["c-p"]),
        ("27;5;9~", ["c-i"]),
        ("27;5;~", []),
        ("1;5u", ["c-5"]),  # mintty
        ("1;9A", ["escape", "up"]),  # iTerm
        ("99;99~", []),
        ("1;5y", ["c-9"]),
    ],
)
def test_kitty_and_xterm_say_more_and_mean_the_same(sequence: str, keys: list[str]) -> None:
    assert names(f"\x1b[{sequence}") == keys


def test_a_control_key_by_code_carries_what_the_key_sends() -> None:
    assert of_ours("\x1b[99;5u") == [("c-c", "\x03")]
    assert of_ours("\x1b[27;5;118~") == [("c-v", "\x16")]


# ------------------------------------------------------------------------ forgetting


def test_drop_forgets_keys_and_the_paste_that_is_under_way() -> None:
    parser = KeyPressParser()
    parser.feed(b"\x1b")
    parser.drop()
    assert not parser.pending
    parser.feed(b"\x1b[200~secret")
    parser.drop()
    assert named(parser.feed(b" text\x1b[201~a")) == [("a", "a")]
    assert named(parser.feed(b"\x1b[200~b\x1b[201~")) == [("<bracketed-paste>", "b")]


def test_reset_forgets_everything() -> None:
    parser = KeyPressParser()
    for begun in (b"\x1b[200~secret", b"\x1b]11;", b"\x1b[1;2", b"\xc3"):
        parser.feed(begun)
        parser.reset()
        assert not parser.pending
        assert named(parser.feed(b"a")) == [("a", "a")]
