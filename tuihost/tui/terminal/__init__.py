"""One person's terminal: the keys that come from it, and the bytes that are written to it.

In: the bytes of a channel. Out: key presses, prompt_toolkit's Input and Output.
Imports values only.
"""
