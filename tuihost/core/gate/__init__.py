"""Who may begin to log in: sources that have to wait, and newcomers that are dropped at random.

In: offences, and how many logins are under way. Out: waits, and who is turned away. Pure.
"""
