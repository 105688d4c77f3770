"""Money written down: minor units and a currency."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.core.money import EXPONENTS, written


@pytest.mark.parametrize(
    ("minor_units", "currency", "text"),
    [
        (1999, "EUR", "19.99 EUR"),
        (100, "EUR", "1.00 EUR"),
        (5, "PLN", "0.05 PLN"),
        (0, "EUR", "0.00 EUR"),
        (1500, "JPY", "1500 JPY"),
        (1500, "KWD", "1.500 KWD"),
        (7, "TND", "0.007 TND"),
        (-250, "EUR", "-2.50 EUR"),
        (-5, "EUR", "-0.05 EUR"),
        (-1500, "JPY", "-1500 JPY"),
        (10**12, "EUR", "10000000000.00 EUR"),
    ],
)
def test_minor_units_are_written_with_the_decimals_of_the_currency(minor_units: int, currency: str, text: str):
    assert written(minor_units, currency) == text


@given(st.integers(-(10**12), 10**12), st.sampled_from(["EUR", "USD", *EXPONENTS]))
def test_what_is_written_reads_as_the_same_amount(minor_units: int, currency: str):
    amount, code = written(minor_units, currency).split(" ")

    assert code == currency
    assert Decimal(amount).scaleb(EXPONENTS.get(currency, 2)) == minor_units
