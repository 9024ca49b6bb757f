"""Finding and loading what others wrote: apps, login steps, deliveries, bundled folders.

In: settings, folders, entry points. Out: catalogues of what works and what is broken, with reasons.
Imports what authors of plugins import.
"""
