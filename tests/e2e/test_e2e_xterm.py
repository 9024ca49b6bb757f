"""A real xterm, light and dark: the theme that suits it, and a cursor that can be seen."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.e2e_demo import Demo, Place, Served, clean_env
from tests.e2e.e2e_tmux import PROMPT, Open
from tests.e2e.e2e_x import Screen, StartScreen
from tests.waiting import DEADLINE, until

EMBER_INK = (0xED, 0xE1, 0xD8)
"""The words of the theme Ember, exactly: xterm draws words in one of 256 colours, and only its
cursor in this one."""

Rgb = tuple[int, int, int]
OpenXterm = Callable[..., None]


@pytest.fixture
def ember(tmp_path: Path) -> Iterator[Served]:
    """A host whose only theme is a dark one."""
    config = tmp_path / "tuihost.toml"
    config.write_text('[server]\nport = 0\nstate_dir = "state"\ntheme = "ember"\n')
    words = ["serve", "--config", str(config)]
    served = Served(tmp_path, words, ready=lambda host: bool(host.events("host.start")))
    yield served
    served.close()


@pytest.fixture
def screen(start_screen: StartScreen) -> Screen:
    return start_screen()


@pytest.fixture
def xterm(place: Place, screen: Screen, program: Callable[[str], str]) -> Iterator[OpenXterm]:
    """Opens an xterm of 80 by 24 cells with a background, in which a shell runs one line."""
    program("ssh")
    path = program("xterm")
    running: list[subprocess.Popen[bytes]] = []

    def open(background: str, line: str) -> None:
        colors = ["-bg", background, "-fg", "#ffffff" if background < "#8" else "#000000"]
        look = ["-geometry", "80x24+0+0", "-bw", "0", "+sb", "-fa", "", "-fn", "6x13"]
        env = clean_env(place.folder, TERM="xterm-256color", **screen.env)
        env["PATH"] = f"{place.bin}:{env['PATH']}"
        running.append(subprocess.Popen([path, *look, *colors, "-e", "sh", "-c", line], env=env))

    yield open
    for process in running:
        process.terminate()
        process.wait(DEADLINE)
    until(lambda: not screen.windows(), "every window to be gone")


def colors(screen: Screen) -> Counter[Rgb]:
    """How many pixels have which colour."""
    data = screen.pixels()
    return Counter(zip(data[2::4], data[1::4], data[0::4], strict=True))


FEW_COLORS = 4  # of a screen on which no words stand yet


def drawn(screen: Screen, wanted: Callable[[Rgb], bool], what: str) -> Counter[Rgb]:
    """The colours once the ground is as it is wanted and all is drawn: an xterm shows a frame while
    it comes."""
    last: Counter[Rgb] = Counter()

    def look() -> Counter[Rgb]:
        nonlocal last
        before, last = last, colors(screen)
        still = last == before and len(last) > FEW_COLORS
        return last if still and wanted(ground(screen)) else Counter()

    return until(look, what)


def ground(screen: Screen) -> Rgb:
    """The colour of most of the window."""
    shown = colors(screen)
    shown.subtract({(0, 0, 0): 640 * 480 - 480 * 312})  # beside the window the screen is black
    return shown.most_common(1)[0][0]


def test_a_white_terminal_is_light_and_a_black_one_dark(
    demo: Demo, screen: Screen, xterm: OpenXterm
) -> None:
    line = f"ssh -p {demo.port} xena-{{}}@127.0.0.1"
    xterm("#fffff0", line.format("white"))
    light = drawn(
        screen, lambda color: min(color) > 0xE0 and color != (255, 255, 240), "a light ground"
    )
    xterm("#000010", line.format("black"))  # on top of the other
    demo.wait_event("app.start", user="xena-black")
    dark = drawn(screen, lambda color: max(color) < 0x30 and color[2] != 0x10, "a dark ground")
    words = light - dark
    assert len(words) > 3, "the words too are in other colours"


def test_the_cursor_can_be_seen_and_is_given_back(
    ember: Served, screen: Screen, xterm: OpenXterm
) -> None:
    """Ember has no light half: on a white terminal its cursor would be black on black."""
    xterm("#ffffff", f"ssh -t -p {ember.port} guest-x@127.0.0.1 shell; exec cat")
    ember.wait_event("app.start", app="shell")
    until(lambda: colors(screen)[EMBER_INK] > 10, "a cursor in the colour of the words")
    ember.interrupt()
    until(lambda: ground(screen) == (255, 255, 255), "the white screen from before")
    until(lambda: colors(screen)[EMBER_INK] == 0, "the cursor's own colour")


def test_tmux_is_asked_and_nothing_is_typed(demo: Demo, open_terminal: Open) -> None:
    for number in range(3):
        terminal = open_terminal()
        terminal.shell(f"ssh -t -p {demo.port} tam-{number}@127.0.0.1 probe").type("q")
        terminal.wait_shell(0)
        assert terminal.lines[-1] == "" or terminal.text.endswith(PROMPT)
        assert "11;" not in terminal.text
        assert "?1;" not in terminal.text
