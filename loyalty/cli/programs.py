"""`loyalty programs`."""

import re
from zoneinfo import ZoneInfoNotFoundError

import click

from loyalty.cli.runtime import in_application
from loyalty.core import calendar, clock
from loyalty.db.session import reading, transaction
from loyalty.programs import queries, service
from loyalty.programs.domain import NewProgram
from loyalty.web.fields import CODE, CODE_RULE


@click.group()
def programs() -> None:
    """Create and list programs."""


def _code(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not re.fullmatch(CODE, value):
        raise click.BadParameter(CODE_RULE)
    return value


def _currency(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not re.fullmatch(r"[A-Z]{3}", value):
        raise click.BadParameter("Must be an ISO 4217 code such as EUR.")
    return value


def _zone(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    try:
        calendar.zone(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise click.BadParameter('Must be an IANA time zone such as "Europe/Warsaw".') from None
    return value


@programs.command("create")
@click.option("--code", required=True, callback=_code, help="How the program is called by keys and commands.")
@click.option("--name", default="", help="How people call it. Default: the code.")
@click.option("--currency", default="EUR", show_default=True, callback=_currency, help="ISO 4217.")
@click.option("--time-zone", default="UTC", show_default=True, callback=_zone, help="IANA zone of its calendar.")
@click.option("--sandbox", is_flag=True, help="A program to try things in.")
@in_application
def create(code: str, name: str, currency: str, time_zone: str, sandbox: bool) -> None:
    """Create a program with default settings."""
    new = NewProgram(code=code, name=name, currency=currency, time_zone=time_zone, sandbox=sandbox)
    with transaction() as session:
        program = service.create_program(session, new, now=clock.now())
    click.echo(f"Program '{program.code}' in {program.currency}, {program.time_zone}.")


@programs.command("list")
@in_application
def list_() -> None:
    """List the programs' codes, one a line."""
    with reading() as session:
        for code in queries.codes(session):
            click.echo(code)
