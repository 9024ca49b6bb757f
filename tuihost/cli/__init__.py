"""The command line: one module for each subcommand, imported when it is called.

In: arguments. Out: exit statuses. May import everything.
"""
