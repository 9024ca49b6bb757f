"""Themes: one TOML file that gives prompt_toolkit, rich and Pygments the same colours.

In: theme files, and the colour schemes of other programs. Out: `Theme`. Imports values only.
"""
