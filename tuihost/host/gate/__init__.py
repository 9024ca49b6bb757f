"""Who may begin to talk to the host at all: limits, penalties and PROXY headers.

In: accepted sockets, before any key exchange. Out: an admission or a refusal. Imports the core.
"""
