"""What a program's members buy all together: reach, trends, and what is bought together."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Statistics:
    """One finished count."""

    version: int
    as_of: datetime
