"""The words of messages, made when they are read."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from loyalty.core import i18n
from loyalty.db.session import Session
from loyalty.members.domain import Member
from loyalty.notifications.domain import Message


def words_of(
    session: Session, program_id: UUID, member: Member, messages: Sequence[Message], *, now: datetime
) -> list[tuple[str, str, str]]:
    """The subject, the text and the language of each message, in its order."""
    del session, program_id, now
    return [(message.kind, "", member.locale or i18n.SOURCE) for message in messages]
