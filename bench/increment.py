"""`python -m bench.increment`: whether the statistics hold what they promise, and how fast outcomes are counted.

First a thousand experiments each of several kinds of member, whose truth is known: how often the interval holds it, how
often something is told where there is nothing, how much is gained by what was bought before. Then a throw-away database
in which a program's members have years of orders: a month of them is counted, some of it is counted again, and read.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from statistics import mean
from time import perf_counter

import numpy as np
import psycopg

from bench.stage import postgresql, scratch
from loyalty.app import create_app
from loyalty.config import Settings
from loyalty.db import migrate
from loyalty.db.batches import in_batches
from loyalty.db.session import reading, transaction
from loyalty.outcomes import filling, following, queries
from loyalty.outcomes.statistics import MISMATCH, narrowed
from loyalty.outcomes.verdicts import Comparison, compare
from loyalty.programs import service as programs
from loyalty.programs.domain import NewProgram, Program
from tests.outcomes.simulated import World, arms

WORLDS = {
    "20 % more": World(effect=0.2),
    "10 % less, a tenth held out": World(effect=-0.1, holdout=0.1),
    "10 % more, nobody alike": World(effect=0.1, alike=0.0),
    "nothing": World(),
    "nothing, a tenth held out": World(holdout=0.1),
    "nothing, few who spend a lot": World(buys=0.1, spread=1.4),
}

BEGAN = datetime(2024, 12, 15, tzinfo=UTC)
MONTH_AFTER = datetime(2025, 2, 1, tzinfo=UTC)

_MEMBERS = """
INSERT INTO members (member_id, program_id, customer_id, status, enrolled_at, attributes, consents, referral_code,
    version, updated_at)
SELECT gen_random_uuid(), %s, 'c-' || n, 'active', '2023-01-01', '{}', '{}', 'r-' || n, 1, now()
FROM generate_series(1, %s) AS g (n)
"""
# As they come in: day by day, of any member.
_ORDERS = """
INSERT INTO orders (member_id, order_id, program_id, customer_id, status, currency, placed_at, recorded_at, total,
    shipping, discount, points_paid, lines, metadata, receipt, returned)
SELECT m.member_id, 'o-' || g.n || '-' || m.customer_id, m.program_id, m.customer_id, 'recorded', 'EUR',
    timestamptz '2023-06-01' + (g.n + random()) * (interval '670 days' / %(each)s), now(),
    1000 + (random() * 9000)::int, 0, 0, 0, %(lines)s::jsonb, '{}', '{}',
    CASE WHEN random() < 0.05 THEN '{"lines": {"1": 1}}'::jsonb ELSE '{}' END
FROM generate_series(0, %(each)s - 1) AS g (n) CROSS JOIN members m WHERE m.program_id = %(program_id)s
ORDER BY g.n, m.member_id
"""
_LINES = """[{"line_id": "1", "sku": "a", "category": "coffee", "quantity": 2, "unit_price": 500, "discount": 0},
{"line_id": "2", "sku": "b", "category": "tea", "quantity": 1, "unit_price": 300, "discount": 0}]"""
_OFFERS = """
INSERT INTO offer_sets (program_id, version, offers, published_at, published_by)
VALUES (%s, 1, '[{"code": "o", "title": "O", "promise": {"kind": "bonus_points", "value": "9"}}]', now(), 'bench')
"""
_PERCENT = """
INSERT INTO program_versions (program_id, version, config_version, document, recorded_at)
SELECT program_id, version + 1, config_version, document || '{"holdout_percent": 10}', %s FROM program_versions
WHERE program_id = %s
"""
_SOME = "SELECT member_id, NULL::timestamptz FROM outcomes WHERE program_id = %s ORDER BY member_id LIMIT %s"


def main() -> None:
    """Simulate, count, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=1_000)
    parser.add_argument("--members", type=int, default=50_000)
    parser.add_argument("--orders", type=int, default=40, help="of each member")
    arguments = parser.parse_args()
    simulate(arguments.experiments)
    if arguments.members:
        count(arguments.members, arguments.orders)


def simulate(experiments: int) -> None:
    """Print how often statistics are right about members whose truth is known."""
    heads = ("holds the truth", "adjusted", "tells a difference", "adjusted", "variance gone", "arms doubted")
    print(f"{experiments:,} experiments each".ljust(32) + "".join(head.rjust(20) for head in heads))
    for name, world in WORLDS.items():
        dice = np.random.default_rng(20_260_301)
        found = [compare([arms(world, dice)]) for _ in range(experiments)]
        print(name.ljust(32) + "".join(f"{100 * share:19.1f}%" for share in _shares(found, world.true_difference)))


def _shares(found: list[Comparison], truth: float) -> Iterator[float]:
    plain, adjusted = [e.plain for e in found if e.plain], [e.adjusted for e in found if e.adjusted]
    for each in (plain, adjusted):
        yield mean(one.low <= truth <= one.high for one in each)
    for each in (plain, adjusted):
        yield mean(one.tells != 0 for one in each)
    yield mean(narrowed(one, other) for one, other in zip(plain, adjusted, strict=True))
    yield mean(e.mismatch is not None and e.mismatch < MISMATCH for e in found)


def count(members: int, orders: int) -> None:
    """Print how long it takes to count what a program's members bought in a month."""
    with scratch() as folder, postgresql(folder) as server, server.database("increment") as url:
        migrate.upgrade(url)
        app = create_app(Settings(database_url=url, threads=1))
        with app.app_context():
            with transaction() as session:
                program = programs.create_program(session, NewProgram(code="bench"), now=BEGAN - timedelta(days=700))
            _fill(url, program, members, orders)
            print(f"\n{members:,} members with {orders} orders each, of which a twentieth came back in part")
            with _timed("a month of the program", members):
                now = MONTH_AFTER
                done = in_batches(lambda s: filling.fill_program(s, program.program_id, now=now))
                assert done >= members
            with transaction() as session:
                told = session.rows(_SOME, (program.program_id, 2_000), into=psycopg.rows.tuple_row)
            with _timed("counted again", len(told)), transaction() as session:
                again = following.compared(session, following.counted(session, told))
                assert all(was == now_is for was, now_is in again)
            with _timed("read for a report", 1), reading() as session:
                queries.of_offers(session, program.program_id, first=BEGAN.date(), last=MONTH_AFTER.date(), offer=None)


def _fill(url: str, program: Program, members: int, orders: int) -> None:
    where = {"program_id": program.program_id, "each": orders, "lines": _LINES}
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), autocommit=True) as connection:
        connection.execute(_PERCENT, (BEGAN, program.program_id))
        connection.execute(_OFFERS, (program.program_id,))
        connection.execute(_MEMBERS, (program.program_id, members))
        connection.execute(_ORDERS, where)
        connection.execute("VACUUM ANALYZE")


@contextmanager
def _timed(what: str, rows: int) -> Iterator[None]:
    began = perf_counter()
    yield
    seconds = perf_counter() - began
    print(f"{what:26} {seconds:8.2f} s {rows / seconds:12,.0f} a second")


if __name__ == "__main__":
    main()
