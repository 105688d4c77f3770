"""What a rule gives, in a few words."""

from loyalty.core import money
from loyalty.earning.domain import Cut
from loyalty.earning.rules import EarningRule
from loyalty.earning.tiering import PREFIX

CAPS = {
    "per_order": "an order", "day": "a day", "week": "a week", "month": "a month", "quarter": "a quarter",
    "year": "a year", "ever": "a member", "budget": "all members together",
}  # fmt: skip


def reason_of(rule: EarningRule, currency: str) -> str:
    """The rule in a few words: `1 per 1.00 EUR`, `5 per unit bought`, `x1.5`, `100 for a review`."""
    if rule.points_per is not None:
        return f"{rule.points_per.points.normalize():f} per {money.written(rule.points_per.amount, currency)}"
    if rule.points_per_unit is not None:
        return f"{rule.points_per_unit} per unit bought"
    if rule.factor is not None:
        whose = f" for the tier '{rule.code.removeprefix(PREFIX)}'" if rule.code.startswith(PREFIX) else ""
        return f"x{rule.factor.normalize():f}{whose}"
    return f"{rule.points} for {_what_for(rule)}"


def cut_reason(cut: Cut) -> str:
    """What a cap did: `cut from 150 to 100 by the limit of 500 for a month`."""
    return f"cut from {cut.points} to {cut.room} by the limit of {cut.limit} for {CAPS[cut.cap]}"


def _what_for(rule: EarningRule) -> str:
    if rule.activity is not None:
        return rule.activity.replace("_", " ")
    if (milestone := rule.milestone) is None:
        return "an order"
    if milestone.first is not None:
        return "the first order" if milestone.first == 1 else f"each of the first {milestone.first} orders"
    return f"order number {milestone.nth}" if milestone.nth is not None else f"every {milestone.every}. order"
