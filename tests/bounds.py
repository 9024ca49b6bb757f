"""The bounds of what people may take, as a table for `docs/server-behaviour.md`.

    python -m tests.bounds --write   # into that page, as `make docs` does

Without `--write` it prints the table.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tuihost.core.budget.ledger import BOUNDS, MIB, Bounds, Kind, Level

PAGE = Path(__file__).parents[1] / "docs" / "server-behaviour.md"
_PLACE = re.compile(r"(<!-- bounds: make docs -->\n).*?(\n<!-- end of bounds -->)", re.DOTALL)


def table() -> str:
    levels = " | ".join(level.value for level in Level)
    lines = [f"| in the log | what | {levels} |", "|---" * (2 + len(Level)) + "|"]
    for kind in Kind:
        cells = " | ".join(_cell(kind, BOUNDS[kind], level) for level in Level)
        often = ", a minute" if BOUNDS[kind].at_once else ""
        lines.append(f"| `{kind}` | {kind.meaning}{often} | {cells} |")
    return "\n".join(lines)


def _cell(kind: Kind, bounds: Bounds, level: Level) -> str:
    bound = bounds.at(level)
    return f"{bound // MIB} MiB" if kind is Kind.MEMORY else f"{bound:,}"


def written(page: str) -> str:
    """The page with the table as it is now."""
    return _PLACE.sub(lambda found: f"{found[1]}\n{table()}\n{found[2]}", page)


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
    else:
        sys.stdout.write(f"{table()}\n")
