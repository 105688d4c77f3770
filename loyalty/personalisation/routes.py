"""What members are offered, and what they do with it."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import Response, g

from loyalty.core import clock
from loyalty.core.errors import IdempotencyConflict
from loyalty.db.session import Session
from loyalty.members.errors import MemberClosed, MemberNotFound, MemberSuspended
from loyalty.offers.errors import (
    AssignmentDismissed,
    AssignmentExpired,
    AssignmentNotFound,
    AssignmentRedeemed,
    OfferBudgetExhausted,
)
from loyalty.personalisation import examples, schemas, service
from loyalty.vouchers.errors import VoucherUsed
from loyalty.web.blueprints import Blueprint, reads_first, transactional
from loyalty.web.requests import json_answer, stored_answer

bp = Blueprint("member-offers", __name__, url_prefix="/v1", description="Offers that fit the member, and why.")


@bp.get("/members/<shop_id:customer_id>/offers")
@bp.refuses(MemberNotFound, MemberClosed, MemberSuspended)
@reads_first
@bp.arguments(schemas.MemberOffersQuerySchema(), location="query")
@bp.response(200, schemas.MemberOffersSchema(), example=examples.MEMBER_OFFERS)
def list_member_offers(session: Session, query: dict[str, Any], customer_id: str) -> Response:
    """What a member is offered: what they have already, and what fits them best in the places that are free.

    An offer stays until it is used or over. Members of the program's holdout are given nothing: `holdout` is true.
    """
    found = service.member_offers(session, g.caller.program_id, customer_id, **query, now=clock.now())
    return json_answer(found)


@bp.post("/assignments/<uuid:assignment_id>/seen")
@bp.refuses(
    AssignmentNotFound, AssignmentExpired, AssignmentRedeemed, AssignmentDismissed, OfferBudgetExhausted, MemberClosed,
    MemberSuspended, IdempotencyConflict,
)  # fmt: skip
@transactional
@bp.response(200, schemas.AssignmentStepSchema(), example=examples.SEEN)
def see_offer(session: Session, assignment_id: UUID) -> Response:
    """Say that the member was shown an offer. Again, it is answered with the first answer."""
    answer = service.become(session, g.caller.program_id, assignment_id, "seen", now=clock.now())
    return stored_answer(answer, HTTPStatus.OK)


@bp.post("/assignments/<uuid:assignment_id>/activate")
@bp.refuses(
    AssignmentNotFound, AssignmentExpired, AssignmentRedeemed, AssignmentDismissed, OfferBudgetExhausted, MemberClosed,
    MemberSuspended, IdempotencyConflict,
)  # fmt: skip
@transactional
@bp.response(200, schemas.AssignmentStepSchema(), example=examples.ACTIVATED)
def activate_offer(session: Session, assignment_id: UUID) -> Response:
    """Say that the member wants an offer: it counts from now on. Again, it is answered with the first answer."""
    answer = service.become(session, g.caller.program_id, assignment_id, "activated", now=clock.now())
    return stored_answer(answer, HTTPStatus.OK)


@bp.post("/assignments/<uuid:assignment_id>/dismiss")
@bp.refuses(
    AssignmentNotFound, AssignmentExpired, AssignmentRedeemed, AssignmentDismissed, OfferBudgetExhausted, VoucherUsed,
    MemberClosed, MemberSuspended, IdempotencyConflict,
)  # fmt: skip
@transactional
@bp.response(200, schemas.AssignmentStepSchema(), example=examples.DISMISSED)
def dismiss_offer(session: Session, assignment_id: UUID) -> Response:
    """Say that the member does not want an offer; its voucher is void. Again, it is answered with the first answer."""
    answer = service.become(session, g.caller.program_id, assignment_id, "dismissed", now=clock.now())
    return stored_answer(answer, HTTPStatus.OK)
