"""The tier of a member: how it stands, what comes, and how it came to be."""

from typing import Any

from flask import g

from loyalty.core import clock
from loyalty.db.paging import Page, Window
from loyalty.db.session import Session
from loyalty.members.errors import MemberNotFound
from loyalty.tiers import member_examples as examples
from loyalty.tiers import member_queries as queries
from loyalty.tiers import member_schemas as schemas
from loyalty.tiers.errors import LadderNotFound
from loyalty.web.arguments import WindowSchema
from loyalty.web.blueprints import Blueprint, reads

bp = Blueprint("tiers", __name__, url_prefix="/v1/members", description="Which tier a member has, and what comes next.")


@bp.get("/<shop_id:customer_id>/tier")
@bp.refuses(MemberNotFound, LadderNotFound)
@reads
@bp.arguments(schemas.LocaleQuerySchema(), location="query")
@bp.response(200, schemas.TierStandingSchema(), example=examples.TIER)
def get_member_tier(session: Session, query: dict[str, str], customer_id: str) -> dict[str, Any]:
    """A member's tier: until when, what is missing to the next one and to keep it, and what comes if nothing happens.

    What is written for people is in the member's language.
    """
    return queries.member_tier(session, g.caller.program_id, customer_id, **query, now=clock.now())


@bp.get("/<shop_id:customer_id>/tier/history")
@bp.refuses(MemberNotFound)
@reads
@bp.arguments(WindowSchema(), location="query")
@bp.response(200, schemas.TierHistorySchema(), example=examples.HISTORY)
def list_tier_history(session: Session, window: Window, customer_id: str) -> Page[dict[str, Any]]:
    """The changes of a member's tier, as they were recorded, newest first."""
    return queries.history(session, g.caller.program_id, customer_id, window)


@bp.get("/<shop_id:customer_id>/tier/evaluations")
@bp.refuses(MemberNotFound)
@reads
@bp.arguments(WindowSchema(), location="query")
@bp.response(200, schemas.TierEvaluationsSchema(), example=examples.EVALUATIONS)
def list_tier_evaluations(session: Session, window: Window, customer_id: str) -> Page[dict[str, Any]]:
    """What was seen whenever a member's tier was judged, newest first: the proof of why it is what it is."""
    return queries.evaluations(session, g.caller.program_id, customer_id, window)
