"""The running server: where the SSH side and the screen side meet.

`host.py` is what all sessions of a process share; the rest is in rooms: gate, login, store,
plugins, relay, transfers, forwarding, programs, server.
"""
