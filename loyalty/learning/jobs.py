"""What is learned by itself."""

from loyalty.db.session import Session
from loyalty.learning import following


def follow(session: Session) -> int:
    """Keep features up with the orders."""
    return following.follow_batch(session)
