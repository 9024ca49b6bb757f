"""The files that apps serve by sftp, scp and rsync: trees, and a tree on the host's disk.

In: an app's own classes. Out: `FileTree`, `DiskTree`, `Folders`. Imports values only.
"""
