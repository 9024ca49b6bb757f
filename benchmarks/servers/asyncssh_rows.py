"""The peer: asyncssh with prompt_toolkit's own SSH server, one loop for everybody."""

import asyncio
import sys

import asyncssh
from prompt_toolkit.application import Application
from prompt_toolkit.contrib.ssh import PromptToolkitSSHServer, PromptToolkitSSHSession
from prompt_toolkit.data_structures import Point
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.layout import FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.styles import Style

ROWS = [
    f"  Item {number:02d}  an entry of the menu with some words behind it" for number in range(50)
]
STYLE = Style.from_dict({"title": "bold #ff87d7", "row.current": "reverse"})


def build() -> Application[None]:
    keys = KeyBindings()
    current = 0

    @keys.add("down")
    def _down(event: object) -> None:
        nonlocal current
        current = min(len(ROWS) - 1, current + 1)

    @keys.add("up")
    def _up(event: object) -> None:
        nonlocal current
        current = max(0, current - 1)

    def rows() -> list[tuple[str, str]]:
        return [
            ("class:row.current" if index == current else "", text + "\n")
            for index, text in enumerate(ROWS)
        ]

    body = FormattedTextControl(
        rows, get_cursor_position=lambda: Point(0, current), show_cursor=False
    )
    bottom = FormattedTextControl(lambda: f"row {current}  arrows move  q quit")
    return Application(
        layout=Layout(
            HSplit(
                [
                    Window(FormattedTextControl([("class:title", "Menu")]), height=1),
                    Window(body),
                    Window(bottom, height=1),
                ]
            )
        ),
        key_bindings=keys,
        style=STYLE,
        full_screen=True,
    )


class Server(PromptToolkitSSHServer):
    def begin_auth(self, username: str) -> bool:
        return False


async def interact(session: PromptToolkitSSHSession) -> None:
    await build().run_async()


async def main() -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.create_server(
        lambda: Server(interact), "127.0.0.1", 0, server_host_keys=[key]
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
