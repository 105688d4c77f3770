"""Giving and reading feedback."""

from http import HTTPStatus
from typing import Any

from flask import Response, g

from loyalty.core import clock
from loyalty.core.errors import IdempotencyConflict
from loyalty.db.paging import Page, Window
from loyalty.db.session import Session
from loyalty.feedback import erasing, examples, queries, schemas, service
from loyalty.feedback.domain import Feedback, NewFeedback
from loyalty.feedback.errors import AlreadyAnswered, AnsweredInFuture, FeedbackNotFound
from loyalty.members.errors import MemberClosed, MemberNotFound, MemberSuspended
from loyalty.orders.errors import OrderNotFound
from loyalty.web.arguments import NothingSchema, WindowSchema
from loyalty.web.blueprints import Blueprint, reads, transactional
from loyalty.web.idempotency import idempotent
from loyalty.web.requests import stored_answer

bp = Blueprint("feedback", __name__, url_prefix="/v1", description="What members say when they are asked how it was.")


@bp.post("/feedback")
@bp.refuses(
    MemberNotFound, MemberClosed, MemberSuspended, AnsweredInFuture, OrderNotFound, AlreadyAnswered,
    IdempotencyConflict,
)  # fmt: skip
@transactional
@bp.arguments(schemas.NewFeedbackSchema(), example=examples.NEW_FEEDBACK)
@bp.response(HTTPStatus.CREATED, schemas.FeedbackReceiptSchema(), example=examples.FEEDBACK_RECEIPT)
def give_feedback(session: Session, feedback: NewFeedback) -> Response:
    """Keep a member's answer, and award the points it earns. The same again is answered with the first answer."""
    answer = service.give_feedback(session, g.caller.program_id, feedback, now=clock.now())
    return stored_answer(answer, HTTPStatus.CREATED)


@bp.get("/feedback")
@reads
@bp.arguments(schemas.FeedbackQuerySchema(), location="query")
@bp.response(HTTPStatus.OK, schemas.FeedbackListSchema(), example=examples.FEEDBACK_LIST)
def list_feedback(session: Session, query: dict[str, Any]) -> Page[Feedback]:
    """What members answered, with their comments, newest first."""
    return queries.all_feedback(session, g.caller.program_id, **query)


@bp.get("/feedback/<shop_id:feedback_id>")
@bp.refuses(FeedbackNotFound)
@reads
@bp.response(HTTPStatus.OK, schemas.FeedbackSchema(), example=examples.FEEDBACK)
def get_feedback(session: Session, feedback_id: str) -> Feedback:
    """One answer. What it earned is read, explained and taken back as that of its activity."""
    return queries.feedback(session, g.caller.program_id, feedback_id)


@bp.post("/feedback/<shop_id:feedback_id>/erase-comment")
@bp.refuses(FeedbackNotFound, IdempotencyConflict)
@transactional
@idempotent
@bp.arguments(NothingSchema(), example={})
@bp.response(HTTPStatus.OK, schemas.FeedbackSchema(), example=examples.FEEDBACK_ERASED)
def erase_comment(session: Session, _nothing: dict[str, Any], feedback_id: str) -> Feedback:
    """Erase what a member wrote; the score stays. Who had it erased stands in the audit log."""
    program_id, actor = g.caller.program_id, str(g.caller.key_id)
    return erasing.erase_comment(session, program_id, feedback_id, actor=actor, now=clock.now())


@bp.get("/members/<shop_id:customer_id>/feedback")
@bp.refuses(MemberNotFound)
@reads
@bp.arguments(WindowSchema(), location="query")
@bp.response(HTTPStatus.OK, schemas.FeedbackListSchema(), example=examples.FEEDBACK_LIST)
def list_member_feedback(session: Session, window: Window, customer_id: str) -> Page[Feedback]:
    """What a member answered, and those who were merged into it, newest first."""
    return queries.feedback_of(session, g.caller.program_id, customer_id, window)
