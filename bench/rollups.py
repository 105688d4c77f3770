"""`python -m bench.rollups`: how fast what has happened is counted, and how fast what was counted is asked.

A year of orders of three lines is written by SQL, each with its entry and its facts. The log is followed in pages as
the job does it, then all of it is counted anew and compared.
"""

import argparse
import gc
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, date, datetime
from uuid import UUID

import psycopg
from pyroaring import BitMap

from bench.stage import postgresql, scratch
from loyalty.app import create_app
from loyalty.config import Settings
from loyalty.core import clock
from loyalty.db import migrate
from loyalty.db.session import db, reading, transaction
from loyalty.programs import service as programs
from loyalty.programs.domain import NewProgram
from loyalty.rollups import building
from loyalty.rollups.comparing import differences
from loyalty.rollups.following import follow_program
from loyalty.rollups.reading import rollups

BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
FIRST, LAST = date(2026, 1, 1), date(2027, 1, 1)
TIERS, SEGMENTS, CHANNELS, CATEGORIES = 4, 10, 3, 60

_MEMBERS = """
WITH who AS (SELECT n, gen_random_uuid() AS member_id FROM generate_series(1, %(members)s) AS n),
written AS (
    INSERT INTO members (member_id, program_id, customer_id, status, enrolled_at, attributes, consents, referral_code,
        version, updated_at)
    SELECT member_id, %(program_id)s, 'c-' || n, 'active', %(begins)s, '{}', '{}', 'R' || n, 1, %(begins)s FROM who)
INSERT INTO events (owner_id, occurred_at, event_id, program_id, type, version, customer_id, recorded_at, data)
SELECT w.member_id, %(begins)s, gen_random_uuid(), %(program_id)s, t.type, 1, 'c-' || w.n, %(begins)s, t.data FROM who w
CROSS JOIN LATERAL (VALUES (1, 'member.enrolled', '{}'::jsonb), (2, 'tier.changed', jsonb_build_object(
    'tier', 'tier-' || w.n %% %(tiers)s, 'from', NULL))) AS t (place, type, data) ORDER BY w.n, t.place
"""
_ORDERS = """
CREATE TEMPORARY TABLE made AS
SELECT n, m.member_id, m.customer_id, 'o-' || n AS order_id,
    %(begins)s + (n * interval '365 days' / %(orders)s) AS at, 'channel-' || n %% %(channels)s AS channel,
    row_number() OVER (PARTITION BY m.member_id ORDER BY n) AS seq, jsonb_agg(jsonb_build_object(
        'line_id', l::text, 'sku', 'sku-' || l, 'category', CASE WHEN l > 1 THEN 'food > ' ELSE 'home > ' END
            || (n * 7 + l * 13) %% %(categories)s, 'quantity', l, 'unit_price', 100 + n %% 900, 'discount', n %% 5 * 10,
        'tax', 0)) AS lines
FROM generate_series(1, %(orders)s) AS n
JOIN members m ON m.program_id = %(program_id)s AND m.customer_id = 'c-' || (1 + (n * 7919::bigint) %% %(members)s)
CROSS JOIN generate_series(1, 3) AS l GROUP BY n, m.member_id, m.customer_id;
INSERT INTO natural_keys (program_id, kind, key, member_id)
SELECT %(program_id)s, 'order', order_id, member_id FROM made;
INSERT INTO orders (member_id, order_id, program_id, customer_id, status, currency, placed_at, recorded_at, total,
    shipping, discount, points_paid, channel, lines, metadata, receipt)
SELECT member_id, order_id, %(program_id)s, customer_id, 'recorded', 'EUR', at, at, 1000, 0, n %% 3 * 50, 0, channel,
    lines, '{}', '' FROM made;
INSERT INTO entries (member_id, seq, unit, kind, points, available, pending, held, debt, available_after, occurred_at,
    recorded_at, known_at, order_id, rule_code, rule_version)
SELECT member_id, seq, 'points', 'earn', 10, 10, 0, 0, 0, 10 * seq, at, at, at, order_id, 'base', 1 FROM made;
INSERT INTO events (owner_id, occurred_at, event_id, program_id, type, version, customer_id, recorded_at, data)
SELECT m.member_id, m.at, gen_random_uuid(), %(program_id)s, t.type, 1, m.customer_id, m.at, t.data FROM made m
CROSS JOIN LATERAL (VALUES
    (1, 'order.recorded', jsonb_build_object('order_id', m.order_id, 'currency', 'EUR', 'total', 1000, 'points', 10,
        'lines', 3, 'channel', m.channel, 'guest', false, 'placed_at', m.at)),
    (2, 'points.earned', jsonb_build_object('unit', 'points', 'seq', m.seq, 'order_id', m.order_id, 'points', 10,
        'waiting', 0, 'rules', jsonb_build_array('base')))) AS t (place, type, data)
ORDER BY m.n, t.place;
DROP TABLE made;
"""
_SEGMENT = "INSERT INTO rollup_segments (program_id, taken_on, segment, size, members) VALUES (%s, %s, %s, %s, %s)"


