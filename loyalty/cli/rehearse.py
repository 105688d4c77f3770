"""`loyalty rehearse`: a draft of earning rules, tried on real orders, as tables."""

from pathlib import Path
from typing import Any

import click
import orjson
from marshmallow import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from loyalty.cli.runtime import in_application
from loyalty.core import clock
from loyalty.core.errors import OperatorError
from loyalty.core.money import written
from loyalty.db.session import reading
from loyalty.programs import queries as programs
from loyalty.programs.domain import Program
from loyalty.rehearsals import service
from loyalty.rehearsals.domain import DAYS, NewRehearsal, Outcome
from loyalty.rehearsals.performing import perform
from loyalty.rehearsals.schemas import DAYS_MAX, NewRehearsalSchema


@click.command()
@click.option("--program", "code", required=True, help="Whose orders.")
@click.option("--days", type=click.IntRange(1, DAYS_MAX), default=DAYS, show_default=True, help="Of the last days.")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@in_application
def rehearse(code: str, days: int, file: Path | None) -> None:
    """Try the stored draft, or the rules of FILE ({"rules": […], "segments": […]}), on real orders.

    Nothing is written. Compares what members would have earned with what they were given.
    """
    new = _wanted(days, file)
    with reading() as session:
        program = programs.by_code(session, code)
        now = clock.real_now() + programs.clock(session, program.program_id).ahead
        rule_set = service.rules_of(service.draft_of(session, program, new, now=now))
    span = service.span_of(new, now=now)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("orders", total=None)

        def told(done: int, total: int) -> bool:
            progress.update(task, completed=done, total=total)
            return True

        outcome = perform(program, rule_set, span, told=told, now=now)
    _show(outcome, program)


def _wanted(days: int, file: Path | None) -> NewRehearsal:
    if file is None:
        return NewRehearsal(days=days)
    try:
        draft = orjson.loads(file.read_bytes())
        wanted: NewRehearsal = NewRehearsalSchema().load({**draft, "days": days})
    except (orjson.JSONDecodeError, TypeError):
        raise OperatorError(f'{file} is not a draft in JSON, such as {{"rules": [], "segments": []}}.') from None
    except ValidationError as error:
        raise OperatorError(f"{file} is not a draft: {_said(error)}.") from None
    return wanted


def _said(error: ValidationError) -> str:
    # Places in lists are numbers.
    return orjson.dumps(error.messages, option=orjson.OPT_NON_STR_KEYS).decode()


def _show(outcome: Outcome, program: Program) -> None:
    result, console = outcome.result, Console()
    console.print(
        f"{result['orders']:,} orders of {result['members']:,} members, {_money(result['revenue'], program)}. "
        f"{result['gain']:,} members gain, {result['lose']:,} lose, {result['stay']:,} stay."
    )
    totals = _table("", "by the draft", "given", "difference")
    for name, compared, shown in (
        ("points", result["points"], _number),
        ("cost", result["cost"], lambda amount: _money(amount, program)),
        *((unit, compared, _number) for unit, compared in result["other_units"].items()),
    ):
        totals.add_row(name, *(shown(compared[column]) for column in ("draft", "given", "difference")))
    console.print(totals)
    console.print(_rules(result, program))
    for name in ("winners", "losers"):
        if result[name]:
            members = _table(name, "given", "by the draft", "difference")
            for each in result[name][:5]:
                numbers = (each["before"], each["after"], each["difference"])
                members.add_row(each["customer_id"], *map(_number, numbers))
            console.print(members)
    for budget in result["budgets"]:
        console.print(f"Budget of {budget['rule']}: {_budget(budget)}")
    for note in result["notes"]:
        console.print(f"- {note}")


def _rules(result: dict[str, Any], program: Program) -> Table:
    rules = _table("rule", "awards", "points", "cost", "of orders", "cut", "mostly refused by")
    for rule in result["rules"]:
        why = next(iter(rule["refused"].items()), None)
        rules.add_row(
            rule["code"],
            _number(rule["awards"]),
            _number(rule["points"]),
            "" if rule["cost"] is None else _money(rule["cost"], program),
            f"{rule['orders_percent']:.1f} %",
            _number(rule["cut"]),
            rule["failures"]["example"] or (f"{why[0]} ({why[1]:,})" if why else ""),
        )
    return rules


def _budget(budget: dict[str, Any]) -> str:
    if budget["ran_out_at"] is not None:
        return f"{budget['budget']:,} points would have run out at {budget['ran_out_at']:%Y-%m-%d %H:%M} UTC."
    lasts = "" if budget["lasts_days"] is None else f"; at this pace it lasts {budget['lasts_days']:,} days"
    return f"{budget['spent']:,} of {budget['budget']:,} points would have been spent{lasts}."


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table


def _number(value: int) -> str:
    return f"{value:,}"


def _money(amount: int, program: Program) -> str:
    return written(amount, program.currency)
