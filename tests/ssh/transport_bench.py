"""The raw client and its host, which live with the attacks, for the tests of this folder."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "attacks"))

from raw_client import (
    DEADLINE,
    KEYS,
    Gone,
    Host,
    Raw,
    RawClient,
    Recorder,
    host_pair,
    packed,
    plain_pair,
)

__all__ = [
    "DEADLINE",
    "KEYS",
    "Gone",
    "Host",
    "Raw",
    "RawClient",
    "Recorder",
    "host_pair",
    "packed",
    "plain_pair",
]