def main() -> None:
    """Write a year, count it, ask."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--members", type=int, default=20_000)
    arguments = parser.parse_args()
    with ExitStack() as leaving:
        server = leaving.enter_context(postgresql(leaving.enter_context(scratch())))
        url = leaving.enter_context(server.database("rollups"))
        driver = url.replace("postgresql://", "postgresql+psycopg://", 1)
        migrate.upgrade(driver)
        app = create_app(Settings(database_url=driver))
        leaving.enter_context(app.app_context())
        leaving.callback(db.engine.dispose)
        program_id = _write(url, arguments.orders, arguments.members)
        # As the job does.
        gc.disable()
        _count(program_id)
        _ask(program_id)


def _write(url: str, orders: int, members: int) -> UUID:
    with transaction() as session:
        new = NewProgram(code="year", name="A year", currency="EUR", time_zone="Europe/Warsaw")
        program_id = programs.create_program(session, new, now=clock.real_now()).program_id
    where = {
        "program_id": program_id, "orders": orders, "members": members, "begins": BEGINS, "tiers": TIERS,
        "channels": CHANNELS, "categories": CATEGORIES,
    }  # fmt: skip
    with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute(_MEMBERS, where)
        connection.execute("ANALYZE")
        connection.execute(_ORDERS, where)
        for month in range(1, 13):
            taken_on = date(2026, month, 1)
            for segment in range(SEGMENTS):
                some = BitMap(range(segment, members, SEGMENTS // 2 + segment))
                connection.execute(_SEGMENT, (program_id, taken_on, f"segment-{segment}", len(some), some.serialize()))
            connection.execute(_SEGMENT, (program_id, taken_on, "", 0, BitMap().serialize()))
        connection.execute("VACUUM ANALYZE")
    return program_id


def _count(program_id: UUID) -> None:
    facts, pages, done, began = 0, 0, 1, time.perf_counter()
    while done:
        with transaction() as session:
            done = follow_program(session, program_id)
        facts, pages = facts + done, pages + 1
    print(
        f"followed: {facts:,} facts, {facts / (time.perf_counter() - began):,.0f} a second, {pages} pages", flush=True
    )
    with transaction() as session:
        state = building.begin(session, program_id, check=True)
    assert state is not None
    built, facts, pages, began = building.Built(0, None, done=False), 0, 0, time.perf_counter()
    while not built.done:
        with transaction() as session:
            built = building.build(session, state)
        facts, pages = facts + built.facts, pages + 1
    print(f"counted anew: {facts:,} facts, {facts / (time.perf_counter() - began):,.0f} a second, {pages} pages")
    with transaction() as session:
        began = time.perf_counter()
        print(f"rows that differ: {differences(session, program_id, 1, state.generation)}", end="")
        print(f", {time.perf_counter() - began:.1f} s to compare")


def _ask(program_id: UUID) -> None:
    asked: dict[str, Callable[[], object]] = {}
    with reading() as session:
        began = time.perf_counter()
        kept = rollups(session, program_id, now=clock.real_now())
        print(f"begun to ask: {1000 * (time.perf_counter() - began):.1f} ms")
        asked["orders by day"] = lambda: kept.sums("orders", first=FIRST, last=LAST)
        asked["points by kind and cohort"] = lambda: kept.keyed(
            ["points.*"], unit="points", dimension="cohort", first=FIRST, last=LAST
        )
        asked["sales by category"] = lambda: kept.totals(
            ["sales", "units"], dimension="category", first=FIRST, last=LAST
        )
        asked["buyers of the year"] = lambda: len(
            kept.members("buyers", first=date(2026, 1, 9), last=date(2026, 12, 20))
        )
        asked["buyers by month"] = lambda: kept.sizes("buyers", span="month", first=FIRST, last=LAST)
        asked["buyers, set by month"] = lambda: kept.sets("buyers", span="month", first=FIRST, last=LAST)
        for name, ask in asked.items():
            began = time.perf_counter()
            ask()
            print(f"{name}: {1000 * (time.perf_counter() - began):.1f} ms")


if __name__ == "__main__":
    main()
