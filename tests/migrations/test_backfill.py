"""Books that were written before points had their whole life are in order after the migration that gives it to them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import alembic.command
import psycopg
import pytest
import sqlalchemy

from loyalty.core.ids import new_id
from loyalty.db import migrate
from loyalty.db.session import Session
from loyalty.ledger import verification

BEFORE = "0007"
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
A_DAY = timedelta(days=1)

ENTRY = """
INSERT INTO entries (member_id, seq, unit, kind, points, available, pending, held, debt, available_after, occurred_at,
                     recorded_at, order_id, reference, reason)
VALUES (%s, %s, 'points', %s, %s, %s, %s, 0, 0, %s, %s, %s, %s, %s, %s)
"""
LOT = """
INSERT INTO lots (member_id, seq, unit, points, remaining, pending, earned_at, matures_at, expires_at)
VALUES (%s, %s, 'points', %s, %s, %s, %s, %s, %s)
"""
ACCOUNT = """
INSERT INTO accounts (member_id, unit, program_id, available, pending, held, debt, lifetime_earned, lifetime_spent,
                      last_seq, next_change_at)
VALUES (%s, 'points', %s, %s, %s, 0, 0, %s, %s, %s, %s)
"""


@pytest.fixture
def old(database_url: str) -> Iterator[str]:
    """A database of its own, at the schema before."""
    name = f"backfill_{uuid4().hex}"
    with psycopg.connect(database_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        url = sqlalchemy.make_url(database_url).set(database=name, drivername="postgresql+psycopg")
        rendered = url.render_as_string(hide_password=False)
        alembic.command.upgrade(migrate.config(rendered), BEFORE)
        yield rendered
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def a_life(connection: psycopg.Connection) -> None:
    """100 lots of 10 earned day by day, the last one late; one matured, one lapsed, one was spent, one still waits."""
    program_id, member = new_id(), new_id()
    connection.execute(
        "INSERT INTO programs (program_id, code, name, currency, time_zone, locale, sandbox, settings, version,"
        " config_version, created_at) VALUES (%s, 'old', 'Old', 'EUR', 'UTC', 'en', false, '{}', 1, 1, %s)",
        (program_id, BEGUN),
    )
    connection.execute(
        "INSERT INTO members (member_id, program_id, customer_id, status, enrolled_at, attributes, consents,"
        " referral_code, version, updated_at) VALUES (%s, %s, 'c-1', 'active', %s, '{}', '{}', 'X', 1, %s)",
        (member, program_id, BEGUN, BEGUN),
    )

    def entry(seq: int, kind: str, points: int, after: int, at: datetime, **more: object) -> None:
        pending = more.get("pending", 0)
        written = more.get("written", at)
        connection.execute(
            ENTRY,
            (member, seq, kind, points, more.get("available", points - pending), pending, after, at, written,
             more.get("order_id"), more.get("reference"), more.get("reason")),
        )  # fmt: skip

    for seq in range(1, 101):
        waits = seq in (2, 100)
        at = BEGUN + seq * A_DAY
        # The last one was placed before the others and told after them.
        happened = BEGUN + A_DAY / 2 if seq == 100 else at
        entry(seq, "earn", 10, 10 * (seq - (seq > 1) - (seq == 100)), happened, pending=10 if waits else 0, written=at,
              order_id=f"o-{seq}")  # fmt: skip
        left = {1: 0, 3: 0}.get(seq, 10)
        matures_at = {2: BEGUN + 105 * A_DAY, 100: BEGUN + 200 * A_DAY}.get(seq)
        expires_at = BEGUN + (106 if seq == 1 else 400 + seq) * A_DAY
        connection.execute(LOT, (member, seq, 10, left, seq == 100, happened, matures_at, expires_at))
    entry(101, "redeem", -10, 970, BEGUN + 104 * A_DAY, reference="r-1", reason="5 off")
    entry(102, "mature", 10, 980, BEGUN + 105 * A_DAY, available=10, pending=-10, reference="2")
    entry(103, "expire", -10, 970, BEGUN + 106 * A_DAY, reference="1", reason="expired", written=BEGUN + 110 * A_DAY)
    for seq, lot in ((101, 3), (103, 1)):
        connection.execute("INSERT INTO allocations VALUES (%s, %s, %s, 10)", (member, seq, lot))
    connection.execute(ACCOUNT, (member, program_id, 970, 10, 1000, 10, 103, BEGUN + 200 * A_DAY))


def test_what_was_written_before_is_in_order_after(old: str):
    with psycopg.connect(old.replace("+psycopg", "")) as connection:
        a_life(connection)

    migrate.upgrade(old)

    engine = sqlalchemy.create_engine(old, connect_args={"autocommit": True})
    with engine.connect() as connection:
        session = Session(connection)
        result = verification.verify(session)
        session.finish(keep=False)
    engine.dispose()
    assert result.findings == []
    assert result.checked == {"accounts": 1, "entries": 103, "lots": 100}
