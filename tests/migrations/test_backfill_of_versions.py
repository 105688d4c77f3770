"""Programs and rewards that were there before configuration had a past begin theirs with how they are."""

from collections.abc import Iterator
from uuid import uuid4

import alembic.command
import psycopg
import pytest
import sqlalchemy

from loyalty.core.ids import new_id
from loyalty.db import migrate
from loyalty.db.session import Session
from loyalty.programs import queries

BEFORE = "0008"

PROGRAM = """
INSERT INTO programs (program_id, code, name, currency, time_zone, locale, sandbox, settings, version, config_version,
                      created_at)
VALUES (%s, %s, 'Old', 'EUR', 'UTC', 'en', false, %s, 4, 9, now())
"""
REWARD = """
INSERT INTO rewards (program_id, code, version, name, type, points, value, limited, fulfilment, updated_at)
VALUES (%s, %s, 1, 'x', 'custom', 1, '{}', %s, 'none', now())
"""
CHANGED = (
    '{"earn": {"shipping": true}, "units": {"miles": {"activation": {"mode": "immediate"},'
    ' "expiry": {"mode": "calendar", "dates": ["12-31"]}}}}'
)


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


def test_the_present_settings_become_a_version_and_what_is_left_of_a_reward_its_stock(old: str):
    plain, changed = new_id(), new_id()
    with psycopg.connect(old.replace("+psycopg", "")) as connection:
        connection.execute(PROGRAM, (plain, "plain", "{}"))
        connection.execute(PROGRAM, (changed, "changed", CHANGED))
        for code, limited in (("few", True), ("many", False)):
            connection.execute(REWARD, (plain, code, limited))
        connection.execute("INSERT INTO reward_stock VALUES (%s, 'few', 7)", (plain,))

    migrate.upgrade(old)

    engine = sqlalchemy.create_engine(old, connect_args={"autocommit": True})
    with engine.connect() as connection:
        session = Session(connection)
        for program_id in (plain, changed):
            assert queries.at_version(session, program_id, 4) == queries.load(session, program_id)
        assert session.driver.execute("SELECT code, stock FROM rewards ORDER BY code").fetchall() == [
            ("few", 7),
            ("many", None),
        ]
        session.finish(keep=False)
    engine.dispose()
