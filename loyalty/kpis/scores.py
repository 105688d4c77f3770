"""Reading the scores of one member. Nothing is written."""

from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.db.session import Session
from loyalty.features import counted
from loyalty.features.queries import features_of
from loyalty.kpis.scoring import Known, scores
from loyalty.members import queries as members
from loyalty.programs import queries as programs


def member_scores(session: Session, program_id: UUID, customer_id: str, *, now: datetime) -> dict[str, Any]:
    """The scores of a member. Refuses: MemberNotFound."""
    program = programs.current(session, program_id)
    member_id = members.member_id_of(session, program_id, customer_id)
    buying = features_of(session, [member_id], levels=(), recent=False)[member_id].buying
    cuts, outlook = counted.cuts_and_outlook(session, program_id)
    known = Known(buying, cuts, outlook)
    return {"customer_id": customer_id, **scores(known, currency=program.currency, now=now)}
