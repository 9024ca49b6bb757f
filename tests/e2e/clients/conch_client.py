"""Twisted Conch."""

import sys
from typing import Any

from twisted.conch.ssh import channel, common, connection, transport, userauth
from twisted.internet import defer, protocol, reactor


class Command(channel.SSHChannel):
    name = b"session"

    def channelOpen(self, specificData: bytes) -> None:
        self.conn.sendRequest(self, b"exec", common.NS(b"probe who"))

    def dataReceived(self, data: bytes) -> None:
        sys.stdout.buffer.write(data)

    def closed(self) -> None:
        self.conn.transport.loseConnection()


class Connection(connection.SSHConnection):
    def serviceStarted(self) -> None:
        self.openChannel(Command(conn=self))


class Transport(transport.SSHClientTransport):
    def verifyHostKey(self, hostKey: bytes, fingerprint: bytes) -> Any:
        return defer.succeed(True)

    def connectionSecure(self) -> None:
        self.requestService(userauth.SSHUserAuthClient(b"guest", Connection()))

    def connectionLost(self, reason: Any = None) -> None:
        reactor.stop()


protocol.ClientCreator(reactor, Transport).connectTCP("127.0.0.1", int(sys.argv[1]))
reactor.run()
