"""Logging in: the verifier of a login, what logins share, and what people change afterwards.

In: what a client proves. Out: `Identity`, `Visitor`. Imports the account store and plugins.
"""
