"""What is learned by itself."""

import gc

from loyalty.db.session import Session
from loyalty.learning import following


def follow(session: Session) -> int:
    """Keep features up with the orders."""
    # Looking for garbage among rows that are all freed without takes a third of the time.
    gc.disable()
    try:
        return following.follow_batch(session)
    finally:
        gc.enable()
