"""The screen side: prompt_toolkit and rich, never paramiko."""
