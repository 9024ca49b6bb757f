"""prompt_toolkit's renderer for a person at the far end of a line: frames and their differences.

In: screens that prompt_toolkit laid out. Out: bytes, one write a frame. Imports `tui.terminal`.
"""
