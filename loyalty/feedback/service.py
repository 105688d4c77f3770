"""Giving feedback: an answer is kept, and is an activity, so that earning rules can give points for it."""

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from loyalty.activities import service as activities
from loyalty.core.answers import Answer
from loyalty.core.errors import DomainError
from loyalty.core.ids import fingerprint
from loyalty.db.session import Session
from loyalty.earning.domain import CLOCK_SKEW
from loyalty.events import service as facts
from loyalty.feedback import events, queries
from loyalty.feedback.domain import NewFeedback, activity_of, receipt
from loyalty.feedback.errors import AlreadyAnswered, AnsweredInFuture
from loyalty.feedback.models import FeedbackRow
from loyalty.members import locks, receipts
from loyalty.members.domain import LockedMember
from loyalty.members.errors import MemberNotFound
from loyalty.members.receipts import Request
from loyalty.orders.errors import OrderNotFound
from loyalty.programs import queries as programs


def give_feedback(session: Session, program_id: UUID, new: NewFeedback, *, now: datetime) -> Answer:
    """Keep an answer, and award the points that it earns as an activity of the type "feedback".

    Refuses: AnsweredInFuture, MemberNotFound, MemberClosed, MemberSuspended, OrderNotFound, AlreadyAnswered,
    IdempotencyConflict.
    """
    if new.answered_at > now + CLOCK_SKEW:
        raise AnsweredInFuture(new.answered_at, now)
    request = Request("feedback", new.feedback_id, fingerprint(new))
    found = _claim(session, program_id, request, new, now=now)
    if isinstance(found, Answer):
        return found
    if new.order_id is not None:
        _require_unanswered(session, program_id, found, new.order_id, new.kind)
    activity = activity_of(new)
    decided = activities.decide(session, program_id, [activity], now=now)
    earned = decided.outcomes[activity.activity_id]
    if isinstance(earned, DomainError):
        raise earned
    changes = decided.changes
    changes.insert(FeedbackRow, _row(new, found, program_id, now))
    # Members answer before the shop tells; on whose clock, it may seem to have been after.
    at = min(new.answered_at, now)
    told = [events.given(new, found, occurred_at=at)]
    program = programs.current(session, program_id, config_version=found.config_version)
    if program.feedback.is_low(new.kind, new.score):
        told.append(events.low(new, found, occurred_at=at))
    facts.tell(changes, program_id, *told, now=now)
    answer = receipts.keep(changes, request, found.member_id, receipt(new, orjson.loads(earned.body)))
    activities.keep(session, decided)
    return answer


def _claim(
    session: Session, program_id: UUID, request: Request, new: NewFeedback, *, now: datetime
) -> LockedMember | Answer:
    """Lock the member and claim the id; the first answer, if it was taken. Refuses as `give_feedback` does."""
    wanted = [locks.Claim(new.customer_id, request.key, request.content)]
    claim = locks.lock_and_claim(session, program_id, request.kind, wanted, now=now)[request.key]
    if claim.is_new and claim.member is not None:
        return claim.member
    if answer := receipts.answer_given(session, program_id, request):
        return answer
    if claim.member is not None:
        locks.require_active(claim.member)
    raise MemberNotFound(new.customer_id)


def _require_unanswered(session: Session, program_id: UUID, member: LockedMember, order_id: str, kind: str) -> None:
    """Whoever answers about an order has locked its member, so nobody else does so meanwhile."""
    first = queries.answer_about(session, program_id, member.member_id, order_id, kind)
    if first is None:
        raise OrderNotFound(order_id)
    if first:
        raise AlreadyAnswered(order_id, kind, feedback_id=first)


def _row(new: NewFeedback, member: LockedMember, program_id: UUID, now: datetime) -> dict[str, Any]:
    return {
        "member_id": member.member_id,
        "feedback_id": new.feedback_id,
        "program_id": program_id,
        "customer_id": new.customer_id,
        "kind": new.kind,
        "score": new.score,
        "comment": new.comment,
        "comment_erased_at": None,
        "order_id": new.order_id,
        "touchpoint": new.touchpoint,
        "answered_at": new.answered_at,
        "recorded_at": now,
        "activity_id": activity_of(new).activity_id,
    }
