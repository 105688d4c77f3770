"""Rule sets to measure with: one rule, and two hundred of the kinds of a large retailer, a third with a condition."""

from typing import Any

ONE: list[dict[str, Any]] = [
    {"code": "base", "kind": "base", "priority": 1, "points_per": {"amount": 100, "points": "1"}}
]

CATEGORIES = ("coffee", "tea", "bread", "fruit", "garden", "toys", "books", "wine", "pets", "baby")
CONDITIONS = (
    "order.basis >= 5000 && history.orders >= 3",
    "line.quantity >= 2 && line.basis > 1000",
    'member.attributes.club == "A"',
    "history.days_since_last_order != null && history.days_since_last_order > 30",
    'history.categories["coffee"].orders == 0',
    "order.channel == 'app' && local.weekday >= 6",
)
BONUS_CONDITIONS = tuple(text for text in CONDITIONS if "line." not in text)


def two_hundred() -> list[dict[str, Any]]:
    """The base rule; 60 multipliers on categories, 139 bonuses; every third rule has a condition."""
    rules = list(ONE)
    for number in range(199):
        is_multiplier = number < 60
        rule: dict[str, Any] = {"code": f"rule-{number}", "priority": number + 2}
        if is_multiplier:
            rule |= {"kind": "multiplier", "factor": "1.5", "categories": [f"{CATEGORIES[number % 10]} > {number}"]}
        else:
            rule |= {"kind": "bonus", "points": 5, "min_basis": 1000 * number}
        if number % 3 == 0:
            texts = CONDITIONS if is_multiplier else BONUS_CONDITIONS
            rule["when"] = texts[number // 3 % len(texts)]
            rule.pop("categories", None)
            rule.pop("min_basis", None)
        elif number % 3 == 1:
            rule["channels"] = ["app", "store"]
        elif number % 6 == 2:
            rule["skus"] = [f"SKU-{number}-{n}" for n in range(20)]
        rules.append(rule)
    return rules
