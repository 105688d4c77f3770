"""`loyalty settle`."""

import click

from loyalty.cli.runtime import in_application
from loyalty.core import clock
from loyalty.db.batches import in_batches
from loyalty.ledger.settlement import settle_batch, settle_sandboxes


@click.command()
@in_application
def settle() -> None:
    """Record what has matured or lapsed, of all members. The worker does the same every minute.

    Safe to interrupt and to run again, beside the service and beside itself.
    """
    now = clock.now()
    settled = in_batches(lambda session: settle_batch(session, now=now))
    settled += in_batches(lambda session: settle_sandboxes(session, now=now))
    click.echo(f"{settled:,} {'member was' if settled == 1 else 'members were'} settled.")
