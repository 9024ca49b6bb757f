"""The running server: where the SSH side and the screen side meet.

`host.py` is what all sessions of a process share, `access.py` says who may use which app, and
`presence.py` who is here. The rest is in rooms: gate, login, store,
plugins, relay, transfers, forwarding, programs, server.
"""
