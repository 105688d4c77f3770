"""`loyalty config`."""

from datetime import datetime
from typing import Any, BinaryIO
from uuid import UUID

import click
import orjson

from loyalty.cli.runtime import in_application
from loyalty.configuration import documents, queries, service
from loyalty.configuration.domain import Comparison
from loyalty.core import clock
from loyalty.core.errors import DomainError, OperatorError
from loyalty.db.session import Session, reading, transaction
from loyalty.programs import queries as programs

# As diff(1) has it: 0 for the same, 1 for different, 2 for trouble.
DIFFERENT = 1


class Trouble(click.ClickException):
    """What keeps two configurations from being compared."""

    exit_code = 2


@click.group()
def config() -> None:
    """Export, compare and apply the configuration of a program as one JSON document."""


_program = click.option("--program", "code", required=True, help="The program.")


@config.command("export")
@_program
@click.option("--output", type=click.File("wb"), default="-", help="The file to write. Default: standard output.")
@in_application
def export(code: str, output: BinaryIO) -> None:
    """Write the configuration of a program. Keys, secrets and what is left of a stock are no part of it."""
    with reading() as session:
        program_id, now = _of(session, code)
        document = queries.configuration(session, program_id, now=now)
    output.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


@config.command("diff")
@_program
@click.argument("file", type=click.File("rb"))
def diff(code: str, file: BinaryIO) -> None:
    """Say what applying FILE would change. Exits 0 when nothing would, 1 when something would, 2 on trouble."""
    try:
        comparison = _compared(code, file.read())
    except (DomainError, OperatorError) as error:
        raise Trouble(str(error)) from None
    _tell(comparison)
    raise click.exceptions.Exit(DIFFERENT if comparison.changes else 0)


@config.command("apply")
@_program
@click.argument("file", type=click.File("rb"))
@in_application
def apply(code: str, file: BinaryIO) -> None:
    """Make a program as FILE says, all of it or nothing, and say what changed. Safe to run again."""
    wanted = documents.load(file.read())
    with transaction() as session:
        program_id, now = _of(session, code)
        comparison = service.import_configuration(session, program_id, wanted, now=now)
    if comparison.in_force_at is not None:
        # Whoever exports right after this finds what was applied.
        clock.wait_until(comparison.in_force_at)
    _tell(comparison)
    count = len(comparison.changes)
    click.echo(f"{count} {'change' if count == 1 else 'changes'} applied.", err=True)


@in_application
def _compared(code: str, text: bytes) -> Comparison:
    wanted = documents.load(text)
    with reading() as session:
        program_id, now = _of(session, code)
        return queries.comparison(session, program_id, wanted, now=now)


def _of(session: Session, code: str) -> tuple[UUID, datetime]:
    """The program's id, and what time it is there."""
    program_id = programs.by_code(session, code).program_id
    return program_id, clock.real_now() + programs.clock(session, program_id).ahead


def _tell(comparison: Comparison) -> None:
    for change in comparison.changes:
        said = {"add": f"{_json(change.after)}", "remove": f"{_json(change.before)}"}
        what = said.get(change.action, f"{_json(change.before)} -> {_json(change.after)}")
        click.echo(f"{change.action} {change.path}: {what}")
    if comparison.kept:
        click.echo(f"Not named, and left as they are: {', '.join(comparison.kept)}.", err=True)


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
