"""Channels that lead elsewhere: to real sockets, to an app, to the client's display and agent.

In: channels. Out: streams that may wait. Imports the core, `host.budget`,
`session.streams` and `ssh`'s keys and packets.
"""
