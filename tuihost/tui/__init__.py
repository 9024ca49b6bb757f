"""The screen side: prompt_toolkit and rich, never paramiko.

In: byte channels and apps. Out: frames. What every Application shares is in `defaults`.
"""
