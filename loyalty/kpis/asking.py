"""From what was sent to a question: days of the program's zone, cut into periods. Pure but for what it refuses."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from loyalty.core import calendar
from loyalty.core.errors import InvalidRequest
from loyalty.kpis.domain import Granularity, Question, Report
from loyalty.kpis.periods import beginning, periods, previous
from loyalty.programs.domain import Program

# So many rows make a picture that people still read: three years by day.
PERIODS_MAX = 1_100
YEARS_MAX = 20

_A_DAY = timedelta(days=1)
# How far back a report looks that nobody told where to begin.
_MONTHS_BACK = 11


def question(report: Report, program: Program, wanted: Mapping[str, Any], *, now: datetime) -> Question:
    """What is asked of a report. Without `to`, up to and with today; without `from`, the last twelve months of it.

    Raises InvalidRequest.
    """
    granularity: Granularity = wanted["granularity"]
    zone = program.time_zone
    last = local_day(wanted["to"], zone, ends=True) or calendar.local_date(now, zone) + _A_DAY
    first = local_day(wanted["from"], zone) or calendar.add_months(beginning(last - _A_DAY, "month"), -_MONTHS_BACK)
    _check(first, last)
    cut = periods(first, last, granularity)
    if len(cut) > PERIODS_MAX:
        detail = (
            f"Gives {len(cut)} periods; at most {PERIODS_MAX} fit: ask for a shorter time, or a coarser granularity."
        )
        raise InvalidRequest([{"pointer": "granularity", "detail": detail}])
    filters = {name: wanted[name] for name in report.filters if wanted[name] is not None}
    if len(filters) > 1:
        *_, surplus = filters
        detail = f"Only one filter at a time: {' or '.join(filters)}."
        raise InvalidRequest([{"pointer": surplus, "detail": detail}])
    options = {option.name: wanted[option.name] for option in report.options}
    return Question(
        program=program, first=first, last=last, granularity=granularity, periods=cut, filters=filters,
        options=options, now=now,
    )  # fmt: skip


def local_day(value: date | datetime | None, zone: str, *, ends: bool = False) -> date | None:
    """A day that was asked for, in the program's zone. Time that `ends` within a day goes on to its end."""
    if not isinstance(value, datetime):
        return value
    day = calendar.local_date(value, zone)
    return day + _A_DAY if ends and value > calendar.midnight(day, zone) else day


def before(asked: Question) -> Question:
    """The same question about the time right before: as many days, or as many whole months."""
    first, last = previous(asked.first, asked.last, asked.granularity)
    return replace(asked, first=first, last=last, periods=periods(first, last, asked.granularity))


def _check(first: date, last: date) -> None:
    if first >= last:
        detail = f"Must be later than `from` ({first}); the day itself no longer counts."
        raise InvalidRequest([{"pointer": "to", "detail": detail}])
    if last > calendar.add_months(first, 12 * YEARS_MAX):
        raise InvalidRequest([{"pointer": "from", "detail": f"At most {YEARS_MAX} years fit into a report."}])
