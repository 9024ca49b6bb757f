"""What is kept on disk: accounts, preferences, sealed secrets, locks between processes.

In: records. Out: records, or `StoreError`. Imports the core, `tuihost.accounts` and
`tuihost.database`.
"""
