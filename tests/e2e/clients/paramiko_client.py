"""paramiko's own client."""

import sys

import paramiko

transport = paramiko.Transport(("127.0.0.1", int(sys.argv[1])))
try:
    transport.start_client(timeout=30)
    transport.auth_none("guest")
    channel = transport.open_session()
    channel.exec_command("probe who")
    sys.stdout.buffer.write(channel.makefile().read())
finally:
    transport.close()
