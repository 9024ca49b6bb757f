"""What runs an app on its thread: the event loop, Applications in turn, talks, and stages.

In: an app's Application or coroutine. Out: its result. Imports everything else in `tui`.
"""
