"""Vouchers that were issued before vouchers could be used can be used after the migration."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import alembic.command
import psycopg
import pytest
import sqlalchemy
from psycopg.rows import tuple_row

from loyalty.core import codes
from loyalty.core.ids import new_id
from loyalty.db import migrate

BEFORE, AFTER = "0018", "0019"
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


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


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), row_factory=tuple_row)


def a_voucher(connection: psycopg.Connection, code: str, redemption_id: str | None) -> None:
    """A voucher as it was issued, of a redemption."""
    program_id, member_id, key = new_id(), new_id(), codes.canonical(code)
    connection.execute("INSERT INTO natural_keys VALUES (%s, 'voucher', %s, %s)", (program_id, key, member_id))
    connection.execute(
        "INSERT INTO vouchers (member_id, code, program_id, value, issued_at) VALUES (%s, %s, %s, '{}', %s)",
        (member_id, code, program_id, BEGUN),
    )
    if redemption_id:
        connection.execute(
            "INSERT INTO redemptions (member_id, redemption_id, program_id, reward_code, reward_version, status,"
            " points, fulfilment, took_stock, voucher_code, redeemed_at, confirmed_at, entry_seq, receipt)"
            " VALUES (%s, %s, %s, 'five-off', 1, 'confirmed', 10, 'code', false, %s, %s, %s, 1, '{}')",
            (member_id, redemption_id, program_id, code, BEGUN, BEGUN),
        )


def test_what_was_issued_before_is_for_its_member_once_and_found_by_its_code(old: str):
    drawn = {codes.new_code(): f"r-{number}" for number in range(50)} | {"OIL0-oil1-UUUU": None}
    with connect(old) as connection:
        for code, redemption_id in drawn.items():
            a_voucher(connection, code, redemption_id)

    alembic.command.upgrade(migrate.config(old), AFTER)

    with connect(old) as connection:
        found = connection.execute(
            "SELECT v.code, v.redemption_id, v.key, bound, uses_allowed, uses, origin"
            " FROM natural_keys k JOIN vouchers v ON v.member_id = k.member_id AND v.key = k.key"
        ).fetchall()
    assert {code: rest for code, *rest in found} == {
        code: [redemption_id, codes.canonical(code), True, 1, 0, "reward"] for code, redemption_id in drawn.items()
    }


def test_what_is_new_is_gone_when_the_migration_is_taken_back_and_what_was_before_is_not(old: str):
    with connect(old) as connection:
        a_voucher(connection, "7KQ2-M9XD-0T4F", "r-1")
    alembic.command.upgrade(migrate.config(old), AFTER)
    free, upload = new_id(), new_id()
    with connect(old) as connection:
        (program_id,) = connection.execute("SELECT program_id FROM vouchers").fetchone()
        for key, owner in (("SPR1NG", free), ("P001ED", upload)):
            connection.execute("INSERT INTO natural_keys VALUES (%s, 'voucher', %s, %s)", (program_id, key, owner))
        connection.execute(
            "INSERT INTO vouchers (member_id, code, key, program_id, bound, value, issued_at, uses, origin, batch_id)"
            " VALUES (%s, 'SPRING', 'SPR1NG', %s, false, '{}', %s, 0, 'batch', 'b-1')",
            (free, program_id, BEGUN),
        )

    alembic.command.downgrade(migrate.config(old), BEFORE)

    with connect(old) as connection:
        assert connection.execute("SELECT code FROM vouchers").fetchall() == [("7KQ2-M9XD-0T4F",)]
        keys = connection.execute("SELECT key FROM natural_keys WHERE kind = 'voucher'").fetchall()
        assert keys == [("7KQ2M9XD0T4F",)]
