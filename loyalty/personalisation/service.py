"""What members are offered, and what they do with it."""

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from loyalty.core.answers import Answer
from loyalty.db.session import Session
from loyalty.db.writer import Changes, write
from loyalty.earning import reserving
from loyalty.events import service as facts
from loyalty.members import locks
from loyalty.members.domain import LockedMember
from loyalty.offers import assignments, events, life
from loyalty.offers.domain import Assignment
from loyalty.offers.errors import AssignmentNotFound, OfferBudgetExhausted
from loyalty.offers.life import Step
from loyalty.offers.models import AssignmentRow
from loyalty.offers.queries import sets_of
from loyalty.personalisation import gathering, giving, presenting
from loyalty.personalisation.ranking import InList
from loyalty.personalisation.reasons import sentence
from loyalty.personalisation.selecting import Selection, Wish, select
from loyalty.programs import queries as programs
from loyalty.programs.domain import Program
from loyalty.vouchers import service as vouchers

# Why the voucher of an offer was withdrawn, as it is told.
DISMISSED = "offer dismissed"


def member_offers(
    session: Session, program_id: UUID, customer_id: str, *, limit: int, list: InList | None = None,  # noqa: A002
    locale: str | None = None, now: datetime,
) -> dict[str, Any]:  # fmt: skip
    """The offers that a member has, the best first; free places are filled first, under the member's lock.

    Refuses: MemberNotFound, MemberClosed, MemberSuspended.
    """
    program = programs.current(session, program_id)
    who = gathering.holder(session, program_id, customer_id, now=now)
    locks.require_active(who)
    wish = Wish(limit, list)
    found = select(session, program, who, wish, now=now)
    new: tuple[Assignment, ...] = ()
    if found.chosen():
        session.begin_together()
        found, new = _give(session, program, customer_id, found, wish, now=now)
    tag = locale or who.locale or program.locale
    held = [] if found.withheld else [each for each in (*found.who.shown, *new) if list in (None, each.in_list)]
    scored = presenting.by_score(held, found.ranked)[:limit]
    return {
        "customer_id": customer_id,
        "as_of": now,
        "locale": tag,
        "data": presenting.Showing(found.sets, tag, sentence).offers(scored),
        "holdout": found.withheld,
    }


def become(session: Session, program_id: UUID, assignment_id: UUID, what: Step, *, now: datetime) -> Answer:
    """Note that a member saw, activated or dismissed an offer. Again, it is answered as it was then.

    Refuses: AssignmentNotFound, AssignmentExpired, AssignmentRedeemed, AssignmentDismissed, OfferBudgetExhausted,
    MemberClosed, MemberSuspended.
    """
    found = assignments.assignment(session, program_id, assignment_id)
    member = None if found is None else locks.lock_by_id(session, found.member_id)
    # Under the lock: it may have become something else meanwhile.
    given = None if member is None else assignments.assignment(session, program_id, assignment_id)
    if member is None or given is None:
        raise AssignmentNotFound(assignment_id)
    after = life.step(given, what, now=now)
    if after is None:
        return Answer(_told(given, what), replayed=True)
    locks.require_active(member)
    program = programs.current(session, program_id, config_version=member.config_version)
    sets = sets_of(session, program, [given])
    offer = sets.offer(given.offer_code, given.offer_version)
    changes = Changes()
    if what == "activated":
        after = giving.activate(session, changes, program, member, offer=offer, given=after, now=now)
        if after is None:
            raise OfferBudgetExhausted(offer.code)
    elif what == "dismissed" and after.voucher_code is not None:
        vouchers.void(session, program_id, after.voucher_code, reason=DISMISSED, now=now)
    changes.update(AssignmentRow, assignments.life_of(after))
    fact = events.assignment_became(
        what, (member.member_id, member.customer_id), assignment_id=assignment_id, offer=offer.code, title=offer.title,
        valid_to=after.valid_to, occurred_at=now,
    )  # fmt: skip
    facts.tell(changes, program_id, fact, now=now)
    write(session, changes)
    if what == "dismissed":
        reserving.give_back(session, program_id, giving.returned(sets, [after]))
    return Answer(_told(after, what))


def _give(
    session: Session, program: Program, customer_id: str, found: Selection, wish: Wish, *, now: datetime
) -> tuple[Selection, tuple[Assignment, ...]]:
    """Give what was chosen, or what is chosen now, if anything has changed before the member was locked."""
    member: LockedMember = locks.lock_member(session, program.program_id, customer_id)
    locks.require_active(member)
    current = programs.current(session, program.program_id, config_version=member.config_version)
    who = gathering.locked_holder(session, member, now=now)
    if who.held != found.who.held or current.config_version != program.config_version:
        found = select(session, current, who, wish, now=now)
    if not found.chosen():
        return found, ()
    new = giving.give(session, current, member, found.chosen, scope="program" if found.withheld else None, now=now)
    return found, tuple(each for each in new if each.holdout is None)


def _told(given: Assignment, what: Step) -> bytes:
    told = {
        "assignment_id": given.assignment_id,
        "offer": given.offer_code,
        "status": what,
        "at": life.done_at(given, what),
        "valid_to": given.valid_to,
        "voucher": given.voucher_code if what == "activated" else None,
    }
    return orjson.dumps(told, option=orjson.OPT_UTC_Z)
