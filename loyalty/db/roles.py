"""What the service may do in the database: everything but change history, and nothing to the tables themselves.

The tables belong to an owner, who migrates. The service connects as another role, to which this module grants what it
needs, table by table. A table is history if it has the trigger that refuses to rewrite it: the trigger stops everybody,
the missing privilege stops the service even from switching the trigger off.
"""

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from loyalty.core.errors import OperatorError

# The role of the service on the embedded database.
SERVICE = "loyalty_service"

# Any number will do, as long as it is not that of the migrations: two that grant at once take turns.
LOCK = 0x6C6F79616C747A

# What the role should hold on each table, view and sequence of the schema, where that is not what it holds.
_DIFFERENCES = """
WITH objects AS (
    SELECT c.oid, c.relname, c.relkind, c.relowner, CASE
        WHEN c.relkind = 'S' THEN '{USAGE}'::text[]
        WHEN c.relkind NOT IN ('r', 'p') OR c.relname = 'alembic_version' THEN '{SELECT}'
        WHEN EXISTS (SELECT FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
                     WHERE t.tgrelid = c.oid AND f.proname = 'refuse_to_rewrite_history') THEN '{INSERT,SELECT}'
        ELSE '{DELETE,INSERT,SELECT,UPDATE}' END AS wanted
    FROM pg_class c WHERE c.relnamespace = current_schema::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
), held AS (
    SELECT o.*, ARRAY(SELECT p.privilege_type FROM pg_class c, aclexplode(c.relacl) p
                      WHERE c.oid = o.oid AND p.grantee = %(role)s::regrole ORDER BY 1) AS holds
    FROM objects o
)
SELECT relname, CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, array_to_string(wanted, ', ')
FROM held WHERE wanted <> holds ORDER BY relname
"""
_ACTS_AS_OWNER = """
SELECT rolsuper OR EXISTS (
    SELECT FROM pg_class c WHERE c.relnamespace = current_schema::regnamespace
    AND c.relkind IN ('r', 'p', 'v', 'm') AND pg_has_role(r.oid, c.relowner, 'MEMBER'))
FROM pg_roles r WHERE rolname = %s
"""
_ENTRY = """
SELECT has_database_privilege(%(role)s, current_database(), 'CONNECT')
       AND has_schema_privilege(%(role)s, current_schema, 'USAGE'), current_database(), current_schema
"""


def create_service(connection: psycopg.Connection) -> None:
    """Make the role of the service on a server that is ours alone, unless it is there."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (SERVICE,)).fetchone():
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(SERVICE)))


def grant_service(connection: psycopg.Connection, role: str) -> None:
    """Give a role what the service needs, and take from it what it has beyond that; by the owner, after migrating.

    Raises OperatorError when there is no such role, or when it owns tables, for no privilege binds an owner.
    """
    name = sql.Identifier(role)
    with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        found = cursor.execute(_ACTS_AS_OWNER, (role,)).fetchone()
        if found is None:
            raise OperatorError(f"There is no role '{role}': make it first (CREATE ROLE {name.as_string()} LOGIN).")
        if found[0]:
            raise OperatorError(f"The role '{role}' may act as the owner of the tables: the service needs another one.")
        may_enter, *where = cursor.execute(_ENTRY, {"role": role}).fetchone() or ()
        if not may_enter:
            database, schema = map(sql.Identifier, where)
            cursor.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, name))
            cursor.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, name))
        # Only what differs: each grant makes every connection read the table's description anew.
        for object_name, kind, wanted in cursor.execute(_DIFFERENCES, {"role": name.as_string()}).fetchall():
            target = sql.SQL(kind) + sql.SQL(" ") + sql.Identifier(object_name)
            cursor.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(target, name))
            cursor.execute(sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(wanted), target, name))
