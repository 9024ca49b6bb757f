"""What runs an app on its thread: event loop, Applications in turn, talk, and stages.

In: an app's Application or coroutine. Out: its result. Imports everything else in `tui`.
"""
