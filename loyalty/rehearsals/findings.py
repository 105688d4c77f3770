"""What a rehearsal counts while it goes. Pure."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime

from loyalty.earning.rules import EarningRule, RuleSet
from loyalty.earning.worth import Weighed
from loyalty.programs.domain import POINTS

# Orders shown of what a rule awarded.
EXAMPLES = 3


@dataclass(slots=True)
class Day:
    """A day of the program's zone: orders of members, and points."""

    orders: int = 0
    draft: int = 0
    given: int = 0


@dataclass(slots=True)
class RuleFindings:
    """What became of one rule."""

    awards: int = 0
    points: int = 0
    cut: int = 0
    failures: int = 0
    failure: str | None = None
    examples: list[str] = field(default_factory=list)


class Findings:
    """The sums so far. `orders`, `revenue` and `came_back` count guests' orders, too."""

    def __init__(self, rule_set: RuleSet) -> None:
        self.orders = self.guests = self.came_back = self.revenue = 0
        self.draft: dict[str, int] = {}
        self.given: dict[str, int] = {}
        self.by_rule = {rule.code: RuleFindings() for rule in rule_set.by_priority}
        self.of_tiers: list[EarningRule] = []
        # Why rules gave nothing, by rule and condition.
        self.refusals: Counter[tuple[str, str]] = Counter()
        self.days: dict[date, Day] = {}
        # When budgets ran out.
        self.ran_out: dict[str, datetime] = {}

    def count(self, order_id: str, weighed: Weighed) -> int:
        """Add what an order would earn; answers how many of it are points (of the unit points)."""
        drafted = 0
        for given in weighed.given:
            rule, points = given.rule, given.points
            if (found := self.by_rule.get(rule.code)) is None:
                # The multiplier of a tier: it is no rule of the draft.
                found = self.by_rule[rule.code] = RuleFindings()
                self.of_tiers.append(rule)
            found.awards += 1
            found.points += points
            if given.cut is not None:
                found.cut += 1
            if len(found.examples) < EXAMPLES:
                found.examples.append(order_id)
            self.draft[rule.unit] = self.draft.get(rule.unit, 0) + points
            if rule.unit == POINTS:
                drafted += points
        if weighed.refused:
            self.refusals.update(weighed.refused.items())
        for code, failure in weighed.failures.items():
            found = self.by_rule[code]
            found.failures += 1
            found.failure = found.failure or f"Order {order_id}: {failure}"
        return drafted
