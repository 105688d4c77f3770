"""How many points pay for what, as pure arithmetic."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.core.errors import DomainError
from loyalty.payments.domain import Promise, Quote, Terms, check, part_worth, quote, terms_of
from loyalty.payments.errors import (
    PaymentBelowMinimum,
    PaymentNotAMultiple,
    PaymentOverLimit,
    PointsPaidMismatch,
)
from loyalty.programs.domain import PaySettings

CASE_11 = {"points": 1, "amount": 1, "min_points": 500, "max_percent": 50}
HUNDREDS = {"points": 100, "amount": 100}


def a_quote(settings: dict[str, Any], order_total: int, available: int, asked: int | None) -> Quote:
    return quote(PaySettings(**settings), order_total=order_total, available=available, asked=asked, currency="EUR")


@pytest.mark.parametrize(
    ("settings", "order_total", "available", "asked", "expected"),
    [
        # Worked case 11: 1 point = 0.01, at least 500, at most 50 % of 100.00.
        (CASE_11, 10_000, 5_000, 1_000, (1_000, 1_000, None)),
        (CASE_11, 10_000, 700, 1_000, (700, 700, "insufficient_points")),
        (CASE_11, 10_000, 50_000, 10_000, (5_000, 5_000, "max_percent")),
        (CASE_11, 10_000, 5_000, 10_000, (5_000, 5_000, "max_percent")),
        # The minimum.
        (CASE_11, 10_000, 5_000, 500, (500, 500, None)),
        (CASE_11, 10_000, 5_000, 499, (0, 0, "below_minimum")),
        (CASE_11, 10_000, 499, 1_000, (0, 0, "insufficient_points")),
        (CASE_11, 999, 5_000, 1_000, (0, 0, "max_percent")),
        (CASE_11, 999, 100, 1_000, (0, 0, "insufficient_points")),
        # As many as possible.
        (CASE_11, 10_000, 700, None, (700, 700, None)),
        (CASE_11, 10_000, 9_000, None, (5_000, 5_000, None)),
        (CASE_11, 10_000, 499, None, (0, 0, "insufficient_points")),
        (CASE_11, 900, 5_000, None, (0, 0, "max_percent")),
        ({}, 0, 100, None, (0, 0, "max_percent")),
        ({}, 0, 0, None, (0, 0, "max_percent")),
        # Steps.
        ({"step": 100}, 10_000, 5_000, 550, (500, 500, "step")),
        ({"step": 100}, 10_000, 5_000, 99, (0, 0, "below_minimum")),
        ({"step": 100}, 10_000, 550, 600, (500, 500, "insufficient_points")),
        ({"step": 100}, 10_000, 99, 100, (0, 0, "insufficient_points")),
        ({"step": 100, "min_points": 250}, 10_000, 5_000, 299, (0, 0, "below_minimum")),
        ({"step": 100, "min_points": 250}, 10_000, 5_000, 300, (300, 300, None)),
        # 100 points = 1.00: each point is a cent, and 100 points = 0.01: the last 99 buy nothing.
        (HUNDREDS, 10_000, 5_000, 150, (150, 150, None)),
        ({"points": 100, "amount": 1}, 10_000, 5_000, 250, (200, 2, "step")),
        ({"points": 100, "amount": 1}, 10_000, 5_000, 99, (0, 0, "below_minimum")),
        ({"points": 100, "amount": 1, "min_points": 150}, 10_000, 5_000, 150, (0, 0, "below_minimum")),
        ({"points": 100, "amount": 1, "min_points": 150}, 10_000, 5_000, 200, (200, 2, None)),
        # 3 points = 0.02: one point buys nothing yet, two buy a cent, three buy two.
        ({"points": 3, "amount": 2}, 10_000, 5_000, 1, (0, 0, "below_minimum")),
        ({"points": 3, "amount": 2}, 10_000, 5_000, 2, (2, 1, None)),
        ({"points": 3, "amount": 2}, 10_000, 5_000, 4, (3, 2, "step")),
        # 1 point = 0.05: the order cannot be paid to the cent.
        ({"points": 1, "amount": 5}, 99, 5_000, 100, (19, 95, "max_percent")),
        # A currency without minor units: 10 points = 1 yen, at most 30 % of 1 999 yen.
        ({"points": 10, "amount": 1, "max_percent": 30}, 1_999, 90_000, None, (5_990, 599, None)),
        # Half of an odd total is rounded down; all of it may be paid; nothing may.
        ({"max_percent": 50}, 10_001, 90_000, None, (5_000, 5_000, None)),
        ({"max_percent": 100}, 10_001, 90_000, 10_001, (10_001, 10_001, None)),
        ({"max_percent": 0}, 10_000, 90_000, 100, (0, 0, "max_percent")),
        # As many as the order takes and the member has: more points would not help.
        ({}, 500, 500, 501, (500, 500, "max_percent")),
        ({}, 10_000, 5_000, 0, (0, 0, "below_minimum")),
    ],
)
def test_points_are_cut_to_what_can_be_used(
    settings: dict[str, Any], order_total: int, available: int, asked: int | None, expected: tuple[int, int, str | None]
):
    found = a_quote(settings, order_total, available, asked)

    assert (found.points, found.amount, found.reason) == expected


@pytest.mark.parametrize(
    ("settings", "order_total", "most", "least"),
    [
        (CASE_11, 10_000, 5_000, 500),
        (CASE_11, 999, 0, 500),
        ({"step": 300}, 10_000, 9_900, 300),
        ({"points": 100, "amount": 1, "min_points": 150}, 10_000, 1_000_000, 200),
        ({}, 0, 0, 1),
    ],
)
def test_a_quote_says_what_the_order_takes_and_where_it_begins(
    settings: dict[str, Any], order_total: int, most: int, least: int
):
    found = a_quote(settings, order_total, 10, None)

    assert (found.max_points, found.min_points, found.available) == (most, least, 10)


@pytest.mark.parametrize(
    ("settings", "order_total", "points", "refusal", "facts"),
    [
        (CASE_11, 10_000, 499, PaymentBelowMinimum, {"points": 499, "min_points": 500}),
        (
            CASE_11, 10_000, 5_001, PaymentOverLimit,
            {"points": 5_001, "max_points": 5_000, "max_percent": 50, "order_total": 10_000},
        ),
        (CASE_11, 900, 500, PaymentOverLimit, {"points": 500, "max_points": 0, "max_percent": 50, "order_total": 900}),
        ({"step": 100}, 10_000, 550, PaymentNotAMultiple, {"points": 550, "step": 100, "nearest": 500}),
        ({"points": 3, "amount": 2}, 10_000, 4, PaymentNotAMultiple, {"points": 4, "step": 1, "nearest": 3}),
    ],
)  # fmt: skip
def test_what_a_quote_would_cut_is_refused_with_what_would_do(
    settings: dict[str, Any], order_total: int, points: int, refusal: type[DomainError], facts: dict[str, int]
):
    with pytest.raises(refusal) as refused:
        check(PaySettings(**settings), order_total=order_total, points=points)

    assert refused.value.facts == facts


@pytest.mark.parametrize(
    ("rate", "held", "points_paid", "points"),
    [
        ((1, 1, 1), 1_000, 1_000, 1_000),
        ((1, 1, 1), 1_000, 400, 400),
        ((1, 1, 100), 1_000, 400, 400),
        ((1, 1, 100), 1_000, 450, None),
        ((100, 1, 1), 1_000, 4, 400),
        ((3, 2, 1), 30, 19, 29),
        ((1, 5, 1), 20, 95, 19),
        ((1, 5, 1), 20, 96, None),
        ((1, 1, 1), 1_000, 1_001, None),
        ((1, 1, 1), 1_000, 0, None),
    ],
)
def test_what_an_order_says_was_paid_is_a_whole_part_of_the_payment(
    rate: tuple[int, int, int], held: int, points_paid: int, points: int | None
):
    terms = Terms(*rate)
    promise = Promise(amount=terms.worth(held), currency="EUR", order_total=10_000, terms=terms)

    if points is not None:
        assert part_worth(promise, held, points_paid) == points
        return
    with pytest.raises(PointsPaidMismatch) as refused:
        part_worth(promise, held, points_paid)
    assert refused.value.facts == {"expected": terms.worth(held), "given": points_paid}


rates = st.integers(1, 1_000) | st.sampled_from([1, 100, 1_000_000])
settings = st.builds(
    PaySettings,
    points=rates,
    amount=rates,
    min_points=st.integers(0, 5_000),
    max_percent=st.integers(0, 100),
    step=st.integers(1, 500) | st.just(1),
)
totals = st.integers(0, 100_000) | st.integers(0, 10**12)
numbers = st.integers(0, 100_000) | st.integers(0, 10**12)


def made(pay: PaySettings, total: int, available: int, asked: int | None) -> Quote:
    return quote(pay, order_total=total, available=available, asked=asked, currency="EUR")


def allowed(pay: PaySettings, total: int, points: int) -> bool:
    try:
        check(pay, order_total=total, points=points)
    except DomainError:
        return False
    return True


@given(pay=settings, total=totals, available=numbers, asked=numbers | st.none())
def test_a_quote_is_never_above_a_cap_and_wastes_no_point(
    pay: PaySettings, total: int, available: int, asked: int | None
):
    found = made(pay, total, available, asked)

    assert 0 <= found.points <= min(available, available if asked is None else asked)
    assert found.points % pay.step == 0
    assert found.amount == found.points * pay.amount // pay.points <= total * pay.max_percent // 100
    assert (found.points == 0) == (found.amount == 0)
    assert found.points == 0 or found.points >= pay.min_points
    assert found.points <= found.max_points
    assert found.points == 0 or (found.points - pay.step) * pay.amount // pay.points < found.amount


@given(pay=settings, total=totals, available=numbers, asked=numbers | st.none())
def test_what_was_quoted_can_be_held_and_is_quoted_again(
    pay: PaySettings, total: int, available: int, asked: int | None
):
    found = made(pay, total, available, asked)

    if found.points:
        assert allowed(pay, total, found.points)
        assert made(pay, total, available, found.points) == replace(found, reason=None)
    if asked is not None:
        assert (found.reason is None) == (allowed(pay, total, asked) and asked <= available)


@given(pay=settings, total=totals, available=numbers, asked=numbers, more=numbers)
def test_who_has_or_asks_or_buys_more_never_gets_less(
    pay: PaySettings, total: int, available: int, asked: int, more: int
):
    points = made(pay, total, available, asked).points

    assert made(pay, total, available + more, asked).points >= points
    assert made(pay, total, available, asked + more).points >= points
    assert made(pay, total + more, available, asked).points >= points
    assert made(pay, total, available, None).points >= points


@given(pay=settings, total=st.integers(0, 300), available=st.integers(0, 300), asked=st.integers(0, 300))
def test_no_other_number_that_is_allowed_pays_more(pay: PaySettings, total: int, available: int, asked: int):
    best = max((n for n in range(min(available, asked) + 1) if allowed(pay, total, n)), default=0)

    assert made(pay, total, available, asked).points == best
    assert terms_of(pay).worth(best) == made(pay, total, available, asked).amount
