"""An app's commands as command lines: their parameters, their table, and how a line runs.

In: an app's `@command` methods, and the words of a command line. Out: what they come to, and an
exit status. Imports the plugin interface and `session`.
"""
