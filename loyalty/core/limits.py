"""How often something may be done: so often at once, and then once in a while.

A caller who may fail `quota` times owes `seconds` for each time. What is owed runs off with time, so all that is kept
of a caller is one instant: when nothing will be owed any more. (It is the generic cell rate algorithm of telephone
networks: one number, no windows at whose edges one could fail twice as often.) Pure.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Limit:
    """So often at once, then once in so many seconds. A quota of 0 stands for no limit."""

    name: str
    quota: int
    seconds: int

    @property
    def each(self) -> timedelta:
        """What one time costs."""
        return timedelta(seconds=self.seconds)

    @property
    def window_seconds(self) -> int:
        """After so long, everything is forgotten."""
        return self.quota * self.seconds

    def left(self, clear_at: datetime, *, now: datetime) -> int:
        """How often it may be done yet by somebody who owes nothing from `clear_at` on."""
        owed = max(clear_at - now, timedelta(0))
        return max(self.quota + (-owed // self.each), 0)

    def wait(self, clear_at: datetime, *, now: datetime) -> timedelta:
        """How long until it may be done again; nothing while it may."""
        return max(clear_at - now - (self.quota - 1) * self.each, timedelta(0))
