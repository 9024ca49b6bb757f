"""Keys and certificates as bytes: the host's own, those of users, and revoked ones.

In: files and blobs. Out: keys that sign and verify. Imports `ssh.packets.fields` and the core.
"""
