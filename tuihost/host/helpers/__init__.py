"""Helper processes: work that a visitor's data could make long or large, within limits."""
