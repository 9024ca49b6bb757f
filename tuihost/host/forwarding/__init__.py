"""Port forwarding, both ways: who answers a forward, dialing a target, listening for a client.

In: requests of RFC 4254 §7. Out: channels and sockets, relayed. Imports `host.relay`.
"""
