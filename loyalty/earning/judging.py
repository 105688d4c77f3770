"""Judging a batch of occasions under their members' locks: gather what rules ask, decide, take from budgets.

Occasions are judged in the order given, and each sees what the ones before it added: to the history, to what rules
gave, to budgets. A budget is asked for what all of the batch would take, and if it has less, the batch is judged again
with what it has.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from loyalty.core import calendar
from loyalty.db.session import Session
from loyalty.db.writer import Changes
from loyalty.earning import budgets
from loyalty.earning.adding import contribution_of, counted
from loyalty.earning.caps import period_key
from loyalty.earning.counting import Tally
from loyalty.earning.domain import UNKNOWN, Facts, Judgement, Occasion, OfferTerms, Purchase
from loyalty.earning.facts import Known, Wanted, known_now
from loyalty.earning.offering import Redeemed, limits_of, redeemed_by, terms_of
from loyalty.earning.records import Judged
from loyalty.earning.rules import RuleSet
from loyalty.earning.tiering import TierChange, amounts_of, change_of, counted_for_tier, with_tier
from loyalty.earning.worth import worth
from loyalty.members.domain import LockedMember
from loyalty.offers import keeping
from loyalty.programs.domain import Program
from loyalty.rules.history import Contribution
from loyalty.tiers.domain import Ladders
from loyalty.tiers.keeping import changes_of
from loyalty.tiers.reading import Asked
from loyalty.tiers.standing import Standing

# What others look for here, too.
__all__ = ["Case", "Verdict", "contribution_of", "decide", "foresee", "judge"]


@dataclass(frozen=True, slots=True)
class Case:
    """An occasion of a member, and the rules in force for it. `reference`: what the shop calls it."""

    member_id: UUID
    enrolled_at: datetime
    occasion: Occasion
    rule_set: RuleSet
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a case earns, how it was judged, and what it made of the member's tier (None: there are none)."""

    judgement: Judgement
    judged: Judged
    tier: TierChange | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of cases, in their order, and what is to be written of it beside points.

    `redeemed`: offers that orders redeemed. `limits`: the budgets that cases could draw on, of rules and of offers.
    """

    verdicts: list[Verdict]
    tally: Tally
    standings: Mapping[UUID, Standing]
    ladders: Ladders
    redeemed: Sequence[Redeemed] = ()
    limits: Mapping[str, int] = field(default_factory=dict)

    def changes(self, program_id: UUID, members: Mapping[UUID, LockedMember], *, now: datetime) -> Changes:
        """The rows of what was counted, and of where members stand. `members`: those of the cases, by id."""
        changes = self.tally.changes(program_id)
        for member_id in sorted(self.standings):
            standing, customer_id = self.standings[member_id], members[member_id].customer_id
            changes.add(changes_of(standing, self.ladders, program_id, customer_id, now=now))
        for each in self.redeemed:
            who = (each.member_id, members[each.member_id].customer_id)
            changes.add(
                keeping.redeemed(
                    who, each.assignment_id, each.offer, owner_id=each.member_id, program_id=program_id,
                    valid_to=each.valid_to, order_id=each.order_id, points=each.points, now=now,
                )
            )  # fmt: skip
        return changes


def judge(session: Session, program: Program, cases: Sequence[Case], *, now: datetime) -> Decision:
    """Judge cases of members whom the caller has locked, in the order given. What comes of it is to be written."""
    known, ladders = _known(session, program, cases, now)
    decision = decide(program, cases, known, {}, ladders, now=now)
    asked = {code: points for code, points in decision.tally.spent.items() if points}
    if not asked:
        return decision
    granted = budgets.take(session, program.program_id, asked, decision.limits)
    if any(points < asked[code] for code, points in granted.items()):
        decision = decide(program, cases, known, granted, ladders, now=now)
    # What was taken is written already; what turned out not to be needed goes back.
    tally = decision.tally
    tally.spent = {code: tally.spent.get(code, 0) - points for code, points in granted.items()}
    return decision


def foresee(session: Session, program: Program, case: Case, *, now: datetime) -> Verdict:
    """What a case would earn at this instant. Nothing is locked, and nothing to be written comes of it."""
    known, ladders = _known(session, program, [case], now)
    if case.member_id not in known.facts:
        known = replace(known, facts={case.member_id: UNKNOWN})
    offers = terms_of(known.held.get(case.member_id, ()), known.offers, case.occasion)
    rooms = budgets.rooms(session, program.program_id, _limits(case, offers))
    return decide(program, [case], known, rooms, ladders, now=now).verdicts[0]


def _known(session: Session, program: Program, cases: Sequence[Case], now: datetime) -> tuple[Known, Ladders]:
    """What is known of the members of cases, with the days that the oldest of each one's cases asks for."""
    oldest: dict[UUID, Asked] = {}
    for case in cases:
        before = oldest.get(case.member_id)
        at = case.occasion.at if before is None or before.news_at is None else min(before.news_at, case.occasion.at)
        oldest[case.member_id] = Asked(case.member_id, case.enrolled_at, at)
    return known_now(session, program, list(oldest.values()), _wanted(program, cases), now=now)


