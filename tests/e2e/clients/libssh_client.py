"""libssh, without a binding."""

import ctypes
import sys

HOST, PORT, USER = 0, 1, 4

library = ctypes.CDLL("libssh.so.4")
library.ssh_new.restype = library.ssh_channel_new.restype = ctypes.c_void_p
ssh, port = ctypes.c_void_p(library.ssh_new()), ctypes.c_uint(int(sys.argv[1]))
for option, value in ((HOST, b"127.0.0.1"), (PORT, ctypes.byref(port)), (USER, b"guest")):
    assert library.ssh_options_set(ssh, option, value) == 0
assert library.ssh_connect(ssh) == 0
assert library.ssh_userauth_none(ssh, None) == 0
channel, buffer = ctypes.c_void_p(library.ssh_channel_new(ssh)), bytes(4096)
assert library.ssh_channel_open_session(channel) == 0
assert library.ssh_channel_request_exec(channel, b"probe who") == 0
while (count := library.ssh_channel_read(channel, buffer, len(buffer), 0)) > 0:
    sys.stdout.buffer.write(buffer[:count])
