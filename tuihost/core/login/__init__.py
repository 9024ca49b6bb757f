"""Who may come in, and with which rights: factors, chains, locks, names, roles.

In: requests, and the time, as values. Out: verdicts. Pure: no I/O, clock or threads. Imports
`core.keys`.
"""
