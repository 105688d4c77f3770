"""Erasing comments: people write what they like into them, their names and those of others included."""

from datetime import datetime
from uuid import UUID

from psycopg.rows import scalar_row

from loyalty.audit import service as audit
from loyalty.db.session import Session
from loyalty.feedback import queries
from loyalty.feedback.domain import Feedback
from loyalty.feedback.errors import FeedbackNotFound
from loyalty.members import locks

_ERASE = """
UPDATE feedback SET comment = NULL, comment_erased_at = %s
WHERE member_id = %s AND (%s::text IS NULL OR feedback_id = %s) AND comment IS NOT NULL RETURNING feedback_id
"""


def erase_comment(session: Session, program_id: UUID, feedback_id: str, *, actor: str, now: datetime) -> Feedback:
    """Erase the comment of an answer, and remember who had it erased. The score stays. Refuses: FeedbackNotFound."""
    held = locks.lock_holder(session, program_id, "feedback", feedback_id)
    if held is None:
        raise FeedbackNotFound(feedback_id)
    owner, _ = held
    for erased in erase_comments(session, owner, now=now, only=feedback_id):
        resource = f"feedback/{erased}"
        audit.record(session, program_id, actor=actor, action="feedback.comment_erased", resource=resource, now=now)
    return queries.feedback(session, program_id, feedback_id)


def erase_comments(session: Session, member_id: UUID, *, now: datetime, only: str | None = None) -> list[str]:
    """Erase the comments of a member whom the caller has locked, or only that of one answer; answers of which."""
    return session.rows(_ERASE, (now, member_id, only, only), into=scalar_row)
