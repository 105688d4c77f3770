"""A report as CSV, one line at a time. Pure."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from loyalty.kpis.domain import Column, Report, Row

_PERIOD = ("period", "from", "to")
# A spreadsheet takes a text that begins so for a formula, and channels are what callers call them.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Line:
    """Takes what a CSV writer writes."""

    text = ""

    def write(self, text: str) -> None:
        """Keep a line."""
        self.text = text


def columns_of(report: Report, section: str | None) -> tuple[str, ...]:
    """The head of the table: that of `data`, or of a section."""
    if section is None:
        return (*_PERIOD, *_names(report.columns))
    return _names(report.sections[section])


def lines(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """The lines, the head first, as RFC 4180 has them. Nothing is empty, as null is in JSON."""
    line = _Line()
    writer = csv.writer(line)
    writer.writerow(columns)
    yield line.text
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in columns])
        yield line.text


def _names(columns: Iterable[Column]) -> tuple[str, ...]:
    return tuple(column.name for column in columns)


def _cell(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
