"""What happened in the caller's program."""

from typing import Any

from flask import g

from loyalty.db.paging import Page
from loyalty.db.session import Session
from loyalty.events import queries
from loyalty.events.examples import FACTS
from loyalty.events.queries import RecordedFact
from loyalty.events.schemas import FactsQuerySchema, FactsSchema
from loyalty.web.blueprints import Blueprint, reads

bp = Blueprint("events", __name__, url_prefix="/v1/events", description="What happened.")


@bp.get("")
@reads
@bp.arguments(FactsQuerySchema(), location="query")
@bp.response(200, FactsSchema(), example=FACTS)
def list_facts(session: Session, wanted: dict[str, Any]) -> Page[RecordedFact]:
    """What happened, oldest first, in an order in which nothing is ever inserted later.

    To follow the log, ask with `after` = the `cursor` of the last fact you dealt with, as often as you like: an answer
    without facts means that there is nothing new yet. `event_id` tells a fact from every other. A fact is shown as soon
    as every transaction that began before its own has ended, which is at once unless one of them is slow.
    """
    return queries.facts(session, g.caller.program_id, **wanted)
