"""Runs migrations: one at a time (an advisory lock), never waiting long for a table in use."""

import sqlalchemy
from alembic import context

from loyalty import tables

# Any number will do, as long as every deployment uses the same: this is "loyalty" read as a number.
LOCK = 0x6C6F79616C7479

config = context.config


def include(obj: object, name: str | None, kind: str, _reflected: bool, _compare_to: object) -> bool:
    """Compare what the models declare; views and triggers are the migrations' own, and the queue is a library's."""
    del obj, kind
    return not (name or "").startswith(("alembic_version", "procrastinate_"))


def run() -> None:
    """Migrate over a connection of our own."""
    url = sqlalchemy.make_url(config.get_main_option("sqlalchemy.url") or "").set(drivername="postgresql+psycopg")
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text(f"SELECT pg_advisory_lock({LOCK})"))
        connection.execute(sqlalchemy.text("SET lock_timeout = '5s'"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=tables.METADATA,
            include_object=include,
            compare_type=True,
            compare_server_default=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.execute(sqlalchemy.text(f"SELECT pg_advisory_unlock({LOCK})"))
        connection.commit()
    engine.dispose()


run()
