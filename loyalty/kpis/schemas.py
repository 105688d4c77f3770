"""Shapes of what reports are asked and of what they say: made from their columns: none says what it does not define."""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields
from marshmallow.validate import OneOf, Range

from loyalty.kpis.domain import Column, Kind, Option, Report, Row
from loyalty.web.fields import EARLIEST, LATEST, Code, Currency, Instant, Text

GRANULARITIES = ("day", "week", "month", "quarter", "year")
FORMATS = ("json", "csv", "html")

_INSTANT = Instant()
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_PERIOD = (
    Column("period", "text", "The period: 2026-03-01, 2026-W10, 2026-03, 2026-Q1 or 2026."),
    Column("from", "date", "The first day of it that counts."),
    Column("to", "date", "The first day that no longer counts."),
)


# What becomes of a cell that says something; texts and days are written as they are.
_WRITTEN: dict[Kind, Callable[[Any], Any]] = {
    "flag": bool, "count": int, "money": int, "points": int,
    "share": float, "number": float, "days": float,
}  # fmt: skip


class Rows(fields.List[Any]):
    """Rows of some columns, written at once: asking a field for each cell takes longer than the report itself."""

    def __init__(self, name: str, means: str, columns: Iterable[Column]) -> None:
        columns = tuple(columns)
        super().__init__(fields.Nested(_row(name, means, columns)), required=True)
        self._writers = [(column.name, _WRITTEN.get(column.kind)) for column in columns]

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> list[Row]:
        return [
            {name: write(row[name]) if write and row[name] is not None else row[name] for name, write in self._writers}
            for row in value
        ]


class Day(fields.Field[Any]):
    """A day of the program's zone, or an instant, which lies in one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date | datetime:
        if isinstance(value, str) and _DAY.fullmatch(value):
            try:
                day = date.fromisoformat(value)
            except ValueError:
                raise ValidationError("Is no day of the calendar.") from None
            if not EARLIEST.date() <= day < LATEST.date():
                raise ValidationError("Must lie between 1970 and 2200.")
            return day
        try:
            instant: datetime = _INSTANT.deserialize(value, attr, data)
        except ValidationError as error:
            if error.messages == ["Must lie between 1970 and 2200."]:
                raise
            raise ValidationError("Must be a day, as 2026-03-01, or an RFC 3339 instant.") from None
        return instant


def question_schema(report: Report) -> Schema:
    """What a report can be asked."""
    made: dict[str, fields.Field[Any]] = {
        "from": Day(
            load_default=None,
            metadata={
                "type": "string",
                "description": "The first day, in the program's zone (an instant: the day it lies in). Default: twelve "
                "months before `to`.",
            },
        ),
        "to": Day(
            load_default=None,
            metadata={
                "type": "string",
                "description": "The first day that no longer counts. Default: tomorrow.",
            },
        ),
        "granularity": fields.String(
            load_default="month", validate=OneOf(GRANULARITIES), metadata={"description": "How time is cut."}
        ),
        "format": fields.String(
            load_default="json", validate=OneOf(FORMATS),
            metadata={"description": "`csv`: the rows of `data`, or of `section`; `html`: a page for people."},
        ),
        "section": fields.String(
            load_default=None, validate=OneOf(tuple(report.sections)),
            metadata={"description": "Which further table `csv` is to be of."},
        ),
        "compare": fields.String(
            load_default=None, validate=OneOf(("previous",)),
            metadata={"description": "Say the totals of the time right before, too."},
        ),
    }  # fmt: skip
    for name in report.filters:
        made[name] = Text(
            most=200, load_default=None, metadata={"description": f"Only what is of this {name}. One filter at a time."}
        )
    for option in report.options:
        made[option.name] = _option(option)
    return _shape(f"{_title(report)}QuestionSchema", f"What the report on {report.name} can be asked.", made)()


def answer_schema(report: Report) -> Schema:
    """What a report says."""
    title = _title(report)
    totals = _row(f"{title}TotalsSchema", "In all.", report.totals)
    sections: dict[str, fields.Field[Any]] = {
        name: Rows(f"{title}{_camel(name)}Schema", f"One row of `{name}`.", columns)
        for name, columns in report.sections.items()
    }
    made: dict[str, fields.Field[Any]] = {
        "report": fields.String(required=True, validate=OneOf((report.name,))),
        "title": fields.String(required=True),
        "program": fields.String(required=True),
        "currency": Currency(required=True),
        "time_zone": fields.String(required=True),
        "from": fields.Date(required=True),
        "to": fields.Date(required=True),
        "granularity": fields.String(required=True, validate=OneOf(GRANULARITIES)),
        "filters": fields.Dict(required=True, metadata={"description": "What it was narrowed to."}),
        "as_of": Instant(required=True, metadata={"description": "What was recorded up to then is in it."}),
        "definitions": fields.Dict(
            keys=fields.String(), values=fields.String(), required=True,
            metadata={"description": "What a `column` means, or `section.column`; `totals.column`, if another."},
        ),
        "totals": fields.Nested(totals, required=True),
        "data": Rows(f"{title}RowSchema", "One row.", (*_PERIOD, *report.columns)),
        "sections": fields.Nested(_shape(f"{title}SectionsSchema", "Further tables.", sections), required=True),
        "previous": fields.Nested(
            _shape(f"{title}PreviousSchema", "The time right before.", _previous(totals)),
            required=True, allow_none=True,
        ),
        "warnings": fields.List(fields.String(), required=True),
    }  # fmt: skip
    return _shape(f"{title}ReportSchema", report.summary, made)()


def _previous(totals: type[Schema]) -> dict[str, fields.Field[Any]]:
    growth = "By what share each total grew since; null where it was nothing."
    return {
        "from": fields.Date(required=True),
        "to": fields.Date(required=True),
        "totals": fields.Nested(totals, required=True),
        "change": fields.Dict(
            keys=fields.String(), values=fields.Float(allow_none=True), required=True, metadata={"description": growth}
        ),
    }  # fmt: skip


def _row(name: str, means: str, columns: Iterable[Column]) -> type[Schema]:
    return _shape(name, means, {column.name: _field(column.kind, column.definition) for column in columns})


def _shape(name: str, means: str, made: dict[str, fields.Field[Any]]) -> type[Schema]:
    """A schema, which the contract describes as any other."""
    schema = Schema.from_dict(made, name=name)
    schema.__doc__ = means
    return schema


def _field(kind: Kind, description: str) -> fields.Field[Any]:
    said: dict[str, Any] = {"required": True, "allow_none": True, "metadata": {"description": description}}
    match kind:
        case "text":
            return fields.String(**said)
        case "date":
            return fields.Date(**said)
        case "flag":
            return fields.Boolean(**said)
        case "count" | "money" | "points":
            return fields.Integer(**said)
        case "share" | "number" | "days":
            return fields.Float(**said)


def _option(option: Option) -> fields.Field[Any]:
    said = {"description": option.description}
    if option.words:
        return fields.String(load_default=option.default, validate=OneOf(option.words), metadata=said)
    if isinstance(option.default, str):
        return Code(load_default=option.default, metadata=said)
    return fields.Integer(load_default=option.default, validate=Range(option.least, option.most), metadata=said)


def _title(report: Report) -> str:
    return f"Kpi{_camel(report.name)}"


def _camel(name: str) -> str:
    return "".join(word.title() for word in name.split("_"))
