"""When points become available and when they lapse: calendar facts in the program's zone.

Points are usable up to the last instant of their last day and gone at 00:00 of the next; an instant equal to the expiry
is already too late.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from loyalty.core import calendar
from loyalty.core.calendar import PeriodEnd


@dataclass(frozen=True, slots=True)
class Activation:
    """How earned points become available: at once, after a delay of days and months, or when an event has happened.

    An event, such as the order's delivery, may have to come within `deadline_days`.
    """

    mode: Literal["immediate", "delay", "on_event"] = "immediate"
    days: int = 0
    months: int = 0
    deadline_days: int | None = None

    def matures_at(self, earned_at: datetime, zone: str) -> datetime | None:
        """The instant at which points earned at `earned_at` become available by themselves; None: at once, or never.

        A delay keeps the time of day on the wall of the zone, whatever the clocks did in between.
        """
        if self.mode != "delay":
            return None
        local = earned_at.astimezone(calendar.zone(zone))
        day = calendar.add_months(local.date(), self.months) + timedelta(days=self.days)
        return datetime.combine(day, local.timetz()).astimezone(UTC)

    def deadline_at(self, earned_at: datetime, zone: str) -> datetime | None:
        """The first instant at which it is too late for the event; None: there is no event, or it may come any time."""
        if self.mode != "on_event" or self.deadline_days is None:
            return None
        last = calendar.local_date(earned_at, zone) + timedelta(days=self.deadline_days)
        return calendar.midnight(calendar.day_after(last), zone)


@dataclass(frozen=True, slots=True)
class Expiry:
    """How long available points last.

    For ever, so many days/months/years, to the next of fixed dates ("MM-DD"), or so many days/months after the member
    last earned or spent.
    """

    mode: Literal["never", "rolling", "calendar", "inactivity"] = "never"
    days: int = 0
    months: int = 0
    years: int = 0
    round_to: PeriodEnd | None = None
    dates: tuple[str, ...] = ()

    def expires_at(self, since: datetime, zone: str) -> datetime | None:
        """The first instant at which points are gone that became available, or were last stirred, at `since`.

        None: never.
        """
        if self.mode == "never":
            return None
        start = calendar.local_date(since, zone)
        last = self._next_date(start) if self.mode == "calendar" else self._last_day_of_term(start)
        return calendar.midnight(calendar.day_after(last), zone)

    def code(self) -> str:
        """These terms as one short text, such as `rolling 12m/year` or `inactivity 90d`; `expiry_from` is the inverse.

        A lot carries it while its date is not fixed.
        """
        term = "".join(
            f"{n}{letter}" for n, letter in ((self.years, "y"), (self.months, "m"), (self.days, "d")) if n
        ) or ",".join(self.dates)
        return f"{self.mode} {term}".strip() + (f"/{self.round_to}" if self.round_to else "")

    def _last_day_of_term(self, start: date) -> date:
        last = calendar.add_months(start, self.months + 12 * self.years) + timedelta(days=self.days)
        return calendar.end_of_period(last, self.round_to) if self.round_to else last

    def _next_date(self, start: date) -> date:
        listed = (
            calendar.day_in_year(year, month_day) for year in (start.year, start.year + 1) for month_day in self.dates
        )
        return min(day for day in listed if day >= start)


@dataclass(frozen=True, slots=True)
class Dates:
    """The instants a lot lives by.

    `pending`: it is not available yet; it will be at `matures_at` or, without one, when an event has happened before
    `deadline_at`. `expiry` is the code of its terms while `expires_at` is not fixed: it waits for its event, or each
    activity moves it.
    """

    pending: bool = False
    matures_at: datetime | None = None
    deadline_at: datetime | None = None
    expires_at: datetime | None = None
    expiry: str | None = None

    def waits(self, now: datetime) -> bool:
        """Whether the points are not available yet at `now`, but may still become so."""
        missed = self.deadline_at is not None and self.deadline_at <= now
        return self.pending and not missed and (self.matures_at is None or self.matures_at > now)

    def lapsed(self, now: datetime) -> bool:
        """Whether the points are gone at `now`, as far as their own dates say."""
        ends = self.deadline_at if self.pending and self.matures_at is None else self.expires_at
        return ends is not None and ends <= now


def dates_of(activation: Activation, expiry: Expiry, earned_at: datetime, zone: str) -> Dates:
    """The dates of points earned at `earned_at`. The clock of the expiry starts when they become available."""
    if activation.mode == "on_event":
        return Dates(pending=True, deadline_at=activation.deadline_at(earned_at, zone), expiry=expiry.code())
    matures_at = activation.matures_at(earned_at, zone)
    pending = matures_at is not None
    if expiry.mode == "inactivity":
        return Dates(pending=pending, matures_at=matures_at, expiry=expiry.code())
    return Dates(pending=pending, matures_at=matures_at, expires_at=expiry.expires_at(matures_at or earned_at, zone))


def expiry_from(code: str) -> Expiry:
    """The terms of `Expiry.code()`."""
    text, _, round_to = code.partition("/")
    mode, _, term = text.partition(" ")
    if mode == "calendar":
        return Expiry(mode="calendar", dates=tuple(term.split(",")))
    names = {"y": "years", "m": "months", "d": "days"}
    lengths: dict[str, Any] = {names[letter]: int(n) for n, letter in re.findall("([0-9]+)([ymd])", term)}
    return Expiry(**{"mode": mode, "round_to": round_to or None, **lengths})
