"""`python -m bench.tiers`: what tiers cost when there are many members who stand on them.

Fills a throw-away database with members who bought on some days each and stand where that took them, then measures the
nightly review when some of their validities end, a rehearsal of another ladder, and moving everybody to it; `--seconds`
bounds the last two. The plans of what an order and the review read are printed: they should go by indexes, and touch no
more than is needed.
"""

import argparse
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID

import psycopg
from psycopg.rows import scalar_row

from bench.stage import postgresql, scratch
from loyalty.app import create_app
from loyalty.config import Settings
from loyalty.core import clock
from loyalty.db import migrate
from loyalty.db.session import db, reading, transaction
from loyalty.members import locks
from loyalty.programs import queries as programs
from loyalty.programs import service
from loyalty.programs.domain import NewProgram, Program
from loyalty.rehearsals import ladders
from loyalty.rehearsals.domain import Interrupted
from loyalty.tiers import moving, queries, settlement
from loyalty.tiers import reading as tiers
from loyalty.tiers.models import LadderMoveRow, LadderRow

MEMBER = "('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid"
NOBODY = UUID(int=0)
# Who bought for 50.00 in twelve months is silver, for 90.00 gold; one day is worth 1.00 to 10.00.
TIER = "CASE WHEN n % 10 < 4 THEN 'bronze' WHEN n % 10 < 8 THEN 'silver' ELSE 'gold' END"
SPEND = "(n % 10 + 1) * 1000 / {days}"
# Of those who are not bronze, the first ones are due today.
ENDS = "CASE WHEN n % 10 < 4 THEN NULL WHEN n <= {due} * 10 / 6 THEN current_date ELSE current_date + 30 + n % 300 END"

FILL = (
    f"""INSERT INTO members (member_id, program_id, customer_id, status, enrolled_at, attributes, consents,
            referral_code, version, updated_at)
        SELECT {MEMBER}, '{{program}}', 'c-' || n, 'active', now() - interval '2 years', '{{{{}}}}', '{{{{}}}}',
            'r-' || n, 1, now() FROM generate_series(1, {{members}}) n""",
    f"""INSERT INTO tier_days (member_id, day, ladder_version, spend, points, orders)
        SELECT {MEMBER}, current_date - (k * 300 / {{days}} + n % 30), 1, {SPEND}, {SPEND} / 100, 1
        FROM generate_series(1, {{members}}) n CROSS JOIN generate_series(1, {{days}}) k""",
    f"""INSERT INTO tier_periods (member_id, seq, ladder_version, tier, since, reached_on, day, step, reason)
        SELECT {MEMBER}, 1, 1, 'bronze', now() - interval '2 years', current_date - 730, '0001-01-01', 0, 'enrolled'
        FROM generate_series(1, {{members}}) n""",
    f"""INSERT INTO tier_periods (member_id, seq, ladder_version, tier, since, reached_on, valid_to, held_to, day, step,
            reason)
        SELECT {MEMBER}, 2, 1, {TIER}, now() - interval '200 days', current_date - 200, {ENDS}, {ENDS},
            current_date - 1, 3, 'reached'
        FROM generate_series(1, {{members}}) n WHERE n % 10 >= 4""",
    f"""INSERT INTO tier_grants (member_id, grant_id, kind, tier, since, reason, granted_by, granted_at)
        SELECT {MEMBER}, gen_random_uuid(), 'pinned', 'gold', now() - interval '9 days', 'nice', 'bench', now()
        FROM generate_series(1, {{members}}) n WHERE n % 50 = 9""",
    f"""INSERT INTO tier_standings (member_id, program_id, tier, tier_since, ladder_version, seq, spend, points, orders,
            counts_from, next_change_at)
        SELECT {MEMBER}, '{{program}}', {TIER}, now() - interval '200 days', 1, CASE WHEN n % 10 < 4 THEN 1 ELSE 2 END,
            {SPEND} * {{days}}, {SPEND} / 100 * {{days}}, {{days}},
            coalesce(({ENDS} - interval '1 year 2 days')::date, '9999-12-31'), {ENDS}::timestamptz
        FROM generate_series(1, {{members}}) n""",
)


