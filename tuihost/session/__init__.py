"""What an app holds while it runs: the session, and everything that it lends to the app.

In: what the host makes for one person. Out: `Session`, `HostView`, streams, forwards, other apps'
commands. Imports values, accounts, login, files and theme.
"""
