"""The clock of a sandbox as a value."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class SandboxClock:
    """What time it is in a sandbox, and by how much that is ahead of the real time; it flows on from there.

    `settled`: how many members had something due until then, and were settled at once.
    """

    now: datetime
    ahead: timedelta
    settled: int = 0

    @property
    def ahead_seconds(self) -> int:
        """By how many whole seconds the clock is ahead."""
        return self.ahead // timedelta(seconds=1)
