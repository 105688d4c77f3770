"""As whom the tests speak to the database: as the service, unless a test needs to do what the service may not."""

from typing import Any

import psycopg

from loyalty.db import roles
from loyalty.db.session import Session


def become_the_service(connection: psycopg.Connection, _record: Any = None) -> None:
    """From now on, this connection has the rights of the service."""
    connection.execute(f"SET ROLE {roles.SERVICE}")


def as_owner(session: Session) -> None:
    """Give a unit of work the rights to tamper with the books, until it ends."""
    session.run("SET LOCAL ROLE NONE")
