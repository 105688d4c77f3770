"""`loyalty features`."""

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from loyalty.cli.runtime import in_application
from loyalty.core import clock
from loyalty.core.errors import OperatorError
from loyalty.db.session import reading
from loyalty.learning import counting
from loyalty.programs import queries as programs


@click.group()
def features() -> None:
    """Count anew what is known of how members buy."""


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
