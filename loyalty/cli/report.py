"""`loyalty report`: what the program earns, as a table, a page or a picture, without a key."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import orjson
from marshmallow import ValidationError

from loyalty.cli.runtime import in_application
from loyalty.core import clock
from loyalty.core.errors import OperatorError
from loyalty.db.session import reading
from loyalty.kpis import service, table
from loyalty.kpis.catalogue import REPORTS
from loyalty.kpis.domain import Report
from loyalty.kpis.page import page
from loyalty.kpis.picture import picture
from loyalty.kpis.schemas import FORMATS, GRANULARITIES, answer_schema, question_schema
from loyalty.programs import queries as programs

_BY_NAME = {report.name: report for report in REPORTS}
_PAGES = (".html", ".htm")


def _drawable(_context: click.Context, _parameter: click.Parameter, file: Path | None) -> Path | None:
    if file is not None and file.suffix not in (".svg", *_PAGES):
        raise click.BadParameter(
            f"a picture is drawn as SVG, or stands in a page: name a file that ends in .svg or .html, not {file.name}."
        )
    return file


@click.command()
@click.argument("name", type=click.Choice(list(_BY_NAME)))
@click.option("--program", "code", required=True, help="Of which program.")
@click.option("--from", "first", help="The first day. Default: twelve months before --to.")
@click.option("--to", "last", help="The first day that no longer counts. Default: tomorrow.")
@click.option("--granularity", type=click.Choice(GRANULARITIES), help="How time is cut.  [default: month]")
@click.option(
    "--filter",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="What the report is narrowed to, or any other of its parameters: tier=gold, active_days=30, compare=previous.",
)
@click.option("--format", "kind", type=click.Choice(FORMATS), help="[default: json; nothing, with --plot]")
@click.option(
    "--plot",
    callback=_drawable,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the picture to this file, too: .svg, or .html for a page with tables.",
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the report to this file, not to the terminal."
)  # fmt: skip
@in_application
def report(name: str, code: str, kind: str | None, plot: Path | None, out: Path | None, **asked: Any) -> None:
    """Work out the report NAME of a program.

    The same numbers as GET /v1/reports/NAME.
    """
    found = _BY_NAME[name]
    wanted = _wanted(found, **asked, kind=kind)
    with reading() as session:
        program = programs.by_code(session, code)
        now = clock.real_now() + programs.clock(session, program.program_id).ahead
        document = service.answer(session, program.program_id, found, wanted, now=now)
    if plot is not None:
        _write(plot, [page(found, document) if plot.suffix in _PAGES else picture(found, document)])
    if out is not None:
        _write(out, _written(found, document, wanted))
    elif kind is not None or plot is None:
        for part in _written(found, document, wanted):
            click.echo(part, nl=False)


def _wanted(
    found: Report,
    *,
    first: str | None,
    last: str | None,
    granularity: str | None,
    given: Iterable[str],
    kind: str | None,
) -> dict[str, Any]:
    """What is asked, as the API understands it."""
    said: dict[str, Any] = {"from": first, "to": last, "granularity": granularity, "format": kind}
    for each in given:
        name, is_one, value = each.partition("=")
        if not is_one:
            raise OperatorError(f"'{each}' is no filter; write NAME=VALUE, such as tier=gold.")
        said[name] = value
    try:
        wanted: dict[str, Any] = question_schema(found).load(
            {name: value for name, value in said.items() if value is not None}
        )
    except ValidationError as error:
        told = orjson.dumps(error.messages).decode()
        raise OperatorError(f"The report '{found.name}' cannot be asked that: {told}.") from None
    return wanted


def _written(found: Report, document: service.Document, wanted: dict[str, Any]) -> Iterable[str]:
    if wanted["format"] == "csv":
        section = wanted["section"]
        return table.lines(
            table.columns_of(found, section), document["sections"][section] if section else document["data"]
        )
    if wanted["format"] == "html":
        return [page(found, document)]
    told = answer_schema(found).dump(document)
    return [orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()]


def _write(file: Path, text: Iterable[str]) -> None:
    try:
        with file.open("w", encoding="utf-8", newline="") as out:
            out.writelines(text)
    except OSError as error:
        raise OperatorError(f"{file} cannot be written: {error.strerror}.") from None
    click.echo(f"Written: {file}", err=True)
