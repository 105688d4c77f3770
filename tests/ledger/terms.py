"""The words of the model: what is promised, held and owed, and the calendar. By the specification, not by the code."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

LONG_AGO, FOR_EVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Lasting:
    """How long points last: a number of days and months, rounded up; or until fixed dates; or while they are used."""

    days: int = 0
    months: int = 0
    end_of: int = 0  # of so many months; 0: as it is
    dates: tuple[tuple[int, int], ...] = ()
    while_active: bool = False
    for_ever: bool = False

    def until(self, since: datetime, zone: str) -> datetime:
        """The first instant at which points are gone."""
        if self.for_ever:
            return FOR_EVER
        day = since.astimezone(ZoneInfo(zone)).date()
        if self.dates:
            coming = [clamped(year, *month_day) for year in (day.year, day.year + 1) for month_day in self.dates]
            return day_begins(min(d for d in coming if d >= day) + timedelta(days=1), zone)
        last = months_later(day, self.months) + timedelta(days=self.days)
        if self.end_of:
            last = months_later(last.replace(day=1), self.end_of - (last.month - 1) % self.end_of) - timedelta(days=1)
        return day_begins(last + timedelta(days=1), zone)


@dataclass(frozen=True)
class Waiting:
    """When earned points become available: after a while, or when an event happens, if it happens in time."""

    days: int = 0
    months: int = 0
    for_event: bool = False
    in_time_days: int | None = None


@dataclass(frozen=True)
class Promise:
    """The life of the points of one rule."""

    lasting: Lasting
    waiting: Waiting | None = None


@dataclass(eq=False)
class Lot:
    """Points that came together. `award` is the lot that they were earned in."""

    number: int
    points: int
    earned_at: datetime
    gone_at: datetime = FOR_EVER  # unless `lasting` says something else
    held: int = 0
    waits: bool = False
    matures_at: datetime | None = None
    missed_at: datetime | None = None
    lasting: Lasting | None = None  # not counting yet, or counting from the last activity
    award: object = None
    points_by_hand: int = 0
    lapsed: int = 0
    lapsed_at: datetime | None = None
    brought_back: int = 0


@dataclass
class Hold:
    """Points kept for a payment: from which lots, how many."""

    pieces: list[tuple[Lot, int]]
    ends_at: datetime
    open: bool = True


@dataclass
class Order:
    """What was bought: so many units that earned a point each, and what was spent on them."""

    owner: int
    lot: Lot
    units: int
    placed_at: datetime
    returned: int = 0
    confirmed: bool = False
    found_lapsed: int = 0
    spent: list[tuple[Lot, int]] = field(default_factory=list)
    given_back: Counter[int] = field(default_factory=Counter)  # by the place in `spent`


@dataclass
class Debt:
    """What is owed, since when."""

    points: int
    since: datetime


def life(promise: Promise, since: datetime, zone: str) -> dict[str, object]:
    """The dates of points promised at `since`."""
    waiting, lasting = promise.waiting, promise.lasting
    local = since.astimezone(ZoneInfo(zone))
    if waiting is not None and waiting.for_event:
        days = waiting.in_time_days
        missed = None if days is None else day_begins(local.date() + timedelta(days=days + 1), zone)
        return {"waits": True, "missed_at": missed, "lasting": lasting}
    matures = None
    if waiting is not None:
        day = months_later(local.date(), waiting.months) + timedelta(days=waiting.days)
        matures = local.replace(year=day.year, month=day.month, day=day.day).astimezone(UTC)
    end = {"lasting": lasting} if lasting.while_active else {"gone_at": lasting.until(matures or since, zone)}
    return {"waits": matures is not None, "matures_at": matures, **end}


def clamped(year: int, month: int, day: int) -> date:
    """A date, or the last one of its month if that has no such day."""
    try:
        return date(year, month, day)
    except ValueError:
        return clamped(year, month, day - 1)


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or the last one of it."""
    years, month = divmod(day.month - 1 + months, 12)
    return clamped(day.year + years, month + 1, day.day)


def day_of(instant: datetime, zone: str) -> date:
    """The date on the wall of the zone."""
    return instant.astimezone(ZoneInfo(zone)).date()


@cache
def day_begins(day: date, zone: str) -> datetime:
    """The first instant of a day, by looking for it: whatever the clocks do, it is the first that has its date."""
    before = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=2)
    low, high = 0, 4 * 24 * 3600
    while low < high:
        middle = (low + high) // 2
        if (before + timedelta(seconds=middle)).astimezone(ZoneInfo(zone)).date() >= day:
            high = middle
        else:
            low = middle + 1
    return before + timedelta(seconds=low)
