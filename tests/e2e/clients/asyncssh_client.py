"""asyncssh."""

import asyncio
import sys

import asyncssh


async def visit(port: int) -> None:
    connection = asyncssh.connect(
        "127.0.0.1", port, username="guest", known_hosts=None, client_keys=None, config=None
    )
    async with connection as link:
        sys.stdout.write(str((await link.run("probe who", check=True)).stdout))


asyncio.run(visit(int(sys.argv[1])))
