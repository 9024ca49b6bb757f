"""The server: listening sockets, and one connection from accept to close.

In: sockets, signals. Out: nothing; it is the top. Imports every other room of the host.
"""
