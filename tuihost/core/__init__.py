"""Decisions without I/O, clock or threads."""
