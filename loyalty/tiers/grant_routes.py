"""Tiers by hand, and those that members bring along."""

from typing import Any

from flask import g

from loyalty.core import clock
from loyalty.core.errors import IdempotencyConflict
from loyalty.db.session import Session
from loyalty.members.errors import MemberClosed, MemberNotFound
from loyalty.tiers import grant_examples as examples
from loyalty.tiers import grant_schemas as schemas
from loyalty.tiers import manual
from loyalty.tiers.errors import LadderNotFound, NotPinned, TierUnknown
from loyalty.tiers.manual import BroughtTier, NewPin
from loyalty.web.blueprints import Blueprint, transactional
from loyalty.web.idempotency import idempotent

bp = Blueprint("tier-grants", __name__, url_prefix="/v1/members", description="Tiers given by hand.")
admin = Blueprint(
    "ladder-members", __name__, url_prefix="/v1/admin/ladder", description="Tiers that are brought along."
)


@bp.post("/<shop_id:customer_id>/tier/pin")
@bp.refuses(MemberNotFound, MemberClosed, LadderNotFound, TierUnknown, IdempotencyConflict)
@transactional
@idempotent
@bp.arguments(schemas.NewPinSchema(), example=examples.NEW_PIN)
@bp.response(200, schemas.PinnedSchema(), example=examples.PINNED)
def pin_tier(session: Session, new: NewPin, customer_id: str) -> dict[str, Any]:
    """Let a member have a tier at least until a date, instead of what was pinned before.

    Buying may lift the member higher. When the pin ends, the member has what was reached by buying.
    """
    program_id, actor = g.caller.program_id, str(g.caller.key_id)
    return manual.pin(session, program_id, customer_id, new, actor=actor, now=clock.now())


@bp.post("/<shop_id:customer_id>/tier/unpin")
@bp.refuses(MemberNotFound, MemberClosed, LadderNotFound, NotPinned, IdempotencyConflict)
@transactional
@idempotent
@bp.arguments(schemas.UnpinSchema(), example=examples.UNPIN)
@bp.response(200, schemas.PinnedSchema(), example=examples.UNPINNED)
def unpin_tier(session: Session, wanted: dict[str, str], customer_id: str) -> dict[str, Any]:
    """End what is pinned, now: the member has what was reached by buying."""
    program_id, actor = g.caller.program_id, str(g.caller.key_id)
    return manual.unpin(session, program_id, customer_id, wanted["reason"], actor=actor, now=clock.now())


@admin.post("/members")
@admin.refuses(LadderNotFound, IdempotencyConflict)
@transactional
@idempotent
@admin.arguments(schemas.BroughtTiersSchema(), example=examples.BROUGHT)
@admin.response(200, schemas.BroughtOutcomesSchema(), example=examples.OUTCOMES)
def import_member_tiers(session: Session, sent: dict[str, list[BroughtTier]]) -> dict[str, Any]:
    """Take over the tiers that members had in another program; each has an outcome of its own.

    A tier counts as if it had been reached here, at that time. Another one for the same member replaces the former;
    the very same changes nothing.
    """
    program_id, actor = g.caller.program_id, str(g.caller.key_id)
    return {"data": manual.bring_members(session, program_id, sent["members"], actor=actor, now=clock.now())}
