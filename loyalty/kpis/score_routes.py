"""What may be expected of a member."""

from typing import Any

from flask import g

from loyalty.core import clock
from loyalty.db.session import Session
from loyalty.kpis import score_examples as examples
from loyalty.kpis import score_schemas as schemas
from loyalty.kpis import scores
from loyalty.members.errors import MemberNotFound
from loyalty.web.blueprints import Blueprint, reads

bp = Blueprint("scores", __name__, url_prefix="/v1/members", description="What may be expected of a member.")


@bp.get("/<shop_id:customer_id>/scores")
@bp.refuses(MemberNotFound)
@reads
@bp.response(200, schemas.MemberScoresSchema(), example=examples.SCORES)
def get_member_scores(session: Session, customer_id: str) -> dict[str, Any]:
    """How likely a member is not to buy in the next 90 days, what will be spent, and the numbers that say so.

    It says what members like this one did, as far as orders show it; not why, and not what an offer would change.
    """
    return scores.member_scores(session, g.caller.program_id, customer_id, now=clock.now())
