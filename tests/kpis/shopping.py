"""Rollups of purchases that a test makes up, as the follower of the log would count them."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from loyalty.core.ids import new_id
from loyalty.kpis.domain import Answer, Question, Report, Sources
from loyalty.kpis.periods import periods
from loyalty.programs.domain import Program
from loyalty.rollups.deltas import Counted, Deltas
from loyalty.rollups.domain import Dimension, SetPlace, starts_of

BEGIN = date(2026, 1, 1)
NOW = datetime(2027, 1, 1, tzinfo=UTC)
PROGRAM = Program(
    program_id=new_id(), code="shop", name="Shop", currency="EUR", time_zone="Europe/Vilnius", locale="lt",
    sandbox=False, version=1, config_version=1,
)  # fmt: skip

# A member's number, and the day.
Did = tuple[int, date]
By = tuple[tuple[Dimension, str], ...]


def on(day: int, begin: date = BEGIN) -> date:
    """A day, so many after the beginning."""
    return begin + timedelta(days=day)


def bought(deltas: Deltas, purchases: Iterable[Did], *, cents: int = 1000, by: By = ()) -> Deltas:
    """Count orders: sums, who bought, and who did more than once within a span."""
    often: Counter[Any] = Counter()
    for member, day in purchases:
        deltas.add("orders", 1, day, by=by)
        deltas.add("sales", cents, day, by=by)
        deltas.put("buyers", member, day, by=by)
        for span, starts in starts_of(day):
            often[member, span, starts] += 1
            if often[member, span, starts] > 1:
                for dimension, key in (("all", ""), *by):
                    deltas.sets[SetPlace("repeaters", dimension, key, span, starts)].add(member)
    return deltas


def did(deltas: Deltas, name: str, things: Iterable[Did]) -> Deltas:
    """Put members into a set."""
    for member, day in things:
        deltas.put(name, member, day, by=())
    return deltas


def asked(
    report: Report,
    deltas: Deltas,
    first: date,
    last: date,
    granularity: Any = "month",
    *,
    more: Any = None,
    **options: Any,
) -> Answer:
    """Work out a report; a filter is given as `filters`."""
    filters = options.pop("filters", {})
    question = Question(
        program=PROGRAM, first=first, last=last, granularity=granularity, periods=periods(first, last, granularity),
        filters=filters, options=options, now=NOW,
    )  # fmt: skip
    answer = report.work_out(Sources(Counted(deltas, NOW), more or {}), question)
    keeps_its_word(report, answer)
    return answer


def keeps_its_word(report: Report, answer: Answer) -> None:
    """An answer has the columns that the report has, and no others."""
    assert set(answer.totals) == {column.name for column in report.totals}
    for row in answer.data:
        assert list(row) == ["period", "from", "to", *(column.name for column in report.columns)]
    assert answer.sections.keys() == report.sections.keys()
    for name, rows in answer.sections.items():
        for row in rows:
            assert list(row) == [column.name for column in report.sections[name]], name
