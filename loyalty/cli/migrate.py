"""`loyalty migrate`."""

import click
import psycopg

from loyalty.cli.runtime import owned_database
from loyalty.config import from_environment
from loyalty.db import migrate as migrations
from loyalty.db import roles
from loyalty.db.session import driver_url


@click.command()
@click.option(
    "--grant-to", "role", metavar="ROLE", help="Then let this role run the service, unable to change history."
)
def migrate(role: str | None) -> None:
    """Bring the database to the schema of this version. Safe to run twice, and by several at once."""
    with owned_database(from_environment()) as settings:
        migrations.upgrade(settings.database_url)
        if role:
            with psycopg.connect(driver_url(settings.database_url), autocommit=True) as connection:
                roles.grant_service(connection, role)
    click.echo(f"The database is at {migrations.head()}{f', and {role} may run the service' if role else ''}.")
