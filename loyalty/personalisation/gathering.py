"""What giving a member offers depends on, in as few statements as it takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import tuple_row

from loyalty.db.session import Session, array_of
from loyalty.earning import queries as earning
from loyalty.earning.domain import UNKNOWN, Facts, Moment
from loyalty.earning.facts import Beside, Wanted, known_now
from loyalty.earning.situation import Situation
from loyalty.members.domain import LockedMember, Status
from loyalty.members.errors import MemberNotFound
from loyalty.offers.assignments import COLUMNS, assignment_from
from loyalty.offers.domain import Assignment, Offer, OfferSet, OfferSets, rule_code
from loyalty.personalisation.eligibility import Asking, Had, Shelf
from loyalty.programs.domain import Program
from loyalty.tiers.domain import Ladders
from loyalty.tiers.reading import Asked
from loyalty.tiers.standing import Standing, settle, tier_at

_HELD = f"""
(SELECT json_agg(json_build_array({COLUMNS}) ORDER BY a.assignment_id) FROM assignments a
 WHERE a.member_id = m.member_id AND a.closed_at IS NULL AND a.valid_to > %(now)s)
"""
# Whoever does not want offers to be personal is offered what anybody new is.
DECLINES = "coalesce(m.consents -> 'personalisation' = 'false', false)"
_WHO = f"""
SELECT m.member_id, m.customer_id, m.status, m.enrolled_at, m.locale, {DECLINES},
  (SELECT t.customer_id FROM members t WHERE t.member_id = m.merged_into), {_HELD},
  (SELECT format('%%s %%s %%s', f.orders, f.weight, f.redeemed) FROM member_features f WHERE f.member_id = m.member_id)
