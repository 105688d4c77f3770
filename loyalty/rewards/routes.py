"""The catalogue and redemption."""

from http import HTTPStatus

from flask import Response, g

from loyalty.core import clock
from loyalty.core.errors import IdempotencyConflict, PreconditionMissing, Stale
from loyalty.db.paging import Page, Window
from loyalty.db.session import Session
from loyalty.ledger.errors import InsufficientPoints
from loyalty.members.errors import MemberClosed, MemberNotFound, MemberSuspended
from loyalty.programs import service as programs
from loyalty.rewards import queries, service
from loyalty.rewards.domain import NewRedemption, NewReward, Reward
from loyalty.rewards.errors import OutOfStock, RedemptionNotFound, RewardEnded, RewardNotFound, RewardNotStarted
from loyalty.rewards.examples import NEW_REDEMPTION, NEW_REWARD, REDEMPTION, REDEMPTION_RECEIPT, REWARD, REWARDS
from loyalty.rewards.queries import Redemption
from loyalty.rewards.schemas import (
    NewRedemptionSchema,
    NewRewardSchema,
    RedemptionReceiptSchema,
    RedemptionSchema,
    RewardSchema,
    RewardsSchema,
)
from loyalty.web.arguments import WindowSchema
from loyalty.web.blueprints import Blueprint, etag, reads, require_version, transactional
from loyalty.web.openapi import VERSIONED
from loyalty.web.requests import stored_answer

bp = Blueprint("rewards", __name__, url_prefix="/v1", description="What points are spent on.")
admin = Blueprint(
    "reward-administration", __name__, url_prefix="/v1/admin/rewards", description="The catalogue, edited."
)


@bp.get("/rewards")
@reads
@bp.arguments(WindowSchema(), location="query")
@bp.response(200, RewardsSchema(), example=REWARDS)
def list_rewards(session: Session, window: Window) -> Page[Reward]:
    """The catalogue, by code."""
    return queries.rewards(session, g.caller.program_id, window)


@bp.post("/members/<shop_id:customer_id>/redemptions")
@bp.refuses(
    MemberNotFound, MemberClosed, MemberSuspended, RewardNotFound, RewardNotStarted, RewardEnded, InsufficientPoints,
    OutOfStock, IdempotencyConflict,
)  # fmt: skip
@transactional
@bp.arguments(NewRedemptionSchema(), example=NEW_REDEMPTION)
@bp.response(HTTPStatus.CREATED, RedemptionReceiptSchema(), example=REDEMPTION_RECEIPT)
def redeem_reward(session: Session, wish: NewRedemption, customer_id: str) -> Response:
    """Spend a member's points on a reward. The same redemption_id again is answered with the first answer."""
    answer = service.redeem_reward(session, g.caller.program_id, customer_id, wish, now=clock.now())
    return stored_answer(answer, HTTPStatus.CREATED)


@bp.get("/redemptions/<shop_id:redemption_id>")
@bp.refuses(RedemptionNotFound)
@reads
@bp.response(200, RedemptionSchema(), example=REDEMPTION)
def get_redemption(session: Session, redemption_id: str) -> Redemption:
    """One redemption."""
    return queries.redemption(session, g.caller.program_id, redemption_id)


@admin.get("/<code:code>")
@admin.refuses(RewardNotFound)
@reads
@admin.response(200, RewardSchema(), example=REWARD, headers=VERSIONED)
def get_reward(session: Session, code: str) -> tuple[Reward, dict[str, str]]:
    """One reward, with its version."""
    reward = queries.reward(session, g.caller.program_id, code)
    return reward, etag(reward.version)


@admin.put("/<code:code>")
@admin.refuses(PreconditionMissing, Stale)
@transactional
@admin.arguments(NewRewardSchema(), example=NEW_REWARD)
@admin.response(200, RewardSchema(), example=REWARD, headers=VERSIONED)
@admin.alt_response(HTTPStatus.CREATED, schema=RewardSchema(), example=REWARD, headers=VERSIONED, success=True)
def put_reward(session: Session, new: NewReward, code: str) -> tuple[Reward, int, dict[str, str]]:
    """Create a reward (201) or replace it (200, needs If-Match). `stock` is what is left to give."""
    program_id, actor = g.caller.program_id, str(g.caller.key_id)
    programs.touch(session, program_id)
    version = queries.version_of(session, program_id, code)
    require_version(version, existing=version > 0)
    reward = service.put_reward(session, program_id, code, new, actor=actor, now=clock.now())
    return reward, HTTPStatus.OK if version else HTTPStatus.CREATED, etag(reward.version)
