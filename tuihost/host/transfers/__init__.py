"""Copying files by protocols other than sftp: the old one of scp, and rsync under Landlock.

In: a file tree and a session's bytes. Out: an exit status. Imports `tuihost.files` and
`host.helpers`.
"""
