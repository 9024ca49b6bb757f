"""What a session runs, on a thread of its own: a program, its apps, and commands of other apps.

In: what a client asked for. Out: an exit status. Imports `host.host`, `tui` and `ssh.sftp`.
"""
