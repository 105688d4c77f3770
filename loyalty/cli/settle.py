"""`loyalty settle`."""

import click

from loyalty.cli.runtime import in_application
from loyalty.core import clock
from loyalty.db.batches import in_batches
from loyalty.ledger.settlement import settle_batch, settle_sandboxes
from loyalty.tiers.moving import move_batch
from loyalty.tiers.settlement import review_batch, review_sandboxes


@click.command()
@in_application
def settle() -> None:
    """Record what has matured or lapsed, and the tiers that ended, of all members. The worker does so every minute.

    Safe to interrupt and to run again, beside the service and beside itself.
    """
    now = clock.now()
    settled = in_batches(lambda session: settle_batch(session, now=now))
    settled += in_batches(lambda session: settle_sandboxes(session, now=now))
    in_batches(lambda session: move_batch(session, now=now))
    settled += in_batches(lambda session: review_batch(session, now=now))
    settled += in_batches(lambda session: review_sandboxes(session, now=now))
    click.echo(f"{settled:,} {'member was' if settled == 1 else 'members were'} settled.")
