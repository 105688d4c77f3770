"""What a check says of a reward before it is published: each finding with a draft that has it, and one that has not."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from loyalty.rewards.checking import check
from loyalty.rewards.domain import NewReward
from loyalty.tiers.domain import Benefits, Ladder, Tier, Validity, Window
from tests.builders import NOW

HOUR = timedelta(hours=1)


def a_ladder(**early: int) -> Ladder:
    """Bronze, silver, gold; some with hours of early access."""
    tiers = tuple(
        Tier(code=code, name=code, threshold=n, benefits=Benefits(Decimal(1), early_access_hours=early.get(code, 0)))
        for n, code in enumerate(("bronze", "silver", "gold"))
    )
    return Ladder(
        version=1, basis="spend", window=Window(), validity=Validity(), downgrade="full", grace=None, tiers=tiers
    )


LADDER = a_ladder(gold=24)


def said(ladder: Ladder | None = LADDER, **given: Any) -> list[tuple[str, str, str]]:
    """The findings of a draft: level, code and place."""
    draft = NewReward(**{"name": "R", "type": "custom", "points": 100, **given})
    return [(each.level, each.code, each.pointer) for each in check(draft, ladder, now=NOW)]


COMING = {"valid_from": NOW + HOUR}
# A finding, a draft that has it, where it stands, and a draft that is all but the same and has it not.
FINDINGS: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "warning discount-without-code": ({"type": "discount_amount"}, "/fulfilment", {
        "type": "discount_amount", "fulfilment": "code"}),
    "warning over": ({"valid_to": NOW}, "/valid_to", {"valid_to": NOW + HOUR}),
    "warning unknown-tier": ({"tiers": ("silver", "golf")}, "/tiers/1", {"tiers": ("silver", "gold")}),
    "warning unreachable-price": (
        {"tiers": ("gold",), "points_by_tier": {"silver": 5}}, "/points_by_tier/silver",
        {"tiers": ("gold",), "points_by_tier": {"gold": 5}}),
    "warning early-access-of-nobody": ({**COMING, "tiers": ("silver",)}, "/early_access", {
        **COMING, "tiers": ("silver", "gold")}),
    "warning idle-limit": ({"limits": {"day": 2, "month": 2}}, "/limits/day", {"limits": {"day": 1, "month": 2}}),
    "warning no-stock": ({"stock": 0}, "/stock", {"stock": 1}),
    "error stock-of-pool": ({"stock": 5, "fulfilment": "pool"}, "/stock", {"fulfilment": "pool"}),
    "warning low-stock-without-stock": ({"low_stock": 5}, "/low_stock", {"low_stock": 5, "stock": 9}),
    "error condition-unknown-field": ({"when": "member.agee == 3"}, "/when", {"when": "history.orders == 3"}),
}  # fmt: skip


@pytest.mark.parametrize("finding", FINDINGS)
def test_a_finding_names_its_place_and_is_not_made_of_what_is_right(finding: str):
    wrong, place, right = FINDINGS[finding]
    level, code = finding.split()

    assert said(**wrong) == [(level, code, place)]
    assert said(**right) == []


@pytest.mark.parametrize(
    "right",
    [
        {"type": "discount_percent", "fulfilment": "pool"},
        {"type": "experience"},
        {**COMING, "tiers": ("silver",), "early_access": False},
        {"tiers": ("silver",)},
        {"limits": {"week": 1, "ever": 2}},
        {"low_stock": 5, "fulfilment": "pool"},
        {"stock": None},
        {"points_by_tier": {"silver": 5}},
    ],
    ids=str,
)
def test_what_is_meant_is_not_found_fault_with(right: dict[str, Any]):
    assert said(**right) == []


def test_without_a_ladder_one_finding_says_so_for_all_tiers():
    assert said(None, tiers=("silver", "gold"), points_by_tier={"gold": 5}) == [("warning", "no-ladder", "/tiers/0")]
    assert said(None, points_by_tier={"gold": 5}) == [("warning", "no-ladder", "/points_by_tier/gold")]
    assert said(None) == []


def test_a_tier_that_was_mistyped_is_told_which_was_meant():
    (found,) = check(NewReward(name="R", type="custom", points=1, tiers=("sliver",)), LADDER, now=NOW)

    assert found.detail == "There is no tier 'sliver'. Did you mean 'silver'? There are: 'bronze', 'silver', 'gold'."


def test_a_price_for_a_tier_that_nobody_has_is_found_with_the_tier():
    assert said(points_by_tier={"platinum": 5}) == [("warning", "unknown-tier", "/points_by_tier/platinum")]


def test_errors_come_first():
    levels = [level for level, *_ in said(valid_to=NOW, stock=0, when="member.agee == 3", fulfilment="pool")]

    assert levels == sorted(levels) == ["error", "error", "warning", "warning"]
