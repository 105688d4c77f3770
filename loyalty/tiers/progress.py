"""What counts for a member, day by day. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from itertools import accumulate

from loyalty.tiers.domain import NOTHING, Amounts, Basis
from loyalty.tiers.terms import EVER

# A day, and the version of the ladder that was in force then: the day on which one follows another has two.
Bucket = tuple[date, int]


class Progress:
    """What was bought on each day since `since`, and in all. A value: what is added makes another one."""

    def __init__(self, total: Amounts, days: Mapping[Bucket, Amounts], since: date = EVER) -> None:
        self.total, self.days, self.since = total, days, since
        self._sums: dict[Basis, list[int]] = {}

    @cached_property
    def buckets(self) -> list[Bucket]:
        """The days on which something counts, in order."""
        return sorted(self.days)

    def plus(self, bucket: Bucket, amounts: Amounts) -> "Progress":
        """With what else was bought on a day, or what of it came back (negative)."""
        days = {**self.days, bucket: self.days.get(bucket, NOTHING) + amounts}
        return Progress(self.total + amounts, days, self.since)

    def value(self, basis: Basis, begin: date, upto: Bucket) -> int:
        """What counts from a day on, up to and with a bucket."""
        assert begin == EVER or begin >= self.since, "what is asked for was read"
        sums = self._sums.get(basis)
        if sums is None:
            sums = list(accumulate((self.days[bucket].of(basis) for bucket in self.buckets), initial=0))
            self._sums[basis] = sums
        value = sums[bisect_right(self.buckets, upto)] - sums[bisect_left(self.buckets, (begin, -1))]
        # What lies before the days that were read is known as a sum.
        return value + (self.total.of(basis) - sums[-1] if begin == EVER else 0)
