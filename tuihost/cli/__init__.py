"""The command line: one module a subcommand, imported when it is called.

In: arguments. Out: exit statuses. May import everything.
"""
