"""prompt_toolkit's renderer for a person at the far end of a line: frames and their differences.

In: what prompt_toolkit laid out. Out: bytes, one write a frame. While the line is full nothing is
drawn: that is decided in `renderer`. Imports `tui.defaults` and `tui.terminal`.
"""
