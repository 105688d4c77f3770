"""Rule sets to measure with: two hundred rules of a large retailer, a third with a condition; and a budget."""

from typing import Any

BASE: dict[str, Any] = {"code": "base", "kind": "base", "priority": 1, "points_per": {"amount": 100, "points": "1"}}
CATEGORIES = ("coffee", "tea", "bread", "fruit", "garden", "toys", "books", "wine", "pets", "baby")
CONDITIONS = (
    "order.basis >= {n}00 && history.orders >= 3",
    'has(member.attributes.club) && member.attributes.club == "{n}"',
    "history.days_since_last_order != null && history.days_since_last_order > {n}",
    'history.categories["tea"].orders > {n}',
    'order.channel == "app" && local.weekday >= 6',
)
OF_LINES = "line.quantity >= 2 && line.basis > {n}000"


def two_hundred() -> list[dict[str, Any]]:
    """A base rule, sixty multipliers on goods and 139 bonuses. Every third has a condition; few apply at once."""
    rules = [BASE]
    for n in range(2, 201):
        is_multiplier = n <= 61
        gives = {"kind": "multiplier", "factor": "1.5"} if is_multiplier else {"kind": "bonus", "points": 5}
        rule: dict[str, Any] = {"code": f"rule-{n}", "priority": n, **gives}
        if n % 3 == 0:
            rule["when"] = (OF_LINES if is_multiplier else CONDITIONS[n // 3 % len(CONDITIONS)]).format(n=n)
        elif n % 3 == 1:
            rule |= {"categories": [f"{CATEGORIES[n % 10]} > kind {n}"], "channels": ["web", "app"]}
        elif is_multiplier:
            rule["skus"] = [f"ARTICLE-{n}-{number}" for number in range(20)]
        else:
            rule["min_basis"] = 1_000 * n
        rules.append(rule)
    return rules


def with_budget() -> list[dict[str, Any]]:
    """A bonus for every order out of one budget that all members share, and that never runs out."""
    gift = {"code": "gift", "kind": "bonus", "points": 1, "priority": 2, "caps": {"budget": 10**12}}
    return [BASE, gift]
