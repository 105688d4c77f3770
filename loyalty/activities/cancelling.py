"""Taking back what an activity earned: the review was not one."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.activities import events, queries
from loyalty.activities.errors import ActivityNotFound
from loyalty.activities.models import ActivityRow
from loyalty.activities.queries import AwardedActivity
from loyalty.core import calendar
from loyalty.core.answers import Answer
from loyalty.core.ids import fingerprint
from loyalty.db.session import Session
from loyalty.db.writer import Changes, write
from loyalty.earning import queries as earning
from loyalty.earning import undoing
from loyalty.earning.counting import Tally
from loyalty.earning.records import judged_from
from loyalty.earning.tiering import change_of
from loyalty.events import service as facts
from loyalty.ledger import service as ledger
from loyalty.ledger.book import Book
from loyalty.ledger.settling import settle
from loyalty.members import locks, receipts
from loyalty.members.receipts import Request
from loyalty.programs import queries as programs
from loyalty.programs.domain import POINTS, Program
from loyalty.tiers.domain import Amounts
from loyalty.tiers.keeping import changes_of
from loyalty.tiers.recounting import take_back
from loyalty.tiers.standing import News


def cancel_activity(session: Session, program_id: UUID, activity_id: str, *, now: datetime) -> Answer:
    """Take back what an activity earned, as it would be for an order, and close it. Refuses: ActivityNotFound."""
    owner = locks.holder(session, program_id, "activity", activity_id)
    if owner is None:
        raise ActivityNotFound(activity_id)
    member = locks.lock_by_id(session, owner.member_id)
    assert member is not None, "an activity belongs to a member"
    request = Request("activity-cancellation", activity_id, fingerprint(activity_id))
    if answer := receipts.first_answer(session, program_id, request, owner.member_id):
        return answer
    activity = queries.awarded_activity(session, owner.member_id, activity_id)
    program = programs.current(session, program_id, config_version=member.config_version)
    book = ledger.open_book(session, program, member, now=now)
    told = _take_back(session, activity, program, book)
    fact = events.cancelled(activity_id, activity.type, member, points=told["points"]["reversed"], occurred_at=now)
    changes = Changes()
    facts.tell(changes, program_id, fact, now=now)
    changes.add(ledger.changes_of(book, program_id, now=now))
    changes.add(_uncounted(session, activity, program, book).changes(program_id))
    less = Amounts(points=-sum(award.points for award in activity.awards if award.unit == POINTS))
    news = News(min(activity.occurred_at, activity.recorded_at), less, "cancellation", activity_id)
    before, after, ladders = take_back(session, program, member, news, now=now)
    changes.add(changes_of(after, ladders, program_id, member.customer_id, now=now))
    tier = change_of(before, after)
    row = {"member_id": owner.member_id, "activity_id": activity_id, "status": "cancelled", "cancelled_at": now}
    changes.update(ActivityRow, row)
    answer = receipts.keep(changes, request, owner.member_id, {**told, "tier": tier and asdict(tier)})
    write(session, changes)
    return answer


def _take_back(session: Session, activity: AwardedActivity, program: Program, book: Book) -> dict[str, Any]:
    taken = undoing.take_back(
        session, book, activity.member_id, [(award, award.points) for award in activity.awards],
        settings=program.returns, counted={},
        because=undoing.Because(None, activity.activity_id, "activity cancelled"),
    )  # fmt: skip
    settle(book, book.now)
    names = ("reversed", "expired", "debt", "forgiven")
    in_points = [result for award, result in taken if award.unit == POINTS]
    return {
        "activity_id": activity.activity_id,
        "status": "cancelled",
        "points": {name: sum(getattr(result, name) for result in in_points) for name in names},
        "awards": [undoing.shown(award, result) for award, result in taken],
        "balance": ledger.brief(book, POINTS),
    }


def _uncounted(session: Session, activity: AwardedActivity, program: Program, book: Book) -> Tally:
    """What rules gave for it no longer counts as given. When they last gave stays: a cooldown runs on."""
    tally = Tally()
    judged = judged_from(activity.judged)
    assert judged is not None, "it was kept from the first activity on"
    rules = earning.rules_of(session, program, judged.rules).by_code
    local = activity.occurred_at.astimezone(calendar.zone(program.time_zone))
    for award in activity.awards:
        if (rule := rules.get(award.rule_code)) is not None:
            tally.taken_back(book.member_id, rule, local, points=award.points, wholly=True)
    return tally
