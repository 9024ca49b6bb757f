"""Channels that lead elsewhere: to real sockets, to an app, to the client's display and agent.

In: channels. Out: streams that may wait. Imports values, the core and `session.streams`.
"""