def a_ladder(silver: int, gold: int) -> dict[str, Any]:
    """A ladder as it is stored."""
    return {
        "basis": "spend", "window": {"mode": "rolling", "months": 12}, "validity": {"mode": "months", "months": 12},
        "downgrade": "full", "tiers": [
            {"code": "bronze", "name": "Bronze", "threshold": 0},
            {"code": "silver", "name": "Silver", "threshold": silver, "benefits": {"multiplier": "1.5"}},
            {"code": "gold", "name": "Gold", "threshold": gold, "benefits": {"multiplier": "2"}},
        ],
    }  # fmt: skip


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.tiers", description=__doc__)
    parser.add_argument("--members", type=int, default=1_000_000, help="who have a standing (default: 1,000,000)")
    parser.add_argument("--days", type=int, default=10, help="on which each of them bought (default: 10)")
    parser.add_argument("--due", type=int, default=5_000, help="whose validity ends today (default: 5,000)")
    parser.add_argument("--seconds", type=float, default=60, help="of moving and of rehearsing, at most (default: 60)")
    arguments = parser.parse_args()
    with ExitStack() as leaving:
        server = leaving.enter_context(postgresql(leaving.enter_context(scratch())))
        url = leaving.enter_context(server.database("tiers"))
        migrate.upgrade(url.replace("postgresql://", "postgresql+psycopg://", 1))
        app = create_app(Settings(database_url=url.replace("postgresql://", "postgresql+psycopg://", 1)))
        leaving.enter_context(app.app_context())
        leaving.callback(db.engine.dispose)
        program = _prepare(url, arguments)
        _order(url, program)
        _review(url, arguments.due)
        _rehearse(program, arguments.seconds)
        _move(program, arguments.seconds)


def _prepare(url: str, arguments: argparse.Namespace) -> Program:
    now = clock.now()
    with transaction() as session:
        program = service.create_program(session, NewProgram(code="tiers"), now=now)
        service.touch(session, program.program_id)
        session.orm.add(LadderRow(program_id=program.program_id, version=1, ladder=a_ladder(5_000, 9_000),
                                  moving="now", published_at=now, published_by="bench"))  # fmt: skip
    began = time.perf_counter()
    sizes = {name: getattr(arguments, name) for name in ("members", "days", "due")}
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in FILL:
            connection.execute(statement.format(program=program.program_id, **sizes).encode())
        connection.execute("VACUUM ANALYZE")
        size = connection.execute("SELECT pg_size_pretty(pg_database_size(current_database()))").fetchone()
    print(f"{arguments.members:,} members of {arguments.days} days each: {size and size[0]}, filled in "
          f"{time.perf_counter() - began:.0f} s.")  # fmt: skip
    with reading() as session:
        return programs.load(session, program.program_id)


def _order(url: str, program: Program) -> None:
    """What an order reads of one member's standing."""
    now = clock.now()
    with reading() as session:
        member_id, enrolled_at = UUID("01900000-0000-7000-8000-000000000fff"), now - timedelta(days=730)
        ladders_of = queries.ladders(session, program)
        asked = [tiers.Asked(member_id, enrolled_at, now)]
        where = tiers.parameters(ladders_of, asked, now=now)
        began = time.perf_counter()
        for _ in range(500):
            tiers.standings(session, ladders_of, asked, now=now)
        took = (time.perf_counter() - began) / 500
    print(f"\nThe standing of one member, for an order: {took * 1e3:.2f} ms")
    _explain(url, tiers._STANDINGS, where)  # noqa: SLF001


def _review(url: str, due: int) -> None:
    """The nightly review, until nobody is due."""
    now = clock.now()
    print(f"\nWho is due ({settlement.BATCH} at once):")
    _explain(url, locks._LOCK_DUE.format(table="tier_standings"), [now, settlement.BATCH])  # noqa: SLF001
    reviewed, batches, began = 0, 0, time.perf_counter()
    with _counting() as sent:
        while True:
            with transaction() as session:
                done = settlement.review_batch(session, now=now)
            if not done:
                break
            reviewed, batches = reviewed + done, batches + 1
    took = time.perf_counter() - began
    with reading() as session:
        evaluations, periods, members = (
            session.row(sql, into=scalar_row) for sql in (
                "SELECT count(*) FROM tier_evaluations", "SELECT count(*) FROM tier_periods WHERE seq > 2",
                "SELECT count(DISTINCT member_id) FROM tier_evaluations")
        )  # fmt: skip
    print(f"The review of {reviewed:,} members (of {due:,}): {took:.1f} s, {reviewed / took:,.0f} members/s, "
          f"{len(sent) / max(1, batches):.1f} statements a batch of {settlement.BATCH}; {evaluations:,} evaluations "
          f"and {periods:,} periods written, of {members:,} members.")  # fmt: skip


