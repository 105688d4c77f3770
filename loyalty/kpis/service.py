"""Working out a report: what is asked, what was counted, what it comes to, and what it was before."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.db.session import Session
from loyalty.kpis import asking
from loyalty.kpis.domain import Answer, Question, Report, Row
from loyalty.kpis.gathering import sources
from loyalty.programs import queries as programs

Document = dict[str, Any]

NOTHING = "Nothing was counted for {filters} in this time: is that the code?"


def answer(session: Session, program_id: UUID, report: Report, wanted: Mapping[str, Any], *, now: datetime) -> Document:
    """A report as a document. Raises InvalidRequest."""
    asked = asking.question(report, programs.current(session, program_id), wanted, now=now)
    made_of = sources(session, asked, report, now=now)
    found = report.work_out(made_of, asked)
    earlier = asking.before(asked) if wanted["compare"] else None
    was = report.work_out(sources(session, earlier, report, now=now), earlier) if earlier else None
    return {
        "report": report.name,
        "title": report.title,
        "program": asked.program.code,
        "currency": asked.program.currency,
        "time_zone": asked.program.time_zone,
        "from": asked.first,
        "to": asked.last,
        "granularity": asked.granularity,
        "filters": dict(asked.filters),
        "as_of": made_of.rollups.as_of,
        "definitions": definitions(report),
        "totals": found.totals,
        "data": found.data,
        "sections": {name: found.sections.get(name, ()) for name in report.sections},
        "previous": _compared(earlier, was, found) if earlier and was else None,
        "warnings": [*found.warnings, *_unheard(asked, found)],
    }


def definitions(report: Report) -> dict[str, str]:
    """What each number of a report means; those of its further tables by `section.column`.

    A total that means something else than the column of its name is told by `totals.column`, too.
    """
    said = {column.name: column.definition for column in report.columns}
    for column in report.totals:
        if said.setdefault(column.name, column.definition) != column.definition:
            said[f"totals.{column.name}"] = column.definition
    for name, columns in report.sections.items():
        said |= {f"{name}.{column.name}": column.definition for column in columns}
    return said


def _compared(earlier: Question, was: Answer, found: Answer) -> Document:
    change = {name: _change(was.totals[name], now_is) for name, now_is in found.totals.items() if _counts(now_is)}
    return {"from": earlier.first, "to": earlier.last, "totals": was.totals, "change": change}


def _change(was: Any, now_is: float) -> float | None:
    return round(now_is / was - 1, 6) if _counts(was) and was > 0 else None


def _counts(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _unheard(asked: Question, found: Answer) -> list[str]:
    """A filter that nothing answers to may be a slip of the pen."""
    if not asked.filters or _says_anything(found.totals) or any(_says_anything(each) for each in found.data):
        return []
    return [NOTHING.format(filters=" and ".join(f"{name}={key}" for name, key in asked.filters.items()))]


def _says_anything(numbers: Row) -> bool:
    return any(_counts(value) and value for value in numbers.values())
