"""Public keys as values, and whom they let in: authorized_keys, their options, certificates.

In: text of authorized_keys, offers of clients. Out: `Restrictions`, or why not. Pure.
"""
