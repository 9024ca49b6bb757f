"""The files that apps serve by sftp, scp and rsync: trees, and one kind of tree on the host's disk.

In: an app's own classes. Out: `FileTree`, `DiskTree`, `Folders`. Imports values only.
"""
