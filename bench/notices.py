"""`python -m bench.notices`: what it costs to tell members of points that lapse, when there are many members.

Fills a throw-away database with members who hold points, some of which lapse within the day that a lead time has just
reached, most on other days; then runs the job until all are told, and once more when nothing is left to tell. The plan
of its search is printed: it should read by index what is due, and nothing else.
"""

import argparse
import time
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import scalar_row

from bench.stage import postgresql, scratch
from bench.tiers import MEMBER, _counting, _explain
from loyalty.app import create_app
from loyalty.config import Settings
from loyalty.core import clock
from loyalty.db import migrate
from loyalty.db.session import db, reading, transaction
from loyalty.notifications import expiring, sweeping
from loyalty.programs import service
from loyalty.programs.domain import NewProgram, Program

# Of those who are due, one in ten holds points that lapse if nothing happens; so do as many of the others.
IDLE = "n % 10 = 0"
# Those who are due are so at one midnight, as at the end of a month; the others on one of 300 later days.
AT = "'{due_at}'::timestamptz + CASE WHEN n <= {due} THEN 0 ELSE n % 300 + 1 END * interval '1 day'"

FILL = (
    f"""INSERT INTO members (member_id, program_id, customer_id, status, enrolled_at, attributes, consents,
            referral_code, version, updated_at)
        SELECT {MEMBER}, '{{program}}', 'c-' || n, 'active', now() - interval '2 years', '{{{{}}}}', '{{{{}}}}',
            'r-' || n, 1, now() FROM generate_series(1, {{members}}) n""",
    f"""INSERT INTO accounts (member_id, unit, program_id, available, pending, held, debt, lifetime_earned,
            lifetime_spent, last_seq, latest_at, known_at, next_change_at, idle)
        SELECT {MEMBER}, 'points', '{{program}}', 120, 0, 0, 0, 120, 0, 1, now(), now(), {AT},
            CASE WHEN {IDLE} THEN jsonb_build_object('e1', jsonb_build_object('at', {AT}, 'points', 120))
            ELSE '{{{{}}}}' END
        FROM generate_series(1, {{members}}) n""",
    f"""INSERT INTO upcoming (member_id, unit, at, maturing, expiring)
        SELECT {MEMBER}, 'points', {AT}, 0, 120 FROM generate_series(1, {{members}}) n WHERE NOT ({IDLE})""",
)


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.notices", description=__doc__)
    parser.add_argument("--members", type=int, default=1_000_000, help="who hold points (default: 1,000,000)")
    parser.add_argument("--due", type=int, default=50_000, help="who are to be told (default: 50,000)")
    arguments = parser.parse_args()
    with ExitStack() as leaving:
        server = leaving.enter_context(postgresql(leaving.enter_context(scratch())))
        url = leaving.enter_context(server.database("notices"))
        migrate.upgrade(url.replace("postgresql://", "postgresql+psycopg://", 1))
        app = create_app(Settings(database_url=url.replace("postgresql://", "postgresql+psycopg://", 1)))
        leaving.enter_context(app.app_context())
        leaving.callback(db.engine.dispose)
        now = clock.now()
        program = _prepare(url, arguments, now)
        _tell(arguments.due, now)
        _plan(url, program, now)


def _prepare(url: str, arguments: argparse.Namespace, now: datetime) -> Program:
    with transaction() as session:
        program = service.create_program(session, NewProgram(code="notices"), now=now)
    began = time.perf_counter()
    due_at = (now + timedelta(days=30)).replace(minute=0, second=0, microsecond=0)
    sizes: dict[str, Any] = {"members": arguments.members, "due": arguments.due, "due_at": due_at}
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in FILL:
            connection.execute(statement.format(program=program.program_id, **sizes).encode())
        connection.execute("VACUUM ANALYZE")
        size = connection.execute("SELECT pg_size_pretty(pg_database_size(current_database()))").fetchone()
    print(f"{arguments.members:,} members: {size and size[0]}, filled in {time.perf_counter() - began:.0f} s.")
    return program


def _tell(due: int, now: datetime) -> None:
    """The job, until all are told; and the job that finds nothing."""
    for what in ("All notices that are due", "Once more"):
        told, batches, began = 0, 0, time.perf_counter()
        with _counting() as sent:
            while True:
                with transaction() as session:
                    done = sweeping.sweep_batch(session, now=now)
                batches += 1
                if not done:
                    break
                told += done
        took = time.perf_counter() - began
        with reading() as session:
            queued = session.row("SELECT count(*) FROM messages", into=scalar_row)
        print(f"{what}: {told:,} (of {due:,}) found in {took:.2f} s, {told / took:,.0f}/s, {batches} batches, "
              f"{len(sent) / batches:.1f} statements each; {queued:,} messages are queued.")  # fmt: skip


def _plan(url: str, program: Program, now: datetime) -> None:
    """What the search reads for the first batch of a lead time."""
    where = {
        "begin": now + timedelta(days=29), "after": sweeping.LAST, "end": now + timedelta(days=30),
        "programs": "{" + str(program.program_id) + "}",
    }  # fmt: skip
    print(f"\nThe search for the first {sweeping.BATCH:,}:")
    _explain(url, sweeping.statement(expiring.DUE, sweeping.BATCH), where)


if __name__ == "__main__":
    main()
