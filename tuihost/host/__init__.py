"""The running server: where the SSH side and the screen side meet."""
