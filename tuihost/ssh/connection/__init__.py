"""The connection protocol, RFC 4254: channels, their windows, requests and global requests.

In: messages after the login. Out: values of `tuihost.wire` for the host, which answers. Imports
`ssh.packets`.
"""
