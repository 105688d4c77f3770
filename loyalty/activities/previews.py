"""What an activity would earn, and why a recorded one earned what it did. Nothing here is locked or written."""

from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.activities import queries
from loyalty.activities.domain import NewActivity, receipt
from loyalty.activities.service import case_of, refusal, rules_for
from loyalty.db.session import Session
from loyalty.earning import judging
from loyalty.earning import queries as earning
from loyalty.earning.crediting import enter
from loyalty.earning.domain import Activity
from loyalty.earning.explaining import refusals
from loyalty.earning.records import judged_from
from loyalty.earning.worth import worth
from loyalty.ledger import service as ledger
from loyalty.members import locks
from loyalty.members import queries as members
from loyalty.programs import queries as programs
from loyalty.programs.domain import POINTS


def preview_activity(session: Session, program_id: UUID, activity: NewActivity, *, now: datetime) -> dict[str, Any]:
    """What recording the activity would answer, and which rules would give nothing, and why.

    Refuses what recording it would refuse: ActivityReserved, OccurredInFuture, MemberNotFound, MemberClosed,
    MemberSuspended.
    """
    if refused := refusal(activity, now):
        raise refused
    program = programs.load(session, program_id)
    rules = rules_for(session, program, activity, now)
    member = members.member(session, program_id, activity.customer_id)
    locks.require_active(member)
    book = ledger.foresee_book(session, program, member.member_id, now=now, since=activity.occurred_at)
    verdict = judging.foresee(session, program, case_of(activity, member, rules), now=now)
    enter(book, activity, verdict.judgement, reference=activity.activity_id)
    answer = receipt(activity, verdict.judgement.awards, ledger.brief(book, POINTS), verdict.tier, now=now)
    told = {"status": "preview", "rules_version": rules.version}
    return answer | told | {"refused": refusals(activity, rules, program, verdict.judged.facts, verdict.judgement)}


def explain_activity(session: Session, program_id: UUID, activity_id: str) -> dict[str, Any]:
    """Every rule that judged an activity: what it gave, or why it gave nothing, with the values it saw then.

    Refuses: ActivityNotFound.
    """
    found = queries.activity(session, program_id, activity_id)
    judged = judged_from(found.judged)
    assert judged is not None, "it was kept from the first activity on"
    program = programs.at_version(session, program_id, judged.settings)
    activity = Activity(type=found.type, occurred_at=found.occurred_at, properties=found.properties)
    rules = earning.rules_of(session, programs.current(session, program_id), judged.rules)
    refused = refusals(activity, rules, program, judged.facts, worth(activity, rules, program, judged.facts))
    given = {award["rule"]["code"] for award in found.awards}
    return {
        "activity_id": activity_id,
        "customer_id": found.customer_id,
        "type": found.type,
        "occurred_at": found.occurred_at,
        "rules_version": rules.version,
        "awards": found.awards,
        "refused": [each for each in refused if each["rule"]["code"] not in given],
    }
