"""How many may be logging in at a time: when newcomers are dropped, as with `MaxStartups`.

From some number of unfinished logins on, a growing share of newcomers is dropped at random, so that
strangers still get in beside a flood (sshd_config(5)). There is no chance here: it is given.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Startups:
    """`begin:rate:full` as in MaxStartups: from `begin` unfinished logins on, `rate` percent of
    newcomers are dropped, rising evenly to all of them at `full`."""

    begin: int = 10
    rate: int = 30
    full: int = 100

    @classmethod
    def parse(cls, text: str) -> Startups:
        """Raises ValueError."""
        begin, rate, full = (int(part) for part in text.split(":"))
        if not 1 <= begin <= full or not 1 <= rate <= 100:
            raise ValueError(f"should be A:B:C, with A up to C and B from 1 to 100, not {text!r}")
        return cls(begin, rate, full)

    @property
    def per_source(self) -> int:
        """Unfinished logins of one source, at most: half of what begins the dropping, so that no
        source alone can bring it about."""
        return max(1, self.begin // 2)

    def drops(self, unfinished: int, chance: float) -> bool:
        """Whether a newcomer beside so many is dropped; `chance` is from [0, 1), a fresh one."""
        if unfinished < self.begin:
            return False
        if unfinished >= self.full:
            return True
        share = (unfinished - self.begin) / (self.full - self.begin)
        return chance * 100 < self.rate + (100 - self.rate) * share
