"""The files that apps serve by sftp, scp and rsync: trees, and one kind of tree on the host's disk.

In: an app's own classes. Out: `FileTree`, `DiskTree`, `Folders`. Beside them `private`: how the
host makes and reads files that nobody else may see. Imports values only.
"""
