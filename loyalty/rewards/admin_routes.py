"""The catalogue, edited: each reward has a draft, is published, and can be withdrawn."""

from http import HTTPStatus
from typing import Any

from flask import g

from loyalty.access.guard import reading_operation
from loyalty.core import clock
from loyalty.core.errors import IdempotencyConflict, NothingToPublish, PreconditionMissing, Stale
from loyalty.core.findings import Finding
from loyalty.db.paging import Page
from loyalty.db.session import Session
from loyalty.programs import service as programs
from loyalty.rewards import catalogue, editing
from loyalty.rewards import examples as e
from loyalty.rewards import schemas as s
from loyalty.rewards.catalogue import RewardDraft
from loyalty.rewards.domain import NewReward, Reward
from loyalty.rewards.errors import (
    NoPool,
    RewardDraftNotFound,
    RewardInvalid,
    RewardNotFound,
    RewardVersionNotFound,
    RewardWithdrawn,
    StockTooLow,
)
from loyalty.vouchers.errors import DuplicateCodes
from loyalty.web.blueprints import Blueprint, etag, reads, require_version, transactional
from loyalty.web.findings import ReviewSchema
from loyalty.web.idempotency import idempotent
from loyalty.web.openapi import VERSIONED

bp = Blueprint("reward-administration", __name__, url_prefix="/v1/admin/rewards", description="The catalogue, edited.")


@bp.get("")
@reads
@bp.response(200, s.RewardsSchema(), example=e.REWARDS)
def list_all_rewards(session: Session) -> Page[Reward]:
    """Every reward, by code: published, withdrawn, or only a draft, each with what is left of it."""
    return Page(catalogue.rewards(session, g.caller.program_id, now=clock.now()), None)


@bp.get("/<code:code>")
@bp.refuses(RewardNotFound)
@reads
@bp.response(200, s.RewardSchema(), example=e.REWARD, headers=VERSIONED)
def get_reward(session: Session, code: str) -> tuple[Reward, dict[str, str]]:
    """One reward, with its version."""
    reward = catalogue.reward(session, g.caller.program_id, code, now=clock.now())
    return reward, etag(reward.version)


@bp.put("/<code:code>")
@bp.refuses(PreconditionMissing, Stale, RewardInvalid)
@transactional
@bp.arguments(s.NewRewardSchema(), example=e.NEW_REWARD)
@bp.response(200, s.RewardSchema(), example=e.REWARD, headers=VERSIONED)
@bp.alt_response(HTTPStatus.CREATED, schema=s.RewardSchema(), example=e.REWARD, headers=VERSIONED, success=True)
def put_reward(session: Session, new: NewReward, code: str) -> tuple[Reward, int, dict[str, str]]:
    """Publish a reward: a new one (201), or another version (200, needs If-Match). `stock` is what is left to give."""
    program_id, actor = g.caller.program_id, str(g.caller.key_id)
    programs.touch(session, program_id)
    version = catalogue.version_of(session, program_id, code)
    require_version(version, existing=version > 0)
    reward = editing.put_reward(session, program_id, code, new, actor=actor, now=clock.now())
    return reward, HTTPStatus.OK if version else HTTPStatus.CREATED, etag(reward.version)


@bp.post("/<code:code>/withdraw")
@bp.refuses(RewardNotFound, RewardWithdrawn, IdempotencyConflict)
@transactional
@idempotent
@bp.response(200, s.RewardSchema(), example=e.WITHDRAWN_REWARD)
def withdraw_reward(session: Session, code: str) -> Reward:
    """Take a reward out of the catalogue. What is held of it can be confirmed; codes that were given stay good."""
    programs.touch(session, g.caller.program_id)
    return editing.withdraw(session, g.caller.program_id, code, actor=str(g.caller.key_id), now=clock.now())


@bp.get("/<code:code>/versions")
@bp.refuses(RewardNotFound)
@reads
@bp.response(200, s.RewardVersionsSchema(), example=e.REWARD_VERSIONS)
def list_reward_versions(session: Session, code: str) -> Page[dict[str, Any]]:
    """A reward as it was published, or withdrawn, each time, newest first."""
    return Page(catalogue.versions(session, g.caller.program_id, code), None)


