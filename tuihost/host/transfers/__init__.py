"""Copying files by other protocols than sftp: scp's old one, and rsync under Landlock.

In: a file tree and a session's bytes. Out: an exit status. Imports `tuihost.files`.
"""
