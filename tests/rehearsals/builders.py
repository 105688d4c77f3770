"""A shop with a few orders, rehearsals that are done at once, and what is written while they are."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from flask import Flask
from procrastinate.periodic import PeriodicDeferrer
from psycopg.rows import dict_row, scalar_row

from loyalty.config import Settings
from loyalty.db.queue import queue
from loyalty.db.session import reading, transaction
from loyalty.db.writer import write
from loyalty.members import service as members
from loyalty.members.domain import NewMember
from loyalty.orders.domain import NewOrder
from loyalty.orders.service import record_order
from loyalty.programs import queries as programs
from loyalty.programs.domain import Program
from loyalty.rehearsals import service
from loyalty.rehearsals.domain import JOB, Span
from loyalty.rehearsals.performing import perform
from loyalty.worker import on_database
from tests.builders import NOW, a_line, an_order

DAY = timedelta(days=1)
LAST_90_DAYS = Span(NOW - 90 * DAY, NOW + timedelta(minutes=1))

# Everything that earning and the ledger write.
TABLES = (
    "entries", "lots", "accounts", "orders", "purchase_histories", "category_histories", "rule_counts", "rule_budgets",
    "earning_rule_drafts", "earning_rule_sets",
)  # fmt: skip


def base(points: str = "1", **given: Any) -> dict[str, Any]:
    """A base rule as it is stored: so many points per 1.00."""
    rule = {"code": "base", "kind": "base", "priority": 1, "points_per": {"amount": 100, "points": points}}
    return {**rule, **given}


def bonus(points: int = 10, **given: Any) -> dict[str, Any]:
    """A bonus as it is stored."""
    return {"code": "bonus", "kind": "bonus", "priority": 2, "points": points, **given}


def enrol(program: Program, *customer_ids: str) -> None:
    """Enrol customers a year ago."""
    new = [NewMember(customer_id=each, enrolled_at=NOW - 365 * DAY) for each in customer_ids]
    with transaction() as session:
        write(session, members.enrol(session, program.program_id, new, now=NOW).changes)


def buy(program: Program, customer_id: str | None, at: datetime, *prices: int, **given: Any) -> NewOrder:
    """Record an order, of one line of 10.00 unless prices are given, when it is placed."""
    lines = [a_line(price, line_id=str(n), category="coffee > beans") for n, price in enumerate(prices or (1_000,))]
    order = an_order(*lines, customer_id=customer_id, placed_at=at, **given)
    with transaction() as session:
        record_order(session, program.program_id, order, now=max(at, NOW))
    return order


def rehearsed(
    program: Program, *rules: dict[str, Any], span: Span = LAST_90_DAYS, segments: tuple[Any, ...] = ()
) -> dict[str, Any]:
    """The result of rehearsing rules."""
    with reading() as session:
        program = programs.load(session, program.program_id)
    rule_set = service.rules_of({"rules": list(rules), "segments": list(segments)})
    return perform(program, rule_set, span, now=NOW + DAY).result


def rule(result: dict[str, Any], code: str) -> dict[str, Any]:
    """What became of one rule."""
    return next(each for each in result["rules"] if each["code"] == code)


def written() -> dict[str, list[Any]]:
    """All rows that are not to change."""
    with reading() as session:
        return {table: sorted(map(str, session.rows(f"SELECT * FROM {table}", into=dict_row))) for table in TABLES}


def one(sql: str, *parameters: Any) -> Any:
    """The value that a statement gives."""
    with transaction() as session:
        return session.row(sql, parameters, into=scalar_row)


def work_off(app: Flask, database_url: str) -> None:
    """A worker that does what was asked for, and goes when there is nothing left to do."""

    async def nothing(_deferrer: PeriodicDeferrer) -> None:
        return

    async def work() -> None:
        async with queue.open_async():
            await queue.run_worker_async(wait=False, install_signal_handlers=False, delete_jobs="successful")

    with (
        on_database(Settings(database_url=database_url)),
        app.app_context(),
        patch.object(PeriodicDeferrer, "worker", nothing),
    ):
        with transaction() as session:
            session.run("DELETE FROM procrastinate_jobs WHERE task_name <> %s", (JOB,))
        asyncio.run(work())
