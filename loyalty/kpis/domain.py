"""Questions and answers: what a report is asked, what it is made of, and what it says. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from loyalty.programs.domain import Program
from loyalty.rollups.domain import Rollups

Granularity = Literal["day", "week", "month", "quarter", "year"]
Kind = Literal["text", "date", "count", "share", "number", "money", "points", "days", "flag"]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A number that a report says, or what it is about.

    `kind`: "count", "points" and "money" (minor units) are whole; "share" is between 0 and 1 (or a ratio), "number" and
    "days" are decimal; these are rounded to six places, and null where there is nothing to divide by. `definition` is
    the sentence that goes with the answer.
    """

    name: str
    kind: Kind
    definition: str


@dataclass(frozen=True, slots=True)
class Option:
    """What a report can be asked beside its time and filter: a whole number of a range, or one of some words."""

    name: str
    default: int | str
    description: str
    least: int = 1
    most: int = 1
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Period:
    """One row's time: half-open days of the program's zone. `label`: 2026-03-01, 2026-W10, 2026-03, 2026-Q1, 2026."""

    label: str
    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: days from `first` until before `last`, cut into `periods`; at most one filter, by dimension."""

    program: Program
    first: date
    last: date
    granularity: Granularity
    periods: tuple[Period, ...]
    filters: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    now: datetime


@dataclass(frozen=True, slots=True)
class Sources:
    """What reports are made of."""

    rollups: Rollups
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a report says: in all, by period (and what else its rows are by), in further tables, and warnings."""

    totals: Row
    data: Sequence[Row]
    sections: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report: what it is called, by what it can be filtered, its columns, and how it is worked out.

    Each row of `data` begins with `period`, `from` and `to`, which are not among `columns`. `sections` are further
    tables of the answer. `plot` names the columns that a picture shows, by period; `needs` what of `Sources.more` it
    reads.
    """

    name: str
    title: str
    summary: str
    filters: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    columns: tuple[Column, ...]
    totals: tuple[Column, ...]
    sections: Mapping[str, tuple[Column, ...]] = field(default_factory=dict)
    plot: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    work_out: Callable[[Sources, Question], Answer]


def row(period: Period, **numbers: Any) -> Row:
    """One row of `data`."""
    return {"period": period.label, "from": period.first, "to": period.last, **numbers}


def ratio(part: float, whole: float) -> float | None:
    """Part of a whole, to six places; None if there is no whole."""
    return round(part / whole, 6) if whole else None
