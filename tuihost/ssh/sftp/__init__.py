"""SFTP over a file tree: requests read strictly, and what a client has open.

In: the bytes of one session. Out: answers, and changes in a tree. Imports `files`, and the fields
of messages.
"""
