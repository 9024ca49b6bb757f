"""The running server: where the SSH side and the screen side meet.

`host.py` is what all sessions of a process share, `access.py` says who may use which app, and
`presence.py` who is here. In: sockets and settings. Out: sessions of apps. Imports every lower
floor.
"""
