"""What the program earns: one operation for each report."""

from collections.abc import Callable
from typing import Any

from flask import Response, g

from loyalty.core import clock
from loyalty.db.session import Session
from loyalty.kpis import service, table
from loyalty.kpis.catalogue import REPORTS
from loyalty.kpis.domain import Report
from loyalty.kpis.examples import example_of
from loyalty.kpis.schemas import answer_schema, question_schema
from loyalty.web.blueprints import Blueprint, reads

bp = Blueprint("kpis", __name__, url_prefix="/v1/reports", description="What the program earns.")

_TEXT = {"type": "string"}

View = Callable[..., Any]


def _as_json(_report: Report, document: service.Document, _wanted: dict[str, Any]) -> service.Document:
    return document


def _as_csv(report: Report, document: service.Document, wanted: dict[str, Any]) -> Response:
    section = wanted["section"]
    rows = document["sections"][section] if section else document["data"]
    name = f"{report.name}-{section}" if section else report.name
    return Response(
        table.lines(table.columns_of(report, section), rows),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}-{document["from"]}-{document["to"]}.csv"'},
    )


_FORMATS: dict[str, Callable[[Report, service.Document, dict[str, Any]], Any]] = {"json": _as_json, "csv": _as_csv}


def _read(report: Report) -> View:
    """The view of a report."""

    def view(session: Session, wanted: dict[str, Any]) -> Any:
        document = service.answer(session, g.caller.program_id, report, wanted, now=clock.now())
        return _FORMATS[wanted["format"]](report, document, wanted)

    view.__name__, view.__doc__ = f"read_{report.name}_report", f"{report.title}.\n\n{report.summary}"
    return view


for each in REPORTS:
    made = bp.alt_response(200, schema=_TEXT, content_type="text/csv", success=True)(_read(each))
    made = bp.response(200, answer_schema(each), example=example_of(each))(made)
    made = bp.arguments(question_schema(each), location="query")(made)
    bp.get(f"/{each.name}")(bp.refuses()(reads(made)))
