"""What a screen is drawn from: rows that are kept, and rich's layout as fragments.

In: rich renderables, rows of a list. Out: fragments of prompt_toolkit, or bytes for a command.
Imports `tui.rendering` and the theme.
"""
