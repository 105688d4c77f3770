"""Judging orders that were placed by rules that are not in force, one after another, and counting what comes out. Pure.

What an order is worth is `loyalty.earning`'s to say; this module only remembers what each member has bought and been
given since the beginning, as the ledger's own tables do for the rules in force.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from loyalty.core import calendar
from loyalty.earning.adding import contribution_of, counted
from loyalty.earning.domain import Facts, Purchase
from loyalty.earning.rules import RuleSet
from loyalty.earning.worth import Given, weigh
from loyalty.programs.domain import POINTS, Program
from loyalty.rehearsals.domain import Placed, Span
from loyalty.rehearsals.findings import Day, Findings
from loyalty.rules.history import Contribution, History


@dataclass(slots=True)
class Participant:
    """A member who placed orders: what is known of him, and the points he was given and would be given."""

    customer_id: str
    facts: Facts
    before: int = 0
    after: int = 0


class Rehearsing:
    """A rehearsal under way."""

    def __init__(self, program: Program, rule_set: RuleSet, span: Span) -> None:
        self.program, self.rule_set, self.span = program, rule_set, span
        self.members: dict[UUID, Participant] = {}
        self.findings = Findings(rule_set)
        needs = rule_set.needs
        self._budgets = dict(needs.budgets)
        self._remembers_history = needs.history
        self._categories = None if needs.all_categories else frozenset(needs.categories)
        self._counts = bool(needs.counted)
        self._zone = calendar.zone(program.time_zone)
        self._day_ends, self._day = span.begin, Day()

    def meet(self, known: Mapping[UUID, Facts], customer_ids: Mapping[UUID, str]) -> None:
        """Take in what is known of members at the beginning."""
        for member_id, facts in known.items():
            self.members[member_id] = Participant(customer_ids[member_id], facts)

    def judge(self, order: Placed) -> None:
        """Judge an order; orders come in the order of time."""
        findings = self.findings
        if order.placed_at >= self._day_ends:
            self._next_day(order.placed_at)
        findings.orders += 1
        findings.revenue += order.total
        findings.came_back += order.came_back
        if order.purchase is None:
            findings.guests += 1
            return
        member = self.members[order.member_id]
        facts = member.facts
        if self._budgets:
            facts = replace(facts, budgets=self._budgets)
        weighed = weigh(order.purchase, self.rule_set, self.program, facts)
        drafted = findings.count(order.order_id, weighed)
        for unit, points in order.given.items():
            findings.given[unit] = findings.given.get(unit, 0) + points
        was = order.given.get(POINTS, 0)
        member.before += was
        member.after += drafted
        self._day.orders += 1
        self._day.given += was
        self._day.draft += drafted
        if self._remembers_history or self._counts:
            member.facts = self._after(member.facts, order.purchase, weighed.given)
        if self._budgets:
            self._spend(order, weighed.given)

    def _after(self, facts: Facts, purchase: Purchase, given: list[Given]) -> Facts:
        """What is known of the member after an order."""
        history, counts = facts.history, facts.counts
        if self._remembers_history:
            history = _plus(history, purchase, self._categories)
        if self._counts and given:
            local = purchase.placed_at.astimezone(self._zone)
            counts = counted(counts, [(each.rule, each.points) for each in given], purchase.placed_at, local)
        return replace(facts, history=history, counts=counts)

    def _spend(self, order: Placed, given: list[Given]) -> None:
        for each in given:
            code = each.rule.code
            if code in self._budgets:
                self._budgets[code] -= each.points
                if self._budgets[code] <= 0:
                    self.findings.ran_out.setdefault(code, order.placed_at)

    def _next_day(self, at: datetime) -> None:
        """Begin another day of the program's zone."""
        today = at.astimezone(self._zone).date()
        self._day_ends = calendar.midnight(calendar.day_after(today), self.program.time_zone)
        self._day = self.findings.days.setdefault(today, Day())


def _plus(history: History, purchase: Purchase, categories: frozenset[str] | None) -> History:
    """A history with another order; of categories only those that rules ask about (None: all)."""
    added = contribution_of(purchase, by_category=categories is None or bool(categories))
    if categories:
        named = {path: sums for path, sums in added.categories.items() if path in categories}
        added = Contribution(added.total, named)
    return history.plus(added, purchase.placed_at)
