"""Adding up what facts add: kind by kind of members first, by each dimension once at the end. Pure.

Most of what happens on a day is done by few kinds of members: of the same tier, in the same segments, in one channel.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime

from pyroaring import BitMap

from loyalty.core.calendar import local_date
from loyalty.rollups.deltas import BUYERS, Deltas
from loyalty.rollups.domain import Dimension, Place
from loyalty.rollups.told import Gathered, Standing

Pair = tuple[Dimension, str]
By = tuple[Pair, ...]

ALL: By = (("all", ""),)


@dataclass(slots=True)
class Cell:
    """What is added on one day by the same keys: to sums, by measure and unit, and whom to sets, by name."""

    sums: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    sets: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))


@dataclass(slots=True)
class Counting:
    """What was counted so far, by the days of a zone, and what is known then.

    `standings` of members and what is `returned` of orders are what was known before, and become what is known after;
    `members` and `orders` are those of which it is another. `gathered` is what the facts tell of that are counted now.
    """

    zone: str
    standings: dict[int, Standing] = field(default_factory=dict)
    returned: dict[str, dict[str, int]] = field(default_factory=dict)
    members: set[int] = field(default_factory=set)
    orders: set[str] = field(default_factory=set)
    gathered: Gathered = field(default_factory=Gathered)
    _cells: dict[tuple[date, By], Cell] = field(default_factory=lambda: defaultdict(Cell))
    _bys: dict[tuple[str, tuple[str, ...], str | None], By] = field(default_factory=dict)

    def cell(self, day: date, by: By) -> Cell:
        """What is added on a day by some keys."""
        return self._cells[day, by]

    def day(self, at: datetime) -> date:
        """The day of an instant."""
        return local_date(at, self.zone)

    def who(self, number: int, day: date, channel: str | None = None) -> By:
        """What a member was on a day, and where: the tier that was told last, the segments, the channel."""
        found = tuple(code for code, members in self.gathered.segments(day) if number in members)
        standing = self.standings.get(number)
        asked = (standing.tier if standing else "", found, channel)
        by = self._bys.get(asked)
        if by is None:
            tiers: By = (("tier", asked[0]),) if asked[0] else ()
            channels: By = (("channel", channel),) if channel is not None else ()
            segments: By = tuple(("segment", code) for code in found)
            by = self._bys[asked] = (*ALL, *tiers, *segments, *channels)
        return by

    def deltas(self) -> Deltas:
        """What all of it adds to sums and sets."""
        deltas = Deltas()
        for (day, by), cell in self._cells.items():
            for (measure, unit), amount in cell.sums.items():
                if amount:
                    for dimension, key in by:
                        deltas.sums[Place(measure, unit, dimension, key, day)] += amount
            for name, numbers in cell.sets.items():
                members, again = BitMap(numbers), BitMap()
                if name == BUYERS and len(members) < len(numbers):
                    again = BitMap([number for number, times in Counter(numbers).items() if times > 1])
                for pair in by:
                    deltas.join(name, pair, day, members, again)
        return deltas
