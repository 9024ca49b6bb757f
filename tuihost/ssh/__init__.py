"""The SSH side: paramiko, never prompt_toolkit. One transport for each client, its login, and sftp.

In: a socket. Out: questions to an `Answerer`, and byte channels. Imports the core.
"""
