"""What the HTTP kit does by itself."""

from datetime import timedelta

from loyalty.core import clock
from loyalty.db.session import Session
from loyalty.web import idempotency, throttling

# Nobody retries a request for a week.
KEEP_ANSWERS = timedelta(days=7)


def forget_answers(session: Session) -> int:
    """Delete the stored answers that nobody will ask for again."""
    return idempotency.forget_batch(session, before=clock.now() - KEEP_ANSWERS)


def forget_attempts(session: Session) -> int:
    """Delete what is held against nobody any more."""
    return throttling.forget_batch(session, before=clock.real_now())
