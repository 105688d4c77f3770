"""Giving a member offers, or noting what is held out from them: under the member's lock, all that is chosen at once."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from loyalty.core.ids import new_id
from loyalty.db.session import Session
from loyalty.db.writer import Changes, write
from loyalty.earning import reserving
from loyalty.events import service as facts
from loyalty.members.domain import LockedMember
from loyalty.offers import events
from loyalty.offers.assignments import row_of
from loyalty.offers.domain import Assignment, Offer, OfferSets, Scope, rule_code
from loyalty.offers.models import AssignmentRow
from loyalty.offers.promising import promised, reserved, voucher_value
from loyalty.personalisation.choosing import EXPLORATION, Chosen
from loyalty.personalisation.explaining import Reason
from loyalty.personalisation.ranking import Ranked
from loyalty.programs.domain import Program
from loyalty.vouchers import service as vouchers
from loyalty.vouchers.domain import VoucherTerms

BY_RANK = "ranking"

# What is chosen if offers that turn out to have nothing left are not among those to choose from.
Choice = Callable[[frozenset[str]], Sequence[Chosen]]


def give(
    session: Session, program: Program, member: LockedMember, choice: Choice, *, scope: Scope | None = None,
    trigger: str = BY_RANK, now: datetime,
) -> list[Assignment]:  # fmt: skip
    """Give what is chosen; with `scope` all of it is held out. Offers with nothing left by then give way to others."""
    chosen = _affordable(session, program, choice, scope)
    made = [_assignment(member, each, scope, trigger, now) for each in chosen]
    changes = Changes()
    given = [
        _activated(session, changes, program, member, offer=each.ranked.offer, given=one, now=now)
        if one.holdout is None and each.ranked.offer.activation == "automatic"
        else one
        for each, one in zip(chosen, made, strict=True)
    ]
    changes.insert(AssignmentRow, *(row_of(program.program_id, one) for one in given))
    for each, one in zip(chosen, given, strict=True):
        if one.holdout is None:
            _tell(changes, program, member, each.ranked.offer, one, now=now)
    write(session, changes)
    return given


def activate(
    session: Session, changes: Changes, program: Program, member: LockedMember, *, offer: Offer, given: Assignment,
    now: datetime,
) -> Assignment | None:  # fmt: skip
    """An assignment that the member has activated, with its voucher if it has one; None if nothing is left to give.

    What it costs is taken before its row is written: whoever waits for the budget waits for little.
    """
    cost = reserved(offer, given.promise)
    code = rule_code(offer.code)
    if cost and not reserving.reserve(session, program.program_id, {code: cost}, {code: offer.limit or 0}):
        return None
    return _activated(session, changes, program, member, offer=offer, given=given, now=now)


def returned(sets: OfferSets, ended: Iterable[Assignment]) -> list[tuple[str, int]]:
    """What budgets get back of offers that ended unused: what their vouchers might have cost."""
    return [
        (rule_code(each.offer_code), reserved(sets.offer(each.offer_code, each.offer_version), each.promise))
        for each in ended
        if each.voucher_code is not None
    ]


def valid_to(offer: Offer, now: datetime) -> datetime:
    """When an offer that is given now is over."""
    end = now + timedelta(days=offer.days)
    return end if offer.valid_to is None else min(end, offer.valid_to)


def stored_reason(reason: Reason) -> dict[str, Any]:
    """A reason as it is kept with what it led to."""
    return {
        "feature": reason.feature, "value": reason.value, "said": dict(reason.said), "orders": list(reason.orders),
    }  # fmt: skip


def _affordable(session: Session, program: Program, choice: Choice, scope: Scope | None) -> Sequence[Chosen]:
    """What is chosen, once the budgets have what it may cost taken out of them."""
    taken: dict[str, int] = {}
    spent: frozenset[str] = frozenset()
    while True:
        chosen = choice(spent)
        costs = {} if scope else {each.ranked.offer.code: each for each in chosen if _cost(each)}
        new = {rule_code(code): _cost(each) for code, each in costs.items() if rule_code(code) not in taken}
        limits = {rule_code(code): each.ranked.offer.limit or 0 for code, each in costs.items()}
        granted = reserving.reserve(session, program.program_id, new, limits)
        taken |= {code: new[code] for code in granted}
        denied = {code for code in costs if rule_code(code) in new.keys() - granted}
        if not denied:
            left_over = taken.keys() - {rule_code(code) for code in costs}
            reserving.give_back(session, program.program_id, [(code, taken[code]) for code in left_over])
            return chosen
        spent |= denied


def _cost(each: Chosen) -> int:
    offer = each.ranked.offer
    if each.held_out or offer.activation != "automatic":
        return 0
    return reserved(offer, promised(offer.promise, each.ranked.probability))


def _assignment(member: LockedMember, each: Chosen, scope: Scope | None, trigger: str, now: datetime) -> Assignment:
    ranked: Ranked = each.ranked
    offer = ranked.offer
    holdout: Scope | None = "offer" if each.held_out else scope
    return Assignment(
        member_id=member.member_id,
        assignment_id=new_id(),
        offer_code=offer.code,
        offer_version=offer.version,
        status="assigned" if holdout is None else "held_out",
        promise=promised(offer.promise, ranked.probability),
        earns=offer.promise.in_points,
        assigned_at=now,
        valid_to=valid_to(offer, now),
        rank=ranked.rank,
        score=ranked.score,
        probability=ranked.probability,
        in_list=ranked.in_list,
        trigger=EXPLORATION if each.explored else trigger,
        reasons=tuple(stored_reason(reason) for reason in ranked.reasons),
        holdout=holdout,
    )


def _activated(
    session: Session, changes: Changes, program: Program, member: LockedMember, *, offer: Offer, given: Assignment,
    now: datetime,
) -> Assignment:  # fmt: skip
    code = None
    if not offer.promise.in_points:
        terms = VoucherTerms(voucher_value(given.promise), expires_at=given.valid_to)
        code = vouchers.issue(
            session, changes, member, terms, program_id=program.program_id, assignment_id=given.assignment_id, now=now
        ).code
    return replace(given, status="activated", activated_at=now, voucher_code=code)


def _tell(
    changes: Changes, program: Program, member: LockedMember, offer: Offer, given: Assignment, *, now: datetime
) -> None:
    who = (member.member_id, member.customer_id)
    told: dict[str, Any] = {
        "assignment_id": given.assignment_id, "offer": offer.code, "title": offer.title, "valid_to": given.valid_to,
    }  # fmt: skip
    assigned = events.assigned(
        who, **told, promise=given.promise, trigger=given.trigger, rank=given.rank, occurred_at=now
    )
    facts.tell(changes, program.program_id, assigned, now=now)
    if given.activated_at is not None:
        activated = events.assignment_became("activated", who, **told, occurred_at=now)
        facts.tell(changes, program.program_id, activated, now=now)
