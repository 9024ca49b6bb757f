"""The peer for bulk data: asyncssh, with the same commands, its SFTP server, and forwards."""

import asyncio
import sys
import tempfile

import asyncssh


class Server(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return False

    def connection_requested(self, *where: object) -> bool:
        return True


async def process(process: "asyncssh.SSHServerProcess[bytes]") -> None:
    words = (process.command or "").split()
    if words[1] == "out":
        block = bytes(262_144)
        for _ in range(4 * int(words[2])):
            process.stdout.write(block)
            await process.stdout.drain()
    else:
        count = 0
        while data := await process.stdin.read(262_144):
            count += len(data)
        process.stdout.write(f"{count}\n".encode())
    process.exit(0)


async def main(folder: str) -> None:
    server = await asyncssh.create_server(
        Server,
        "127.0.0.1",
        0,
        server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
        process_factory=process,
        encoding=None,
        sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=folder.encode()),
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


with tempfile.TemporaryDirectory(prefix="tuihost-bench-") as root:
    asyncio.run(main(root))