def _rehearse(program: Program, seconds: float) -> None:
    """A rehearsal of a ladder that moves many."""
    until, began, last, total_of = time.perf_counter() + seconds, time.perf_counter(), 0, 0

    def told(done: int, total: int) -> bool:
        nonlocal last, total_of, began
        if not done:
            print(f"\nThe members of a rehearsal are counted in {time.perf_counter() - began:.2f} s.")
            began = time.perf_counter()
        last, total_of = done, total
        return time.perf_counter() < until

    draft = ladders.drafted({"ladder": a_ladder(3_000, 8_000), "moving": "now"})
    try:
        ladders.perform(program, draft, told=told, now=clock.now())
    except Interrupted:
        print("(cut off)", end=" ")
    took = time.perf_counter() - began
    print(f"A rehearsal: {last:,} of {total_of:,} members in {took:.1f} s, {last / took:,.0f} members/s.")


def _move(program: Program, seconds: float) -> None:
    """Moving everybody to another ladder."""
    now, moved, first = clock.now(), 0, 0.0
    with transaction() as session:
        service.touch(session, program.program_id)
        which: dict[str, Any] = {"program_id": program.program_id, "version": 2, "effective_from": now}
        session.orm.add(LadderRow(**which, ladder=a_ladder(3_000, 8_000), moving="now", published_at=now,
                                  published_by="bench"))  # fmt: skip
        session.orm.add(LadderMoveRow(**which, after=NOBODY, members_done=0, up=0, down=0))
    began = time.perf_counter()
    with _counting() as sent:
        while time.perf_counter() - began < seconds:
            with transaction() as session:
                done = moving.move_batch(session, now=now)
            if not done:
                break
            first = first or time.perf_counter() - began
            moved += done
    took = time.perf_counter() - began
    print(f"Moving: {moved:,} members in {took:.1f} s, {moved / took:,.0f} members/s, "
          f"{len(sent) / max(1, moved / moving.BATCH):.1f} statements a batch of {moving.BATCH}; "
          f"the first batch, which counts them all, took {first:.2f} s.")  # fmt: skip


@contextmanager
def _counting() -> Iterator[list[bytes]]:
    """The statements that are sent."""
    sent: list[bytes] = []
    execute = psycopg.Cursor.execute

    def noting(cursor: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        sent.append(query)
        return execute(cursor, query, *args, **kwargs)

    with patch.object(psycopg.Cursor, "execute", noting):
        yield sent


def _explain(url: str, sql: str, parameters: Any) -> None:
    """The plan for any parameters, which is what the service uses, executed with these."""
    if isinstance(parameters, dict):
        names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", sql)))
        values = [parameters[name] for name in names]
        sql = re.sub(r"%\((\w+)\)s", lambda found: f"${names.index(found[1]) + 1}", sql)
    else:
        values, numbers = parameters, iter(range(1, 99))
        sql = re.sub("%s", lambda _: f"${next(numbers)}", sql)
    with psycopg.connect(url, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute("SET plan_cache_mode = force_generic_plan")
        connection.execute(f"PREPARE asked AS {sql}".encode())
        marks = ", ".join(["%s"] * len(values))
        explain = f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) EXECUTE asked ({marks})"
        plan = [line for (line,) in connection.execute(explain.encode(), values).fetchall()]
        connection.rollback()
    kept = [line for line in plan if re.search(r"Scan|Buffers|Execution|Rows Removed|Index Cond|Planning", line)]
    print("\n".join(f"  {line}" for line in kept if "never executed" not in line))


if __name__ == "__main__":
    main()
