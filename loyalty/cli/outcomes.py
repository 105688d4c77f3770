"""`loyalty outcomes`."""

import click

from loyalty.cli.runtime import in_application
from loyalty.db.session import reading
from loyalty.outcomes.rebuilding import rebuild as rebuild_all
from loyalty.programs import queries as programs


@click.group()
def outcomes() -> None:
    """What members spent after they were given offers, or had them held out."""


@outcomes.command("rebuild")
@click.option("--program", "code", help="Only this program.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if anything is other than the orders say.")
@in_application
def rebuild(code: str | None, *, check: bool) -> None:
    """Count outcomes anew from orders and offers, and their sums, and correct the rows that are others.

    Safe to interrupt and to run again, beside the service and beside itself.
    """
    with reading() as session:
        codes = [code] if code else programs.codes(session)
        ids = {each: programs.by_code(session, each).program_id for each in codes}
    found = 0
    for each, program_id in ids.items():
        counted = wrong = 0
        for page in rebuild_all(program_id, check=check):
            counted, wrong = counted + page.outcomes, wrong + page.wrong
        told = "would be corrected" if check else "corrected"
        click.echo(f"{each}: {counted:,} outcomes, {wrong:,} {'row' if wrong == 1 else 'rows'} {told}.")
        found += wrong
    if check and found:
        raise click.exceptions.Exit(1)
