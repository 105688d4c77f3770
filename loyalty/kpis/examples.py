"""Examples for the contract."""

from collections.abc import Iterable
from typing import Any

from loyalty.kpis.domain import Column, Report

_VALUES: dict[str, Any] = {
    "text": "coffee", "date": "2026-03-01", "count": 120, "share": 0.25, "number": 1.5, "money": 125000, "points": 5000,
    "days": 12.5, "flag": True,
}  # fmt: skip


def example_of(report: Report) -> dict[str, Any]:
    """What a report might say of a month."""
    month = {"from": "2026-03-01", "to": "2026-04-01"}
    totals = _row(report.totals)
    return {
        "report": report.name,
        "title": report.title,
        "program": "demo",
        "currency": "EUR",
        "time_zone": "Europe/Warsaw",
        **month,
        "granularity": "month",
        "filters": {},
        "as_of": "2026-04-02T10:00:00Z",
        "definitions": {column.name: column.definition for column in report.totals},
        "totals": totals,
        "data": [{"period": "2026-03", **month, **_row(report.columns)}],
        "sections": {name: [_row(columns)] for name, columns in report.sections.items()},
        "previous": {
            "from": "2026-02-01", "to": "2026-03-01", "totals": totals,
            "change": {column.name: 0.05 for column in report.totals if column.kind not in ("text", "date", "flag")},
        },
        "warnings": [],
    }  # fmt: skip


def _row(columns: Iterable[Column]) -> dict[str, Any]:
    return {column.name: _VALUES[column.kind] for column in columns}
