"""What the operator decides: the settings as models, how they are read, and how they are shown.

In: a TOML file, environment variables, options. Out: one frozen `Settings`, or `SettingsError` with
every mistake. Imports the core.
"""
