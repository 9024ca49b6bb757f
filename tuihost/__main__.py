"""`python -m tuihost`."""

from __future__ import annotations

from tuihost.cli.main import main

if __name__ == "__main__":
    main()
