"""Helper processes: work that a visitor's data could make long or large, within limits.

In: a function by its name, its arguments as values. Out: what it returns, or which limit it went
over. Imports the core.
"""
