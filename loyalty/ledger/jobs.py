"""What the ledger does by itself."""

from loyalty.core import clock
from loyalty.db.queue import regularly
from loyalty.db.session import Session
from loyalty.ledger.settlement import settle_batch


@regularly("ledger.settle", cron="* * * * *")
def settle(session: Session) -> int:
    """Record what has matured or lapsed of members whom nobody has touched since."""
    return settle_batch(session, now=clock.now())
