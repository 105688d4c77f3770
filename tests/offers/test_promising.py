"""What is promised to one member: less, the surer they would have bought anyway."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.offers.domain import Budget, Offer, Promise
from loyalty.offers.promising import promised, reserved, shown, voucher_value

FALLING = Promise("bonus_points", Decimal(100), Decimal(40))
CHANCE = st.floats(0, 1)
KIND = st.sampled_from(["bonus_points", "multiplier", "discount_amount", "discount_percent", "free_product"])


@pytest.mark.parametrize(
    ("promise", "probability", "value"),
    [
        (FALLING, 0.0, "100"),
        (FALLING, 1.0, "40"),
        (FALLING, 0.5, "70"),
        (FALLING, 0.51, "69"),
        (Promise("multiplier", Decimal(3), Decimal("1.5")), 0.333, "2.5"),
        (Promise("multiplier", Decimal("2.5")), 0.9, "2.5"),
        (Promise("discount_amount", Decimal(500), Decimal(1)), 0.999, "1"),
        (Promise("discount_percent", Decimal(25), Decimal(5)), 0.12, "22"),
        (Promise("free_product", Decimal(3), Decimal(1), sku="MUG"), 0.4, "2"),
    ],
)
def test_a_promise_falls_in_a_straight_line_rounded_down(promise: Promise, probability: float, value: str):
    assert promised(promise, probability)["value"] == value


@given(kind=KIND, least=st.integers(1, 50), more=st.integers(0, 50), one=CHANCE, other=CHANCE)
def test_a_promise_never_rises_and_stays_between_its_ends(kind, least: int, more: int, one: float, other: float):
    promise = Promise(kind, Decimal(least + more), Decimal(least))
    low, high = sorted((one, other))

    surely, hardly = (Decimal(promised(promise, chance)["value"]) for chance in (high, low))

    assert least <= surely <= hardly <= least + more
    assert Decimal(str(shown(promised(promise, one))["value"])) == Decimal(promised(promise, one)["value"])


def test_what_is_stored_says_no_more_than_there_is():
    assert promised(Promise("bonus_points", Decimal(100)), 0.5) == {"kind": "bonus_points", "value": "100"}
    assert promised(Promise("discount_percent", Decimal(10), most=300), 0.5) == {
        "kind": "discount_percent", "value": "10", "most": 300,
    }  # fmt: skip


def test_a_voucher_is_worth_what_was_promised():
    assert voucher_value({"kind": "discount_amount", "value": "500"}) == {"type": "discount_amount", "amount": 500}
    assert voucher_value({"kind": "discount_percent", "value": "20", "most": 300}) == {
        "type": "discount_percent", "percent": 20, "most": 300,
    }  # fmt: skip
    assert voucher_value({"kind": "free_product", "value": "1", "sku": "MUG"}) == {
        "type": "free_product", "sku": "MUG", "quantity": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("promise", "budget", "cost"),
    [
        (Promise("discount_amount", Decimal(500)), Budget(amount=1000), 500),
        (Promise("discount_amount", Decimal(500)), Budget(), 0),
        (Promise("discount_percent", Decimal(20), most=300), Budget(amount=1000), 300),
        (Promise("free_product", Decimal(1), sku="MUG", most=700), Budget(amount=1000), 700),
        (Promise("bonus_points", Decimal(100)), Budget(points=1000), 0),
    ],
)
def test_a_budget_sets_aside_the_most_that_a_voucher_can_cost(promise: Promise, budget: Budget, cost: int):
    offer = Offer(code="o", version=1, title="O", promise=promise, budget=budget)

    assert reserved(offer, promised(promise, 0.5)) == cost
