"""A report as a page: the picture, the tables, and what each number means. Pure, but for the words of a language.

It loads nothing from anywhere and runs no script, so that it can be kept as a file, sent, and printed.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from jinja2 import Environment, StrictUndefined

from loyalty.kpis.domain import Column, Report, Row
from loyalty.kpis.picture import picture
from loyalty.kpis.writing import NUMBERS, cell, change, day, heading, instant

Document = Mapping[str, Any]

_PERIOD = Column("period", "text", "")

_STYLE: Final = """
:root{color-scheme:light dark;--line:#8886}
body{font:15px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#1b1b1b;background:#fff}
h1{margin-bottom:0}.about{margin-top:.2em;opacity:.8}.warning{border-left:4px solid #d55e00;padding-left:.8em}
.wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:bold}
th,td{padding:.25em .7em;border-bottom:1px solid var(--line);text-align:left;white-space:nowrap}
.number{text-align:right}dt{font-weight:bold}dd{margin:0 0 .5em}code{opacity:.7;font-weight:normal}
@media (prefers-color-scheme:dark){body{color:#e8e8e8;background:#16181c}}
@media print{body{max-width:none;margin:0;color:#000;background:#fff}.wide{overflow:visible}
table,svg{break-inside:avoid}tr{break-inside:avoid}}
"""
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

# Nobody keeps it but who asked for it, nothing is loaded, nobody may show it inside a page.
HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{ title }}: {{ program }}</title><style>{{ style|safe }}</style></head>
<body>
<h1>{{ title }}</h1>
<p class="about">{{ program }} · {{ first }} to {{ last }}, by {{ granularity }}, days of {{ time_zone }}
{%- for name, key in filters %} · {{ name }} <b>{{ key }}</b>{% endfor %} · as of {{ as_of }}</p>
<p>{{ summary }}</p>
{% for warning in warnings %}<p class="warning">{{ warning }}</p>
{% endfor %}
<figure>{{ picture|safe }}</figure>
<h2>In all</h2>
<div class="wide"><table><thead><tr><th scope="col">Figure</th><th scope="col" class="number">Value</th>
{%- if previous %}<th scope="col" class="number">{{ previous }}</th>
<th scope="col" class="number">Change</th>{% endif -%}
</tr></thead><tbody>
{% for total in totals %}<tr><th scope="row">{{ total.name }}</th><td class="number">{{ total.value }}</td>
{%- if previous %}<td class="number">{{ total.was }}</td><td class="number">{{ total.change }}</td>{% endif %}</tr>
{% endfor %}</tbody></table></div>
{% for table in tables %}
<h2>{{ table.title }}</h2>
{% if table.rows %}<div class="wide"><table><thead><tr>
{%- for column in table.heads %}
<th scope="col"{% if column.is_number %} class="number"{% endif %}>{{ column.text }}</th>
{%- endfor %}</tr></thead><tbody>
{% for row in table.rows %}<tr>
{%- for value in row %}<td{% if value.is_number %} class="number"{% endif %}>{{ value.text }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div>{% else %}<p>Nothing.</p>{% endif %}
{% endfor %}
<h2>What the numbers mean</h2>
<dl>
{% for name, code, definition in definitions %}<dt>{{ name }} <code>{{ code }}</code></dt><dd>{{ definition }}</dd>
{% endfor %}</dl>
</body></html>
"""
_TEMPLATE: Final = Environment(autoescape=True, undefined=StrictUndefined).from_string(_PAGE)


@dataclass(frozen=True, slots=True)
class _Cell:
    """A head or a value of a table."""

    text: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class _Table:
    """A table: its heads, and its rows of as many cells."""

    title: str
    heads: Sequence[_Cell]
    rows: Sequence[Sequence[_Cell]]


def page(report: Report, document: Document) -> str:
    """The page of what a report said."""
    currency, previous = document["currency"], document.get("previous")
    return _TEMPLATE.render(
        title=report.title,
        summary=report.summary,
        program=document["program"],
        first=day(document["from"]),
        last=day(document["to"] - timedelta(days=1)),
        granularity=document["granularity"],
        time_zone=document["time_zone"],
        filters=list(document["filters"].items()),
        as_of=instant(document["as_of"]),
        warnings=document["warnings"],
        style=_STYLE,
        picture=picture(report, document, alone=False),
        previous=previous and f"{day(previous['from'])} to {day(previous['to'] - timedelta(days=1))}",
        totals=[_total(column, document, previous) for column in report.totals],
        tables=_tables(report, document, currency),
        definitions=_definitions(report),
    )


def _total(column: Column, document: Document, previous: Document | None) -> dict[str, str]:
    name, currency = column.name, document["currency"]
    told = {"name": heading(name), "value": cell(document["totals"][name], column.kind, currency)}
    if previous:
        told["was"] = cell(previous["totals"][name], column.kind, currency)
        told["change"] = change(previous["change"].get(name))
    return told


def _tables(report: Report, document: Document, currency: str) -> list[_Table]:
    title = f"By {document['granularity']}"
    tables = [_table(title, (_PERIOD, *report.columns), document["data"], currency)]
    for name, columns in report.sections.items():
        tables.append(_table(heading(name), columns, document["sections"][name], currency))
    return tables


def _table(title: str, columns: Sequence[Column], rows: Iterable[Row], currency: str) -> _Table:
    return _Table(
        title,
        [_Cell(heading(column.name), column.kind in NUMBERS) for column in columns],
        [
            [_Cell(cell(row[column.name], column.kind, currency), column.kind in NUMBERS) for column in columns]
            for row in rows
        ],
    )


def _definitions(report: Report) -> list[tuple[str, str, str]]:
    """Every figure with its name in the API and what it means; what is the same in all as by period stands once."""
    said = [(heading(column.name), column.name, column.definition) for column in report.columns]
    by_period = {column.name: column.definition for column in report.columns}
    said += [
        (f"In all: {heading(column.name).lower()}", f"totals.{column.name}", column.definition)
        for column in report.totals
        if by_period.get(column.name) != column.definition
    ]
    for section, columns in report.sections.items():
        said += [
            (f"{heading(section)}: {heading(column.name).lower()}", f"{section}.{column.name}", column.definition)
            for column in columns
        ]
    return said
