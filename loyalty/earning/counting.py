"""What is counted of what happened: purchases of members, what rules gave them, and what budgets got back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from loyalty.db.writer import Changes
from loyalty.earning.caps import period_key
from loyalty.earning.models import RuleBudgetRow, RuleCountRow
from loyalty.earning.rules import EarningRule
from loyalty.rules.history import Contribution, Sums
from loyalty.rules.models import CategoryHistoryRow, PurchaseHistoryRow


@dataclass(slots=True)
class Tally:
    """Sums to be added, each row once, however many orders of a batch add to it."""

    bought: dict[UUID, tuple[Sums, datetime]] = field(default_factory=dict)
    by_category: dict[tuple[UUID, str], tuple[Sums, datetime]] = field(default_factory=dict)
    given: dict[tuple[UUID, str, str], tuple[int, int, datetime]] = field(default_factory=dict)
    spent: dict[str, int] = field(default_factory=dict)

    def purchase(self, member_id: UUID, added: Contribution, at: datetime) -> None:
        """Add what an order placed at `at` adds to a member's history, or what a return takes from it."""
        self.bought[member_id] = _plus(self.bought.get(member_id), added.total, at)
        for path, sums in added.categories.items():
            self.by_category[member_id, path] = _plus(self.by_category.get((member_id, path)), sums, at)

    def award(self, member_id: UUID, rule: EarningRule, local: datetime, *, points: int, times: int) -> None:
        """Add what a rule gave, or what was taken back of it, for something that happened at `local`."""
        for period in rule.counted_periods:
            key = (member_id, rule.code, period_key(period, local))
            before = self.given.get(key, (0, 0, local))
            self.given[key] = (before[0] + points, before[1] + times, max(before[2], local))

    def taken_back(self, member_id: UUID, rule: EarningRule, local: datetime, *, points: int, wholly: bool) -> None:
        """Add that points of an award were taken back: `wholly`, and it no longer counts as given at all."""
        self.award(member_id, rule, local, points=-points, times=-wholly)
        if rule.caps.budget is not None:
            self.budget(rule.code, -points)

    def budget(self, rule_code: str, points: int) -> None:
        """Add to what a budget spent; fewer than none: it gets points back."""
        if points:
            self.spent[rule_code] = self.spent.get(rule_code, 0) + points

    def changes(self, program_id: UUID) -> Changes:
        """The rows, in the order of their keys."""
        changes = Changes()
        for member_id, (sums, at) in sorted(self.bought.items()):
            changes.increase(PurchaseHistoryRow, {"member_id": member_id, **_row(sums), "last_at": at})
        for (member_id, path), (sums, at) in sorted(self.by_category.items()):
            row = {"member_id": member_id, "category": path, **_row(sums), "last_at": at}
            changes.increase(CategoryHistoryRow, row)
        for (member_id, code, period), (points, times, at) in sorted(self.given.items()):
            row = {"member_id": member_id, "rule_code": code, "period": period, "points": points, "times": times}
            changes.increase(RuleCountRow, {**row, "last_at": at})
        for code, points in sorted(self.spent.items()):
            row = {"program_id": program_id, "rule_code": code, "spent": points, "granted": 0}
            changes.increase(RuleBudgetRow, row)
        return changes


def _plus(before: tuple[Sums, datetime] | None, sums: Sums, at: datetime) -> tuple[Sums, datetime]:
    return (sums, at) if before is None else (before[0] + sums, max(before[1], at))


def _row(sums: Sums) -> Mapping[str, int]:
    return {"orders": sums.orders, "quantity": sums.quantity, "spend": sums.spend}
