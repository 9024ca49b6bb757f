"""Packets (RFC 4253 §6), the algorithms of a key exchange (§7.1), and the fields of messages.

In: bytes of a socket. Out: messages, one at a time. Imports values and `core.limits`; paramiko only
for its ciphers' interface.
"""
