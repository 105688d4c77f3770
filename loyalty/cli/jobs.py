"""`loyalty jobs`."""

import re
from datetime import UTC, timedelta

import click
import orjson
from rich.console import Console
from rich.table import Table

from loyalty.cli.runtime import in_application
from loyalty.db import queued
from loyalty.db.session import reading
from loyalty.worker import ON_REQUEST, SCHEDULE

# Times at which jobs are run, in the words of people; others stay as they are.
_WORDS = (
    (r"\* \* \* \* \*", "every minute"),
    (r"\*/(?P<minutes>\d+) \* \* \* \*", "every {minutes} minutes"),
    (r"(?P<minute>\d+) \* \* \* \*", "hourly, at :{minute:0>2}"),
    (r"(?P<minute>\d+) (?P<hour>\d+) \* \* \*", "daily, at {hour:0>2}:{minute:0>2}"),
)


@click.group()
def jobs() -> None:
    """Look after the background jobs: when each is run, what waits, what failed."""


@jobs.command("schedule")
def schedule() -> None:
    """Say what is done by itself, and when (UTC)."""
    table = _table("job", "when (UTC)", "what it does")
    for row in scheduled():
        table.add_row(*row)
    Console().print(table)


@jobs.command("list")
@in_application
def list_() -> None:
    """Count the jobs that wait, run or have failed, by name, and say how long the oldest has waited."""
    with reading() as session:
        counts, seen = queued.counts(session), queued.seconds_since_a_worker(session)
    table = _table("job", "waiting", "running", "failed", "oldest waits for")
    for each in counts:
        oldest = "" if each.oldest_seconds is None else f"{each.oldest_seconds:,.0f} s"
        table.add_row(each.job, f"{each.waiting:,}", f"{each.running:,}", f"{each.failed:,}", oldest)
    Console().print(table if counts else "No job waits, runs or has failed.")
    click.echo("No worker is running." if seen is None else f"A worker was there {seen:,.0f} seconds ago.")


@jobs.command("failed")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="So many at most.")
@in_application
def failed(limit: int) -> None:
    """List the jobs that failed in the last week, newest first.

    Why one failed, the log says: look for its id in the lines with "event":"job.failed".
    """
    with reading() as session:
        found = queued.failed(session, limit=limit)
    table = _table("id", "job", "failed at (UTC)", "tries", "arguments")
    for each in found:
        arguments = orjson.dumps(each.arguments).decode()
        at = each.failed_at.astimezone(UTC)
        table.add_row(str(each.id), each.job, f"{at:%Y-%m-%d %H:%M:%S}", str(each.tries), arguments)
    Console().print(table if found else "No job has failed.")


@jobs.command("retry")
@click.argument("job_id", metavar="[ID]", type=int, required=False)
@click.option("--all", "every", is_flag=True, help="All that failed.")
@in_application
def retry(job_id: int | None, every: bool) -> None:
    """Put the failed job ID, or --all of them, back into the queue. Any job may be run again."""
    if (job_id is None) is not every:
        raise click.UsageError("Name one job by its id, or --all.")
    with reading() as session:
        ids = [job_id] if job_id is not None else queued.failed_ids(session)
    for each in ids:
        put_back = queued.retry(each) == "retried"
        click.echo(f"{each}: {'waits again' if put_back else 'the next of its kind waits already'}.")


def scheduled() -> list[tuple[str, str, str]]:
    """Every job: its name, when it is run, and what it does."""
    regular = [(name, in_words(when), what) for name, when, _, what in SCHEDULE]
    return regular + [(name, "when asked for", what) for name, _, what in ON_REQUEST]


def in_words(when: str | timedelta) -> str:
    """`17 3 * * *` -> `daily, at 03:17`."""
    if isinstance(when, timedelta):
        return f"every {when.seconds} seconds"
    for pattern, words in _WORDS:
        if found := re.fullmatch(pattern, when):
            return words.format(**found.groupdict())
    return when


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(name)
    return table
