"""The SSH side: paramiko, never prompt_toolkit."""
