"""`loyalty migrate`."""

import click

from loyalty.cli.runtime import database
from loyalty.config import from_environment
from loyalty.db import migrate as migrations


@click.command()
def migrate() -> None:
    """Bring the database to the schema of this version. Safe to run twice, and by several at once."""
    with database(from_environment()) as settings:
        migrations.upgrade(settings.database_url)
    click.echo(f"The database is at {migrations.head()}.")
