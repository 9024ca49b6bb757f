"""Decisions without I/O, clock or threads: who gets what, and how much of it.

In: values, and the time. Out: verdicts as values. Imports `tuihost.wire` and the standard library.
"""
