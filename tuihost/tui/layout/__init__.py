"""What a frame is laid out from: rows that are drawn once, and what rich lays out.

In: the rows of a list, renderables of rich. Out: a container of prompt_toolkit, its fragments, or
bytes for a command. Imports `tui.rendering`, `tui.terminal` and the theme.
"""