def decide(
    program: Program, cases: Sequence[Case], known: Known, rooms: Mapping[str, int], ladders: Ladders, *, now: datetime
) -> Decision:
    """Judge cases one after the other by what is `known` of their members, and by the `rooms` left in budgets. Pure."""
    all_facts, standings, rooms, tally = dict(known.facts), dict(known.standings), dict(rooms), Tally()
    left = Counter(case.member_id for case in cases)
    verdicts, redeemed, limits = [], dict[UUID, Redeemed](), dict[str, int]()
    for case in cases:
        facts, standing = all_facts[case.member_id], standings[case.member_id]
        left[case.member_id] -= 1
        before, facts = with_tier(standing, facts, ladders, min(case.occasion.at, now), now=now)
        held = [each for each in known.held.get(case.member_id, ()) if each.assignment_id not in redeemed]
        if held and (offers := terms_of(held, known.offers, case.occasion)):
            facts = replace(facts, offers=offers)
        own_limits = _limits(case, facts.offers)
        limits |= own_limits
        if rooms:
            facts = replace(facts, budgets=dict(rooms))
        judgement = worth(case.occasion, case.rule_set, program, facts)
        added = _count(case, judgement, program, tally)
        amounts = amounts_of(judgement, added)
        after = counted_for_tier(standing, ladders, case.occasion, amounts, reference=case.reference, now=now)
        standings[case.member_id] = after
        judged = Judged(case.rule_set.version, program.version, facts)
        verdicts.append(Verdict(judgement, judged, change_of(before, after)))
        if left[case.member_id]:
            all_facts[case.member_id] = _after(facts, case, judgement, program, added)
        for each in redeemed_by(judgement.awards, facts, known.offers, case.member_id, order_id=case.reference):
            redeemed[each.assignment_id] = each
        for award in judgement.awards:
            if award.rule_code in own_limits:
                tally.budget(award.rule_code, award.points)
                if award.rule_code in rooms:
                    rooms[award.rule_code] -= award.points
    return Decision(verdicts, tally, standings, ladders, tuple(redeemed.values()), limits)


def _limits(case: Case, offers: Iterable[OfferTerms]) -> dict[str, int]:
    """The budgets that a case can draw on, by the name that they have among those of rules."""
    return {**case.rule_set.needs.budgets, **limits_of(offers)}


def _count(case: Case, judgement: Judgement, program: Program, tally: Tally) -> Contribution:
    """Count what a case adds; answers what it adds to the history of its member."""
    occasion, added = case.occasion, Contribution()
    if isinstance(occasion, Purchase):
        added = contribution_of(occasion)
        tally.purchase(case.member_id, added, occasion.at)
    if case.rule_set.needs.counted:
        local = occasion.at.astimezone(calendar.zone(program.time_zone))
        for award in judgement.awards:
            if (rule := case.rule_set.by_code.get(award.rule_code)) is not None:
                tally.award(case.member_id, rule, local, points=award.points, times=1)
    return added


def _after(facts: Facts, case: Case, judgement: Judgement, program: Program, added: Contribution) -> Facts:
    """What is known of the member after a case."""
    occasion = case.occasion
    if isinstance(occasion, Purchase):
        facts = replace(facts, history=facts.history.plus(added, occasion.at))
    local = occasion.at.astimezone(calendar.zone(program.time_zone))
    by_code = case.rule_set.by_code
    # What a tier multiplies is no rule's to be counted.
    given = [(by_code[award.rule_code], award.points) for award in judgement.awards if award.rule_code in by_code]
    return replace(facts, offers=(), counts=counted(facts.counts, given, occasion.at, local))


def _wanted(program: Program, cases: Sequence[Case]) -> Wanted:
    wanted = Wanted()
    zone = calendar.zone(program.time_zone)
    for case in cases:
        needs = case.rule_set.needs
        if isinstance(case.occasion, Purchase):
            wanted |= Wanted(offers_since=case.occasion.at)
        if not needs.anything:
            continue
        local = case.occasion.at.astimezone(zone)
        keys = {(rule.code, period_key(p, local)) for rule in needs.counted for p in rule.counted_periods}
        wanted |= Wanted.by(needs, keys)
    return wanted
