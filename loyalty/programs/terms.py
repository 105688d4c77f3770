"""When points become available and when they lapse: calendar facts in the program's zone.

Points are usable up to the last instant of their last day and gone at 00:00 of the next; an instant equal to the expiry
is already too late.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from loyalty.core import calendar
from loyalty.core.calendar import PeriodEnd


@dataclass(frozen=True, slots=True)
class Activation:
    """How earned points become available: at once, or after a delay of days and months."""

    mode: Literal["immediate", "delay"] = "immediate"
    days: int = 0
    months: int = 0

    def matures_at(self, earned_at: datetime, zone: str) -> datetime | None:
        """The instant at which points earned at `earned_at` become available; None: they are, at once.

        A delay keeps the time of day on the wall of the zone, whatever the clocks did in between.
        """
        if self.mode == "immediate":
            return None
        local = earned_at.astimezone(calendar.zone(zone))
        day = calendar.add_months(local.date(), self.months) + timedelta(days=self.days)
        return datetime.combine(day, local.timetz()).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Expiry:
    """How long available points last: for ever, so many days/months/years, or to the next of fixed dates ("MM-DD")."""

    mode: Literal["never", "rolling", "calendar"] = "never"
    days: int = 0
    months: int = 0
    years: int = 0
    round_to: PeriodEnd | None = None
    dates: tuple[str, ...] = ()

    def expires_at(self, available_at: datetime, zone: str) -> datetime | None:
        """The first instant at which points that became available at `available_at` are gone; None: never."""
        if self.mode == "never":
            return None
        start = calendar.local_date(available_at, zone)
        last = self._last_day_of_term(start) if self.mode == "rolling" else self._next_date(start)
        return calendar.midnight(calendar.day_after(last), zone)

    def _last_day_of_term(self, start: date) -> date:
        last = calendar.add_months(start, self.months + 12 * self.years) + timedelta(days=self.days)
        return calendar.end_of_period(last, self.round_to) if self.round_to else last

    def _next_date(self, start: date) -> date:
        listed = (
            calendar.day_in_year(year, month_day) for year in (start.year, start.year + 1) for month_day in self.dates
        )
        return min(day for day in listed if day >= start)