@bp.get("/<code:code>/versions/<version:version>")
@bp.refuses(RewardNotFound, RewardVersionNotFound)
@reads
@bp.response(200, s.RewardVersionSchema(), example=e.REWARD_VERSION)
def get_reward_version(session: Session, code: str, version: int) -> dict[str, Any]:
    """A reward as it was published once."""
    return catalogue.version(session, g.caller.program_id, code, version)


@bp.get("/<code:code>/draft")
@bp.refuses(RewardDraftNotFound)
@reads
@bp.response(200, s.RewardDraftSchema(), example=e.REWARD_DRAFT, headers=VERSIONED)
def get_reward_draft(session: Session, code: str) -> tuple[RewardDraft, dict[str, str]]:
    """The draft of a reward; where nobody has begun one, the published one, to begin from."""
    draft = catalogue.begun_draft(session, g.caller.program_id, code)
    return draft, etag(draft.version)


@bp.put("/<code:code>/draft")
@bp.refuses(PreconditionMissing, Stale)
@transactional
@bp.arguments(s.NewRewardSchema(), example=e.NEW_REWARD)
@bp.response(200, s.RewardDraftSchema(), example=e.REWARD_DRAFT, headers=VERSIONED)
def put_reward_draft(session: Session, new: NewReward, code: str) -> tuple[RewardDraft, dict[str, str]]:
    """Replace the draft of a reward. Needs If-Match with the ETag of one that is begun. Nothing changes for members."""
    program_id = g.caller.program_id
    programs.hold_still(session, program_id)
    current = catalogue.draft(session, program_id, code)
    require_version(current.version, existing=current.begun)
    draft = editing.save_draft(session, program_id, code, new, actor=str(g.caller.key_id), now=clock.now())
    return draft, etag(draft.version)


@bp.post("/<code:code>/check")
@reading_operation
@bp.refuses(RewardDraftNotFound, NothingToPublish)
@reads
@bp.response(200, ReviewSchema(), example=e.REWARD_REVIEW)
def check_reward(session: Session, code: str) -> list[Finding]:
    """What is wrong with the draft of a reward, and what is probably not meant. Nothing is stored."""
    return editing.review(session, g.caller.program_id, code, now=clock.now())


@bp.post("/<code:code>/publish")
@bp.refuses(RewardDraftNotFound, NothingToPublish, RewardInvalid, IdempotencyConflict)
@transactional
@idempotent
@bp.response(200, s.RewardSchema(), example=e.REWARD)
def publish_reward(session: Session, code: str) -> Reward:
    """Publish the draft of a reward. Where it names another stock than was last given, that is what is left now."""
    programs.touch(session, g.caller.program_id)
    return editing.publish(session, g.caller.program_id, code, actor=str(g.caller.key_id), now=clock.now())


@bp.post("/<code:code>/stock")
@bp.refuses(RewardNotFound, StockTooLow, IdempotencyConflict)
@transactional
@idempotent
@bp.arguments(s.StockChangeSchema(), example=e.STOCK_CHANGE)
@bp.response(200, s.RewardSchema(), example=e.REWARD)
def change_reward_stock(session: Session, given: dict[str, int], code: str) -> Reward:
    """There are so many more to give than there were, or fewer, whatever is redeemed meanwhile."""
    program_id, actor = g.caller.program_id, str(g.caller.key_id)
    return editing.change_stock(session, program_id, code, **given, actor=actor, now=clock.now())


@bp.post("/<code:code>/codes")
@bp.refuses(RewardNotFound, NoPool, DuplicateCodes, IdempotencyConflict)
@transactional
@idempotent
@bp.arguments(s.NewCodesSchema(), example=e.NEW_CODES)
@bp.response(HTTPStatus.CREATED, s.CodesAddedSchema(), example=e.CODES_ADDED)
def add_reward_codes(session: Session, given: dict[str, list[str]], code: str) -> dict[str, Any]:
    """Upload codes that the reward gives, each to one member and only once. All are taken, or none."""
    program_id, actor = g.caller.program_id, str(g.caller.key_id)
    return editing.add_codes(session, program_id, code, given["codes"], actor=actor, now=clock.now())
