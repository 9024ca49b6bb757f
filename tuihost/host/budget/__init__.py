"""What people may take of the host, on all of its threads: the ledger with a lock and a log.

In: whose connection wants how much of what. Out: a lease, or which bound is in the way. Imports the
core and the settings.
"""
