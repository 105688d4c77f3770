"""`loyalty features`."""

import gc
from uuid import UUID

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from loyalty.cli.runtime import in_application
from loyalty.core import clock
from loyalty.core.errors import OperatorError
from loyalty.db.session import reading, transaction
from loyalty.learning import counting
from loyalty.learning.rebuilding import rebuild_page
from loyalty.programs import queries as programs

# Looking for garbage among the rows of members, which are all freed without, takes a third of the time.
ALLOCATIONS_BETWEEN_COLLECTIONS = 1_000_000


@click.group()
def features() -> None:
    """Build and count anew what is known of how members buy."""


@features.command("rebuild")
@click.option("--program", "code", help="Only this program.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if anything is other than the orders say.")
@in_application
def rebuild(code: str | None, *, check: bool) -> None:
    """Build features anew from orders, returns and redemptions, and correct the rows that are others.

    Safe to interrupt and to run again, beside the service and beside itself.
    """
    with reading() as session:
        codes = [code] if code else programs.codes(session)
        ids = {each: programs.by_code(session, each).program_id for each in codes}
    found, thresholds = 0, gc.get_threshold()
    gc.set_threshold(ALLOCATIONS_BETWEEN_COLLECTIONS)
    for each, program_id in ids.items():
        members, wrong = _rebuild(program_id, check=check)
        told = "would be corrected" if check else "corrected"
        click.echo(f"{each}: {members:,} members, {wrong:,} {'row' if wrong == 1 else 'rows'} {told}.")
        found += wrong
    gc.set_threshold(*thresholds)
    if check and found:
        raise click.exceptions.Exit(1)


def _rebuild(program_id: UUID, *, check: bool) -> tuple[int, int]:
    members = wrong = 0
    last: UUID | None = None
    while True:
        with transaction() as session:
            page = rebuild_page(session, program_id, last, check=check)
        if page is None:
            return members, wrong
        members, wrong, last = members + page.members, wrong + page.wrong, page.last


@features.command("count")
@click.option("--program", "code", required=True, help="Whose members.")
@in_application
def count(code: str) -> None:
    """Count what members buy all together now, rather than at night: reach, trends, and what is bought together.

    Safe to interrupt and to run again, beside the service; until it is finished the count before it is used.
    """
    with reading() as session:
        program_id = programs.by_code(session, code).program_id
        now = clock.real_now() + programs.clock(session, program_id).ahead
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("members", total=None)

        def told(stage: str, done: int, total: int) -> bool:
            progress.update(task, description=stage, completed=done, total=total)
            return True

        version = counting.count(program_id, told=told, now=now)
    if version is None:
        raise OperatorError("A worker is counting this program already.")
    click.echo(f"Version {version} is in use.")
