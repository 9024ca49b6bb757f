"""The screen side: prompt_toolkit and rich, never paramiko.

In: the bytes of a channel, and apps. Out: frames. From the wire inwards: `terminal` (keys, bytes),
`rendering` (frames), `layout` (what a frame is laid out from), `widgets`, `running` (an app on its
thread). What every Application shares is in `defaults`, what is refused to all of them in
`server_actions`.
"""
