"""What a report said, made up for pictures and pages."""

from datetime import UTC, date, datetime
from typing import Any

from loyalty.kpis.domain import Answer, Column, Report
from loyalty.kpis.periods import periods

COLUMNS = (
    Column("orders", "count", "How many orders were placed."),
    Column("revenue", "money", "What they came to."),
    Column("repeat_share", "share", "Who came back."),
)


def a_report(**more: Any) -> Report:
    """A report of three figures, which shows the first two."""
    known: dict[str, Any] = {
        "name": "sales", "title": "Sales", "summary": "What was sold.", "columns": COLUMNS, "totals": COLUMNS,
        "plot": ("orders", "revenue"), "work_out": lambda _sources, _question: Answer({}, ()),
    }  # fmt: skip
    return Report(**(known | more))


def said(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What it said: a row for each month of 2026 from January on, or as many as are given for a month."""
    months = periods(date(2026, 1, 1), date(2027, 1, 1), "month")
    numbers = {"orders": 0, "revenue": 0, "repeat_share": None}
    data = [
        {"period": month.label, "from": month.first, "to": month.last, **numbers, **row}
        for month, row in zip(months, rows, strict=False)
    ]
    known: dict[str, Any] = {
        "report": "sales", "title": "Sales", "program": "demo", "currency": "EUR", "time_zone": "Europe/Helsinki",
        "from": date(2026, 1, 1), "to": months[max(len(rows), 1) - 1].last, "granularity": "month", "filters": {},
        "as_of": datetime(2026, 7, 1, 12, 5, tzinfo=UTC), "definitions": {}, "totals": numbers, "data": data,
        "sections": {}, "previous": None, "warnings": [],
    }  # fmt: skip
    return known | more
