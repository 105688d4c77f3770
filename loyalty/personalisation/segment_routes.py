"""Segments: what they are, how many members are in them, and who."""

from typing import Any

from flask import g

from loyalty.core import clock
from loyalty.db.paging import Page, Window
from loyalty.db.session import Session
from loyalty.personalisation import segment_examples as examples
from loyalty.personalisation import segment_queries as queries
from loyalty.personalisation.segment_errors import SegmentNotFound
from loyalty.personalisation.segment_queries import SegmentMember
from loyalty.personalisation.segment_schemas import SegmentMembersSchema, ShownSegmentSchema, ShownSegmentsSchema
from loyalty.web.arguments import WindowSchema
from loyalty.web.blueprints import Blueprint, reads

bp = Blueprint(
    "segments", __name__, url_prefix="/v1/admin/segments", description="Segments of members, and who is in them."
)


@bp.get("")
@reads
@bp.response(200, ShownSegmentsSchema(), example=examples.SEGMENTS)
def list_segments(session: Session) -> dict[str, Any]:
    """All segments: those every program has, and those published with the earning rules in force."""
    return queries.segments(session, g.caller.program_id, now=clock.now())


@bp.get("/<code:segment>")
@bp.refuses(SegmentNotFound)
@reads
@bp.response(200, ShownSegmentSchema(), example=examples.SEGMENT)
def get_segment(session: Session, segment: str) -> dict[str, Any]:
    """One segment."""
    return queries.segment(session, g.caller.program_id, segment, now=clock.now())


@bp.get("/<code:segment>/members")
@bp.refuses(SegmentNotFound)
@reads
@bp.arguments(WindowSchema(), location="query")
@bp.response(200, SegmentMembersSchema(), example=examples.SEGMENT_MEMBERS)
def list_segment_members(session: Session, window: Window, segment: str) -> Page[SegmentMember]:
    """Who is in a segment, by the last look at each: a few seconds after they bought, and once a day."""
    return queries.members(session, g.caller.program_id, segment, window, now=clock.now())
