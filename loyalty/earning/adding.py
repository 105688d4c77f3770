"""What an occasion adds to what is known of its member: to the purchase history, and to what rules gave. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from loyalty.earning.caps import NOT_YET, period_key
from loyalty.earning.domain import Count, Purchase
from loyalty.earning.rules import EarningRule
from loyalty.rules.history import Bought, Contribution, Sums, contribution, costs

# What rules gave a member, by rule code and period.
Counts = Mapping[tuple[str, str], Count]


def contribution_of(
    purchase: Purchase, returned: Mapping[str, int] | None = None, *, by_category: bool = True
) -> Contribution:
    """What an order adds to the history of its member, of which so many units by line came back."""
    lines = purchase.lines
    if lines and not by_category and not returned:
        # Shared out among the lines or not, the discount makes the same sum.
        spend = sum([line.net for line in lines]) - purchase.discount
        return Contribution(Sums(1, sum([line.quantity for line in lines]), spend))
    paid = costs([line.net for line in lines], purchase.discount, [line.line_id for line in lines])
    bought = [
        Bought(line_id=line.line_id, category=line.category if by_category else None, quantity=line.quantity, cost=cost)
        for line, cost in zip(lines, paid, strict=True)
    ]
    return contribution(bought, returned)


def counted(counts: Counts, given: Iterable[tuple[EarningRule, int]], at: datetime, local: datetime) -> Counts:
    """What rules gave a member so far, with what they give for something that happened `at` (`local`: in its zone)."""
    counts = dict(counts)
    for rule, points in given:
        for period in rule.counted_periods:
            key = (rule.code, period_key(period, local))
            before = counts.get(key, NOT_YET)
            counts[key] = Count(before.points + points, before.times + 1, max(at, before.last_at or at))
    return counts
