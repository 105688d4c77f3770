"""What happened to one member."""

from typing import Any

from flask import g

from loyalty.core import clock
from loyalty.db.paging import Page
from loyalty.db.session import Session
from loyalty.members.errors import MemberNotFound
from loyalty.timeline import queries
from loyalty.timeline.examples import TIMELINE
from loyalty.timeline.queries import ToldFact
from loyalty.timeline.schemas import TimelineQuerySchema, TimelineSchema
from loyalty.web.blueprints import Blueprint, reads

bp = Blueprint("timeline", __name__, url_prefix="/v1/members", description="What happened to a member.")


@bp.get("/<shop_id:customer_id>/timeline")
@bp.refuses(MemberNotFound)
@reads
@bp.arguments(TimelineQuerySchema(), location="query")
@bp.response(200, TimelineSchema(), example=TIMELINE)
def list_timeline(session: Session, wanted: dict[str, Any], customer_id: str) -> Page[ToldFact]:
    """What happened to a member and to those merged into it, newest first, each in a sentence for the member.

    The sentences are in the member's language (else the program's), or in English where there is none in it. A fact
    that this version has no sentence for is told by its type.
    """
    return queries.timeline(session, g.caller.program_id, customer_id, **wanted, now=clock.now())
