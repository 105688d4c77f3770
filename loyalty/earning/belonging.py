"""In which segments members are at an instant: worked out for many at once, from one statement."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from uuid import UUID

from loyalty.db.session import Session
from loyalty.earning.domain import UNKNOWN, Facts, Moment
from loyalty.earning.facts import Wanted, facts_of
from loyalty.earning.queries import rules_at
from loyalty.earning.rules import Needs, needs_of
from loyalty.earning.situation import Situation
from loyalty.programs.domain import Program
from loyalty.rules.expressions import Condition
from loyalty.tiers import queries as tiers
from loyalty.tiers import reading

# A member: the id, and when they enrolled.
Who = tuple[UUID, datetime]


@dataclass(frozen=True)
class Segments:
    """Segments that are asked about, by code."""

    segment_conditions: Mapping[str, Condition]

    @cached_property
    def needs(self) -> Needs:
        """What must be known of a member."""
        return needs_of(list(self.segment_conditions.values()))

    @cached_property
    def of_tiers(self) -> bool:
        """Whether any of them asks for the tier."""
        named = self.needs.named.get("member", frozenset())
        return named is None or "tier" in named

    def of(self, program: Program, facts: Facts, now: datetime) -> frozenset[str]:
        """Those of whom a member is one, by what is known of them. What cannot be answered does not hold."""
        seen = Situation(Moment(now), self, program, facts)
        return frozenset(code for code in self.segment_conditions if seen.belongs([code]))


def belonging(
    session: Session, program: Program, members: Sequence[Who], codes: Collection[str] | None = None, *, now: datetime
) -> dict[UUID, frozenset[str]]:
    """The segments of members, of some (None: of all) that there are under the rules in force.

    One statement, and another where a segment asks for the tier; none of nobody.
    """
    there = rules_at(session, program, now).segment_conditions
    asked = Segments(there if codes is None else {code: there[code] for code in codes if code in there})
    if not members or not asked.segment_conditions:
        return {member_id: frozenset() for member_id, _ in members}
    known: Mapping[UUID, Facts] = facts_of(session, [each for each, _ in members], Wanted.by(asked.needs))
    if asked.of_tiers:
        held = reading.tiers_of(session, tiers.ladders(session, program), members, now=now)
        known = {each: replace(known.get(each, UNKNOWN), tier=tier.code) for each, tier in held.items()} | {
            each: facts for each, facts in known.items() if each not in held
        }
    return {member_id: asked.of(program, known.get(member_id, UNKNOWN), now) for member_id, _ in members}
