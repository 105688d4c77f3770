"""Recording and reading activities."""

from http import HTTPStatus
from typing import Any

from flask import Response, g

from loyalty.access.guard import reading_operation
from loyalty.activities import cancelling, previews, queries, service
from loyalty.activities.domain import NewActivity, RecordedActivity
from loyalty.activities.errors import ActivityNotFound, ActivityReserved, OccurredInFuture
from loyalty.activities.examples import (
    ACTIVITY,
    ACTIVITY_CANCELLATION,
    ACTIVITY_EXPLANATION,
    ACTIVITY_PREVIEW,
    ACTIVITY_RECEIPT,
    NEW_ACTIVITY,
)
from loyalty.activities.schemas import (
    ActivityCancellationSchema,
    ActivityExplanationSchema,
    ActivityPreviewSchema,
    ActivityReceiptSchema,
    ActivitySchema,
    NewActivitySchema,
)
from loyalty.core import clock
from loyalty.core.errors import IdempotencyConflict
from loyalty.db.session import Session
from loyalty.members.errors import MemberClosed, MemberNotFound, MemberSuspended
from loyalty.web.arguments import NothingSchema
from loyalty.web.blueprints import Blueprint, reads, transactional
from loyalty.web.idempotency import idempotent
from loyalty.web.requests import stored_answer

bp = Blueprint("activities", __name__, url_prefix="/v1/activities", description="What members do besides buying.")


@bp.post("")
@bp.refuses(MemberNotFound, MemberClosed, MemberSuspended, ActivityReserved, OccurredInFuture, IdempotencyConflict)
@transactional
@bp.arguments(NewActivitySchema(), example=NEW_ACTIVITY)
@bp.response(HTTPStatus.CREATED, ActivityReceiptSchema(), example=ACTIVITY_RECEIPT)
def record_activity(session: Session, activity: NewActivity) -> Response:
    """Record an activity and award the points it earns. The same activity again is answered with the first answer."""
    answer = service.record_activity(session, g.caller.program_id, activity, now=clock.now())
    return stored_answer(answer, HTTPStatus.CREATED)


@bp.post("/preview")
@bp.refuses(MemberNotFound, MemberClosed, MemberSuspended, ActivityReserved, OccurredInFuture)
@reading_operation
@reads
@bp.arguments(NewActivitySchema(), example=NEW_ACTIVITY)
@bp.response(HTTPStatus.OK, ActivityPreviewSchema(), example=ACTIVITY_PREVIEW)
def preview_activity(session: Session, activity: NewActivity) -> dict[str, Any]:
    """What recording this activity now would earn, and why each other rule would give nothing. Nothing is written."""
    return previews.preview_activity(session, g.caller.program_id, activity, now=clock.now())


@bp.get("/<shop_id:activity_id>")
@bp.refuses(ActivityNotFound)
@reads
@bp.response(HTTPStatus.OK, ActivitySchema(), example=ACTIVITY)
def get_activity(session: Session, activity_id: str) -> RecordedActivity:
    """One activity, as reported, with what it earned when it was recorded."""
    return queries.activity(session, g.caller.program_id, activity_id)


@bp.get("/<shop_id:activity_id>/explanation")
@bp.refuses(ActivityNotFound)
@reads
@bp.response(HTTPStatus.OK, ActivityExplanationSchema(), example=ACTIVITY_EXPLANATION)
def explain_activity(session: Session, activity_id: str) -> dict[str, Any]:
    """Why an activity earned what it did: every rule that judged it, with the values it saw then."""
    return previews.explain_activity(session, g.caller.program_id, activity_id)


@bp.post("/<shop_id:activity_id>/cancel")
@bp.refuses(ActivityNotFound, IdempotencyConflict)
@transactional
@idempotent
@bp.arguments(NothingSchema(), example={})
@bp.response(HTTPStatus.OK, ActivityCancellationSchema(), example=ACTIVITY_CANCELLATION)
def cancel_activity(session: Session, _nothing: dict[str, Any], activity_id: str) -> Response:
    """Take back what an activity earned: it did not happen. Once more is answered with the first answer."""
    answer = cancelling.cancel_activity(session, g.caller.program_id, activity_id, now=clock.now())
    return stored_answer(answer, HTTPStatus.OK)
