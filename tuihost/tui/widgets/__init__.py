"""What every screen is made of: lists, tables, dialogs and the frame around them.

Authors of apps import these names from `tuihost.widgets`.
"""
