"""A key that answered a question, and may still be held down: it does not answer the next one."""

from __future__ import annotations

from prompt_toolkit.application import get_app


def ignore_held_key() -> None:
    """From now on, the key that was pressed last does nothing as long as it is held down; pressed
    again, it acts. The host does so whenever another window has got the keys. Call it where the
    same window has them for something else: the next question, the next row. While an Application
    runs. Thread: the session's.
    """
    # Not every input is a terminal: prompt_toolkit has others.
    ignore = getattr(get_app().input, "ignore_held_key", None)
    if ignore is not None:
        ignore()
