"""What members can have, and redeeming it."""

from http import HTTPStatus
from typing import Any

from flask import Response, g

from loyalty.core import clock
from loyalty.core.errors import IdempotencyConflict
from loyalty.db.paging import Page, Window
from loyalty.db.session import Session
from loyalty.ledger.errors import InsufficientPoints
from loyalty.members.errors import MemberClosed, MemberNotFound, MemberSuspended
from loyalty.rewards import examples, member_queries, queries, redemption_schemas, resolving, service
from loyalty.rewards import member_schemas as shown
from loyalty.rewards.domain import NewRedemption
from loyalty.rewards.errors import (
    ConditionNotMet,
    LimitReached,
    NotInSegment,
    OutOfStock,
    RedemptionNotConfirmed,
    RedemptionNotFound,
    RedemptionResolved,
    RewardEnded,
    RewardNotFound,
    RewardNotStarted,
    TierTooLow,
)
from loyalty.rewards.queries import ShownRedemption
from loyalty.vouchers.errors import VoucherUsed
from loyalty.web.arguments import WindowSchema
from loyalty.web.blueprints import Blueprint, reads, transactional
from loyalty.web.requests import json_answer, stored_answer

bp = Blueprint("rewards", __name__, url_prefix="/v1", description="What points are spent on.")


@bp.get("/rewards")
@reads
@bp.arguments(redemption_schemas.CatalogueQuerySchema(), location="query")
@bp.response(200, shown.CatalogueSchema(), example=examples.CATALOGUE)
def list_rewards(session: Session, query: dict[str, Any]) -> Response:
    """The catalogue for everybody, by code: what is published now."""
    return json_answer(member_queries.catalogue(session, g.caller.program_id, **query, now=clock.now()))


@bp.get("/members/<shop_id:customer_id>/rewards")
@bp.refuses(MemberNotFound)
@reads
@bp.arguments(redemption_schemas.MemberRewardsQuerySchema(), location="query")
@bp.response(200, shown.MemberRewardsSchema(), example=examples.MEMBER_REWARDS)
def list_member_rewards(session: Session, query: dict[str, Any], customer_id: str) -> Response:
    """What a member can have now, and what keeps the rest away: with every reason, the nearest first.

    What is written for people is in the member's language.
    """
    found = member_queries.member_rewards(session, g.caller.program_id, customer_id, **query, now=clock.now())
    return json_answer(found)


@bp.post("/members/<shop_id:customer_id>/redemptions")
@bp.refuses(
    MemberNotFound, MemberClosed, MemberSuspended, RewardNotFound, RewardNotStarted, RewardEnded, TierTooLow,
    LimitReached, NotInSegment, ConditionNotMet, InsufficientPoints, OutOfStock, IdempotencyConflict,
)  # fmt: skip
@transactional
@bp.arguments(redemption_schemas.NewRedemptionSchema(), example=examples.NEW_REDEMPTION)
@bp.response(HTTPStatus.CREATED, redemption_schemas.RedemptionReceiptSchema(), example=examples.REDEMPTION_RECEIPT)
def redeem_reward(session: Session, wish: NewRedemption, customer_id: str) -> Response:
    """Spend a member's points on a reward, or hold them for it until the redemption is confirmed.

    The same redemption_id again is answered with the first answer.
    """
    answer = service.redeem_reward(session, g.caller.program_id, customer_id, wish, now=clock.now())
    return stored_answer(answer, HTTPStatus.CREATED)


@bp.get("/members/<shop_id:customer_id>/redemptions")
@bp.refuses(MemberNotFound)
@reads
@bp.arguments(WindowSchema(), location="query")
@bp.response(200, redemption_schemas.RedemptionsSchema(), example=examples.REDEMPTIONS)
def list_member_redemptions(session: Session, window: Window, customer_id: str) -> Page[ShownRedemption]:
    """What a member redeemed, newest first."""
    return queries.redemptions_of(session, g.caller.program_id, customer_id, window, now=clock.now())


@bp.get("/redemptions")
@reads
@bp.arguments(redemption_schemas.RedemptionsQuerySchema(), location="query")
@bp.response(200, redemption_schemas.RedemptionsSchema(), example=examples.REDEMPTIONS)
def list_redemptions(session: Session, query: dict[str, Any]) -> Page[ShownRedemption]:
    """The redemptions in one status, newest first: the confirmed ones, unless another is named, are to be fulfilled."""
    return queries.redemptions(session, g.caller.program_id, **query, now=clock.now())


@bp.get("/redemptions/<shop_id:redemption_id>")
@bp.refuses(RedemptionNotFound)
@reads
@bp.response(200, redemption_schemas.RedemptionSchema(), example=examples.REDEMPTION)
def get_redemption(session: Session, redemption_id: str) -> ShownRedemption:
    """One redemption."""
    return queries.redemption(session, g.caller.program_id, redemption_id, now=clock.now())


@bp.post("/redemptions/<shop_id:redemption_id>/confirm")
@bp.refuses(RedemptionNotFound, RedemptionResolved, OutOfStock, IdempotencyConflict)
@transactional
@bp.response(200, redemption_schemas.RedemptionReceiptSchema(), example=examples.REDEMPTION_RECEIPT)
def confirm_redemption(session: Session, redemption_id: str) -> Response:
    """Spend the points that are held, and give what was promised. Again, it is answered with the first answer."""
    return stored_answer(resolving.confirm(session, g.caller.program_id, redemption_id, now=clock.now()), HTTPStatus.OK)


@bp.post("/redemptions/<shop_id:redemption_id>/cancel")
@bp.refuses(RedemptionNotFound, RedemptionResolved, VoucherUsed, IdempotencyConflict)
@transactional
@bp.arguments(redemption_schemas.CancelRedemptionSchema(), example=examples.CANCEL_REDEMPTION)
@bp.response(200, redemption_schemas.CancelledRedemptionSchema(), example=examples.CANCELLED_REDEMPTION)
def cancel_redemption(session: Session, given: dict[str, Any], redemption_id: str) -> Response:
    """Give the points back to the lots they came from, and what was taken to the stock; its code is void.

    Once it is fulfilled, or its code used, there is nothing to cancel. Again, it is answered with the first answer.
    """
    answer = resolving.cancel(session, g.caller.program_id, redemption_id, **given, now=clock.now())
    return stored_answer(answer, HTTPStatus.OK)


@bp.post("/redemptions/<shop_id:redemption_id>/fulfil")
@bp.refuses(RedemptionNotFound, RedemptionNotConfirmed, RedemptionResolved, IdempotencyConflict)
@transactional
@bp.arguments(redemption_schemas.FulfilRedemptionSchema(), example=examples.FULFIL_REDEMPTION)
@bp.response(200, redemption_schemas.FulfilledRedemptionSchema(), example=examples.FULFILLED_REDEMPTION)
def fulfil_redemption(session: Session, given: dict[str, Any], redemption_id: str) -> Response:
    """Say that the member has it. The same reference again is answered with the first answer."""
    answer = resolving.fulfil(session, g.caller.program_id, redemption_id, **given, now=clock.now())
    return stored_answer(answer, HTTPStatus.OK)
