"""Judging a batch of occasions under their members' locks: gather what rules ask, decide, take from budgets.

Occasions are judged in the order given, and each sees what the ones before it added: to the history, to what rules
gave, to budgets. A budget is asked for what all of the batch would take, and if it has less, the batch is judged again
with what it has.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from loyalty.core import calendar
from loyalty.db.session import Session
from loyalty.earning import budgets
from loyalty.earning.adding import contribution_of, counted
from loyalty.earning.caps import period_key
from loyalty.earning.counting import Tally
from loyalty.earning.domain import UNKNOWN, Facts, Judgement, Occasion, Purchase
from loyalty.earning.facts import Wanted, facts_of
from loyalty.earning.records import Judged
from loyalty.earning.rules import RuleSet
from loyalty.earning.worth import worth
from loyalty.programs.domain import Program
from loyalty.rules.history import Contribution

# What others look for here, too.
__all__ = ["Case", "Verdict", "contribution_of", "decide", "foresee", "judge"]


@dataclass(frozen=True, slots=True)
class Case:
    """An occasion of a member, and the rules in force for it."""

    member_id: UUID
    occasion: Occasion
    rule_set: RuleSet


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a case earns, and how it was judged."""

    judgement: Judgement
    judged: Judged


def judge(session: Session, program: Program, cases: Sequence[Case]) -> tuple[list[Verdict], Tally]:
    """Judge cases of members whom the caller has locked, in the order given. What they add is to be written."""
    known = facts_of(session, list(dict.fromkeys(case.member_id for case in cases)), _wanted(program, cases))
    verdicts, tally = decide(program, cases, known, {})
    limits = {code: budget for case in cases for code, budget in case.rule_set.needs.budgets.items()}
    asked = {code: points for code, points in tally.spent.items() if points}
    if not asked:
        return verdicts, tally
    granted = budgets.take(session, program.program_id, asked, limits)
    if any(points < asked[code] for code, points in granted.items()):
        verdicts, tally = decide(program, cases, known, granted)
    # What was taken is written already; what turned out not to be needed goes back.
    tally.spent = {code: tally.spent.get(code, 0) - points for code, points in granted.items()}
    return verdicts, tally


def foresee(session: Session, program: Program, case: Case) -> Verdict:
    """What a case would earn at this instant. Nothing is locked, and nothing to be written comes of it."""
    known = facts_of(session, [case.member_id], _wanted(program, [case]))
    rooms = budgets.rooms(session, program.program_id, case.rule_set.needs.budgets)
    return decide(program, [case], {case.member_id: known.get(case.member_id, UNKNOWN)}, rooms)[0][0]


def decide(
    program: Program, cases: Sequence[Case], known: Mapping[UUID, Facts], rooms: Mapping[str, int]
) -> tuple[list[Verdict], Tally]:
    """Judge cases one after the other by what is `known` of their members, and by the `rooms` left in budgets. Pure."""
    known, rooms, tally = dict(known), dict(rooms), Tally()
    left = Counter(case.member_id for case in cases)
    verdicts = []
    for case in cases:
        facts = known[case.member_id]
        left[case.member_id] -= 1
        if rooms:
            facts = replace(facts, budgets=dict(rooms))
        judgement = worth(case.occasion, case.rule_set, program, facts)
        verdicts.append(Verdict(judgement, Judged(case.rule_set.version, program.version, facts)))
        added = _count(case, judgement, program, tally)
        if left[case.member_id]:
            known[case.member_id] = _after(facts, case, judgement, program, added)
        for award in judgement.awards:
            if award.rule_code in case.rule_set.needs.budgets:
                tally.budget(award.rule_code, award.points)
                if award.rule_code in rooms:
                    rooms[award.rule_code] -= award.points
    return verdicts, tally


def _count(case: Case, judgement: Judgement, program: Program, tally: Tally) -> Contribution:
    """Count what a case adds; answers what it adds to the history of its member."""
    occasion, added = case.occasion, Contribution()
    if isinstance(occasion, Purchase):
        added = contribution_of(occasion)
        tally.purchase(case.member_id, added, occasion.at)
    if case.rule_set.needs.counted:
        local = occasion.at.astimezone(calendar.zone(program.time_zone))
        for award in judgement.awards:
            rule = case.rule_set.by_code[award.rule_code]
            tally.award(case.member_id, rule, local, points=award.points, times=1)
    return added


def _after(facts: Facts, case: Case, judgement: Judgement, program: Program, added: Contribution) -> Facts:
    """What is known of the member after a case."""
    occasion = case.occasion
    if isinstance(occasion, Purchase):
        facts = replace(facts, history=facts.history.plus(added, occasion.at))
    local = occasion.at.astimezone(calendar.zone(program.time_zone))
    given = [(case.rule_set.by_code[award.rule_code], award.points) for award in judgement.awards]
    return replace(facts, counts=counted(facts.counts, given, occasion.at, local))


def _wanted(program: Program, cases: Sequence[Case]) -> Wanted:
    wanted = Wanted()
    zone = calendar.zone(program.time_zone)
    for case in cases:
        needs = case.rule_set.needs
        if not needs.anything:
            continue
        local = case.occasion.at.astimezone(zone)
        keys = {(rule.code, period_key(p, local)) for rule in needs.counted for p in rule.counted_periods}
        wanted |= Wanted(
            needs.member, needs.all_attributes, frozenset(needs.attributes), needs.history, needs.all_categories,
            frozenset(needs.categories), frozenset(keys),
        )  # fmt: skip
    return wanted
