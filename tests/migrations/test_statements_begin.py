"""Programs that were there before messages: the month before is not stated, for its facts were not told."""

import alembic.command
import psycopg
from psycopg.rows import tuple_row

from loyalty.core.ids import new_id
from loyalty.db import migrate
from tests.migrations.test_activities_backfill import BEGUN, old

__all__ = ["old"]

MONTH_BEFORE = """
SELECT to_char(date_trunc('month', now() AT TIME ZONE 'Pacific/Kiritimati') - interval '1 month', 'YYYY-MM')
"""


def test_the_statement_of_the_month_before_counts_as_told(old: str):
    alembic.command.upgrade(migrate.config(old), "0024")
    with psycopg.connect(old.replace("postgresql+psycopg", "postgresql"), row_factory=tuple_row) as connection:
        program_id = new_id()
        connection.execute(
            "INSERT INTO programs (program_id, code, name, currency, time_zone, locale, sandbox, settings, version,"
            " config_version, created_at) VALUES (%s, 'old', 'Old', 'EUR', 'Pacific/Kiritimati', 'en', false, '{}', 1,"
            " 1, %s)",
            (program_id, BEGUN),
        )
        connection.commit()
        alembic.command.upgrade(migrate.config(old), "0025")

        found = connection.execute("SELECT name, scope, data ->> 'month', finished_at <= now() FROM sweeps").fetchall()
        expected = connection.execute(MONTH_BEFORE).fetchone()
        connection.commit()
        assert found == [("balance_statement", program_id, expected[0], True)]
        alembic.command.downgrade(migrate.config(old), "0024")
