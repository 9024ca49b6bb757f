"""Whose turn it is: in which order the threads of people work who want more than their share.

In: who wants to work and who is done, and the time. Out: whose turn it is. Pure.
"""
