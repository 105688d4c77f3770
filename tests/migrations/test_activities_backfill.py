"""What was before activities: who came through somebody waits or does not, and merged members' counts move."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import alembic.command
import psycopg
import pytest
import sqlalchemy
from psycopg.rows import tuple_row

from loyalty.core.ids import new_id
from loyalty.db import migrate

BEFORE = "0011"
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)

MEMBER = """
INSERT INTO members (member_id, program_id, customer_id, status, enrolled_at, attributes, consents, referral_code,
                     referred_by, merged_into, version, updated_at)
VALUES (%s, %s, %s, %s, %s, '{}', '{}', 'X', %s, %s, 1, %s)
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


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), row_factory=tuple_row)


def members(connection: psycopg.Connection, *told: tuple[str, str, str | None, str | None]) -> dict[str, UUID]:
    """Members: id, status, through whom, merged into whom."""
    program_id, ids = new_id(), {customer_id: new_id() for customer_id, *_ in told}
    connection.execute(
        "INSERT INTO programs (program_id, code, name, currency, time_zone, locale, sandbox, settings, version,"
        " config_version, created_at) VALUES (%s, 'old', 'Old', 'EUR', 'UTC', 'en', false, '{}', 1, 1, %s)",
        (program_id, BEGUN),
    )
    for customer_id, status, referrer, into in told:
        row = (ids[customer_id], program_id, customer_id, status, BEGUN, ids.get(referrer or ""), ids.get(into or ""))
        connection.execute(MEMBER, (*row, BEGUN))
    return ids


def bought(connection: psycopg.Connection, member_id: UUID, orders: int) -> None:
    where = (member_id, orders, BEGUN)
    connection.execute("INSERT INTO purchase_histories VALUES (%s, %s, 5, 500, %s)", where)
    connection.execute("INSERT INTO category_histories VALUES (%s, 'tea', %s, 5, 500, %s)", where)
    connection.execute("INSERT INTO rule_counts VALUES (%s, 'review', 'ever', 50, %s, %s)", where)


def test_who_came_through_somebody_and_has_bought_nothing_waits(old: str):
    with connect(old) as connection:
        ids = members(
            connection, ("ada", "active", None, None), ("bought", "active", "ada", None),
            ("returned", "active", "ada", None), ("new", "suspended", "ada", None), ("left", "closed", "ada", None),
        )  # fmt: skip
        bought(connection, ids["bought"], 2)
        bought(connection, ids["returned"], 0)

    alembic.command.upgrade(migrate.config(old), "0013")

    with connect(old) as connection:
        found = connection.execute(
            "SELECT customer_id, r.status FROM referrals r JOIN members USING (member_id) WHERE referrer_id = %s",
            (ids["ada"],),
        ).fetchall()
    assert dict(found) == {"bought": "done", "returned": "waiting", "new": "waiting", "left": "refused"}


def test_what_was_counted_of_merged_members_belongs_to_who_stayed(old: str):
    with connect(old) as connection:
        ids = members(
            connection, ("new", "active", None, None), ("old", "closed", None, "new"), ("older", "closed", None, "old"),
            ("other", "active", None, None),
        )  # fmt: skip
        for orders, name in enumerate(("new", "old", "older", "other"), start=1):
            bought(connection, ids[name], orders)

    alembic.command.upgrade(migrate.config(old), "0013")

    with connect(old) as connection:
        for table in ("purchase_histories", "category_histories"):
            found = connection.execute(f"SELECT member_id, orders, spend FROM {table}").fetchall()
            assert sorted(found) == sorted([(ids["new"], 6, 1500), (ids["other"], 4, 500)])
        counts = connection.execute("SELECT member_id, times, points FROM rule_counts").fetchall()
        assert sorted(counts) == sorted([(ids["new"], 6, 150), (ids["other"], 4, 50)])