FROM natural_keys k JOIN members m ON m.member_id = k.member_id
WHERE k.program_id = %(program_id)s AND k.kind = 'member' AND k.key = %(customer_id)s
"""
_AGAIN = f"SELECT m.locale, {DECLINES}, {_HELD} FROM members m WHERE m.member_id = %(member_id)s"

# What the member had of each offer, and those who were merged into it; then what budgets have spent.
_HAD = """
json_build_array(
(WITH RECURSIVE mine (member_id) AS (
    SELECT m.member_id
    UNION ALL
    SELECT s.member_id FROM mine JOIN members s ON s.merged_into = mine.member_id)
 SELECT json_agg(json_build_array(had.offer_code, had.until, had.redeemed)) FROM (
    SELECT a.offer_code, max(CASE a.status WHEN 'redeemed' THEN a.closed_at ELSE a.valid_to END) AS until,
           array_agg(a.closed_at) FILTER (WHERE a.status = 'redeemed') AS redeemed
    FROM mine JOIN assignments a ON a.member_id = mine.member_id
    WHERE NOT (a.member_id = m.member_id AND a.closed_at IS NULL AND a.valid_to > %(had_now)s)
    GROUP BY a.offer_code) had),
(SELECT json_object_agg(b.rule_code, b.spent) FROM rule_budgets b
 WHERE b.program_id = %(had_program)s AND b.rule_code = ANY(%(had_budgets)s::text[]))
) AS beside
"""


@dataclass(frozen=True, slots=True)
class Holder:
    """A member with the offers that are open for them, those held out included.

    `declines`: they do not want offers to be personal. `bought` is another whenever what is known of how they buy is.
    """

    member_id: UUID
    customer_id: str
    status: Status
    enrolled_at: datetime
    locale: str | None
    merged_into: str | None
    held: tuple[Assignment, ...]
    declines: bool
    bought: str | None = None

    @property
    def shown(self) -> tuple[Assignment, ...]:
        """The open offers that the member may know of."""
        return tuple(each for each in self.held if each.holdout is None)


def holder(session: Session, program_id: UUID, customer_id: str, *, now: datetime) -> Holder:
    """A member, in one statement. Refuses: MemberNotFound."""
    where = {"program_id": program_id, "customer_id": customer_id, "now": now}
    found = session.row(_WHO, where, into=tuple_row)
    if found is None:
        raise MemberNotFound(customer_id)
    *about, held, bought = found
    member_id, customer_id, status, enrolled_at, locale, declines, merged_into = about
    theirs = _held(member_id, held)
    return Holder(member_id, customer_id, status, enrolled_at, locale, merged_into, theirs, declines, bought)


def locked_holder(session: Session, member: LockedMember, *, now: datetime) -> Holder:
    """A member whom the caller has locked."""
    found = session.row(_AGAIN, {"member_id": member.member_id, "now": now}, into=tuple_row)
    assert found is not None, "who is locked is there"
    locale, declines, held = found
    return Holder(
        member.member_id, member.customer_id, member.status, member.enrolled_at, locale, member.merged_into,
        _held(member.member_id, held), declines,
    )  # fmt: skip


def shelf(session: Session, program: Program, sets: OfferSets, *, now: datetime) -> Shelf | None:
    """The offers in force, and the segments there are; None where there are no offers. Mostly no statement."""
    in_force = sets.at(now)
    if in_force is None or not in_force.offers:
        return None
    rules = earning.rules_at(session, program, now)
    known = _shelves.get(program.program_id)
    if known is None or known[0] is not in_force or known[1] is not rules:
        known = _shelves[program.program_id] = (in_force, rules, Shelf(in_force, rules.segment_conditions))
    return known[2]


def asking(
    session: Session, program: Program, who: Holder, on: Shelf, candidates: Sequence[Offer], *, at_sight: Asking
) -> Asking:
    """What is left to be known of a member before these offers can be given, in one statement."""
    asked = [Asked(who.member_id, who.enrolled_at, at_sight.at)]
    return asking_all(session, program, asked, on, candidates, at_sight=at_sight)[who.member_id]


def asking_all(
    session: Session, program: Program, asked: Sequence[Asked], on: Shelf, candidates: Sequence[Offer], *,
    at_sight: Asking,
) -> dict[UUID, Asking]:  # fmt: skip
    """The same of several members at once, of whom the same is known at first sight; also in one statement."""
    now = at_sight.at
    budgets = [rule_code(offer.code) for offer in candidates if offer.limit is not None]
    had = Beside(_HAD, {"had_now": now, "had_program": program.program_id, "had_budgets": array_of(budgets)})
    known, ladders = known_now(session, program, asked, Wanted.by(on.needs), now=now, beside=had)
    found: dict[UUID, Asking] = {}
    for member_id, (assigned, spent) in known.beside.items():
        tier = _tier(known.standings.get(member_id), ladders, now) if on.by_tier else None
        facts = replace(known.facts.get(member_id, UNKNOWN), tier=tier)
        found[member_id] = replace(
            at_sight,
            had={code: Had(datetime.fromisoformat(until), _instants(at)) for code, until, at in assigned or ()},
            spent={**at_sight.spent, **_spent(candidates, spent or {})},
            tier=tier,
            seen=_situation(facts, on, program, now),
        )
    return found


# By program: an offer set, the rules whose segments it names, and both together.
_shelves: dict[UUID, tuple[OfferSet, Any, Shelf]] = {}


def _held(member_id: UUID, found: Sequence[Sequence[Any]] | None) -> tuple[Assignment, ...]:
    return tuple(assignment_from(member_id, each) for each in found or ())


def _instants(texts: Sequence[str] | None) -> tuple[datetime, ...]:
    return tuple(datetime.fromisoformat(text) for text in texts or ())


def _spent(candidates: Sequence[Offer], spent: Mapping[str, int]) -> dict[str, int]:
    named = {offer.code: rule_code(offer.code) for offer in candidates if offer.limit is not None}
    return {code: spent[rule] for code, rule in named.items() if rule in spent}


def _situation(facts: Facts, on: Shelf, program: Program, now: datetime) -> Situation:
    return Situation(Moment(now), on, program, facts)


def _tier(standing: Standing | None, ladders: Ladders, now: datetime) -> str | None:
    if standing is None:
        return None
    found = tier_at(settle(standing, ladders, now=now), ladders, now)
    return found[0].code if found else None
