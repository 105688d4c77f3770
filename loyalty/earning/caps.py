"""How much a rule may still give: caps, and the periods in which it is counted what it gave. Pure."""

from datetime import datetime, timedelta

from loyalty.core import calendar
from loyalty.earning.domain import Count, Facts
from loyalty.earning.rules import EarningRule, Period

NOT_YET = Count()


def period_key(period: Period, local: datetime) -> str:
    """The calendar period that contains an instant of the program's zone: "2026-03-01", "2026-W09", "ever"."""
    match period:
        case "day":
            return local.date().isoformat()
        case "week":
            year, week, _ = local.isocalendar()
            return f"{year}-W{week:02}"
        case "month":
            return f"{local.year}-{local.month:02}"
        case "quarter":
            return f"{local.year}-Q{(local.month + 2) // 3}"
        case "year":
            return str(local.year)
        case "ever":
            return "ever"


def next_period(period: Period, local: datetime) -> datetime | None:
    """The first instant after the period, in UTC."""
    today = local.date()
    match period:
        case "day":
            begin = calendar.day_after(today)
        case "week":
            begin = today + timedelta(days=7 - today.weekday())
        case "month" | "quarter" | "year":
            begin = calendar.day_after(calendar.end_of_period(today, period))
        case "ever":
            return None
    return calendar.midnight(begin, str(local.tzinfo))


def count_of(facts: Facts, rule: EarningRule, period: Period, local: datetime) -> Count:
    """What the rule gave the member in the period so far."""
    return facts.counts.get((rule.code, period_key(period, local)), NOT_YET)


def room(rule: EarningRule, facts: Facts, local: datetime) -> tuple[int, str, int] | None:
    """The tightest cap of a rule: how many points are left, which cap it is, and its limit. None: no cap at all.

    A program's budget counts as far as it is known to be short.
    """
    caps = rule.caps
    rooms: list[tuple[int, str, int]] = []
    if caps.per_order is not None:
        rooms.append((caps.per_order, "per_order", caps.per_order))
    for period, limit in caps.per_member:
        rooms.append((max(0, limit - count_of(facts, rule, period, local).points), period, limit))
    if caps.budget is not None and (left := facts.budgets.get(rule.code)) is not None:
        rooms.append((max(0, left), "budget", caps.budget))
    return min(rooms, key=lambda found: found[0], default=None)
