"""What a rule gives, in a few words."""

from loyalty.core import money
from loyalty.earning.domain import Cut
from loyalty.earning.rules import EarningRule
from loyalty.earning.tiering import PREFIX
from loyalty.offers import domain as offers

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
        return f"x{rule.factor.normalize():f}{_whose(rule)}"
    return f"{rule.points} for {_what_for(rule)}"


def cut_reason(cut: Cut) -> str:
    """What a cap did: `cut from 150 to 100 by the limit of 500 for a month`."""
    return f"cut from {cut.points} to {cut.room} by the limit of {cut.limit} for {CAPS[cut.cap]}"


def _whose(rule: EarningRule) -> str:
    """What a multiplier is of, if it is of more than the rules."""
    for prefix, thing in ((PREFIX, "tier"), (offers.PREFIX, "offer")):
        if rule.code.startswith(prefix):
            return f" for the {thing} '{rule.code.removeprefix(prefix)}'"
    return ""


def _what_for(rule: EarningRule) -> str:
    if rule.code.startswith(offers.PREFIX):
        return f"the offer '{rule.code.removeprefix(offers.PREFIX)}'"
    if rule.activity is not None:
        return rule.activity.replace("_", " ")
    if (milestone := rule.milestone) is None:
        return "an order"
    if milestone.first is not None:
        return "the first order" if milestone.first == 1 else f"each of the first {milestone.first} orders"
    return f"order number {milestone.nth}" if milestone.nth is not None else f"every {milestone.every}. order"
