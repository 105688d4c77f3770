"""The role of the service: all that it needs, and no way to change history."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.rows import scalar_row

from loyalty.core.errors import OperatorError
from loyalty.db import roles
from tests.rights import become_the_service

REFUSED = [
    *(
        sql.format(table)
        for table in ("entries", "allocations")
        for sql in (
            "UPDATE {0} SET points = points",
            "DELETE FROM {0}",
            "TRUNCATE {0} CASCADE",
            "MERGE INTO {0} t USING {0} s ON t.member_id = s.member_id WHEN MATCHED THEN DELETE",
            "ALTER TABLE {0} DISABLE TRIGGER ALL",
            "ALTER TABLE {0} DISABLE TRIGGER {0}_only_grow",
            "DROP TRIGGER {0}_only_grow ON {0}",
            "CREATE TRIGGER mine BEFORE INSERT ON {0} EXECUTE FUNCTION refuse_to_rewrite_history()",
            "CREATE RULE mine AS ON INSERT TO {0} DO INSTEAD NOTHING",
            "DROP TABLE {0} CASCADE",
        )
    ),
    "TRUNCATE accounts",
    "DROP TABLE accounts",
    "CREATE TABLE mine (id integer)",
    "CREATE OR REPLACE FUNCTION refuse_to_rewrite_history() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
    "DROP FUNCTION refuse_to_rewrite_history CASCADE",
    "UPDATE alembic_version SET version_num = '0000'",
    "SET session_replication_role = replica",
    "RESET ROLE; SET ROLE loyalty_service; DROP SCHEMA public CASCADE",
]

PRIVILEGES = """
SELECT array_agg(privilege_type::text ORDER BY privilege_type) FROM information_schema.role_table_grants
WHERE grantee = %s AND table_name = %s
"""
GUARDED = """
SELECT tgrelid::regclass::text FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
WHERE f.proname = 'refuse_to_rewrite_history'
"""
ALL = ["DELETE", "INSERT", "SELECT", "UPDATE"]


@pytest.fixture
def owner(database_url: str) -> Iterator[psycopg.Connection]:
    """A connection of the owner of the tables; what it does is rolled back."""
    with psycopg.connect(database_url) as connection:
        yield connection
        connection.rollback()


def privileges(connection: psycopg.Connection, table: str, role: str = roles.SERVICE) -> list[str] | None:
    with connection.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(PRIVILEGES, (role, table)).fetchone()


@pytest.mark.parametrize("sql", REFUSED)
def test_the_service_is_refused_by_privilege(owner: psycopg.Connection, sql: str):
    become_the_service(owner)

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        owner.execute(sql)


def test_whatever_has_the_trigger_of_history_can_only_grow(owner: psycopg.Connection):
    with owner.cursor(row_factory=scalar_row) as cursor:
        history = cursor.execute(GUARDED).fetchall()

    assert {"entries", "allocations"} <= set(history)
    for table in history:
        assert privileges(owner, table) == ["INSERT", "SELECT"]
    assert privileges(owner, "accounts") == privileges(owner, "procrastinate_jobs") == ALL
    assert privileges(owner, "ledger_postings") == privileges(owner, "alembic_version") == ["SELECT"]


def test_what_a_migration_adds_or_declares_history_is_granted_accordingly(owner: psycopg.Connection):
    owner.execute("CREATE TABLE added (id bigserial)")
    roles.grant_service(owner, roles.SERVICE)
    assert privileges(owner, "added") == ALL

    owner.execute("CREATE TRIGGER added_only_grows BEFORE UPDATE ON added EXECUTE FUNCTION refuse_to_rewrite_history()")
    roles.grant_service(owner, roles.SERVICE)
    assert privileges(owner, "added") == ["INSERT", "SELECT"]

    become_the_service(owner)
    owner.execute("INSERT INTO added DEFAULT VALUES")


def test_what_was_granted_beyond_is_taken_away(owner: psycopg.Connection):
    owner.execute(f"GRANT ALL ON entries, lots TO {roles.SERVICE}")

    roles.grant_service(owner, roles.SERVICE)

    assert privileges(owner, "entries") == ["INSERT", "SELECT"]
    assert privileges(owner, "lots") == ALL


def test_the_service_cannot_grant_itself_more(owner: psycopg.Connection):
    become_the_service(owner)
    owner.execute(f"GRANT ALL ON entries TO {roles.SERVICE}")  # a warning, not an error, says PostgreSQL
    owner.execute("RESET ROLE")

    assert privileges(owner, "entries") == ["INSERT", "SELECT"]


def test_granting_again_touches_nothing(owner: psycopg.Connection):
    rows = "SELECT array_agg((oid, xmin::text) ORDER BY oid) FROM pg_class"
    before = owner.execute(rows).fetchone()

    roles.create_service(owner)
    roles.grant_service(owner, roles.SERVICE)

    assert owner.execute(rows).fetchone() == before


def test_a_role_of_the_operators_own_gets_the_same_and_may_enter(owner: psycopg.Connection):
    owner.execute('CREATE ROLE "the till"')
    owner.execute("REVOKE USAGE ON SCHEMA public FROM PUBLIC")

    roles.grant_service(owner, "the till")

    assert privileges(owner, "entries", "the till") == ["INSERT", "SELECT"]
    owner.execute('SET ROLE "the till"')
    assert owner.execute("SELECT count(*) FROM entries WHERE seq = 0").fetchone() == (0,)


@pytest.mark.parametrize(
    ("make", "role", "sentence"),
    [
        ("SELECT 1", "nobody at all", r"no role 'nobody at all'.*CREATE ROLE \"nobody at all\" LOGIN"),
        ("CREATE ROLE strong SUPERUSER", "strong", "may act as the owner"),
        ("CREATE ROLE heir; GRANT heir TO postgres; ALTER TABLE lots OWNER TO heir", "heir", "may act as the owner"),
        ("CREATE ROLE o; CREATE ROLE kin; GRANT o TO kin; ALTER TABLE lots OWNER TO o", "kin", "may act as the owner"),
    ],
)
def test_a_role_that_no_privilege_binds_is_refused(owner: psycopg.Connection, make: str, role: str, sentence: str):
    owner.execute(make)

    with pytest.raises(OperatorError, match=sentence):
        roles.grant_service(owner, role)
