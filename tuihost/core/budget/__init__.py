"""What people may take of the host, and whose turn it is among the threads of one person.

In: who wants how much of what, or wants to work, and the time. Out: a yes, or which bound is in the
way; whose turn it is. Pure.
"""
