"""What the quick way of loading an order accepts, the general way does too, with the same value."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError, missing

from loyalty.orders.schemas import NewOrderSchema

ODD = st.sampled_from(
    [None, True, False, 0, 1, -1, 7, 3.0, 3.9, "", "7", "a b", "x" * 300, [], {}, [1], {"a": 1}, 10**13]
)
LINES = st.fixed_dictionaries(
    {"line_id": st.sampled_from("12"), "sku": st.just("s"), "unit_price": st.integers(0, 500) | ODD},
    optional={"quantity": st.integers(0, 3) | ODD, "discount": st.integers(0, 600) | ODD, "category": ODD, "tax": ODD},
)
ORDERS = st.fixed_dictionaries(
    {
        "order_id": st.just("A-1") | ODD,
        "currency": st.just("EUR") | ODD,
        "placed_at": st.sampled_from(
            ["2026-03-01T10:00:00Z", "2026-03-01T10:00:00+05:30", "2026-03-01", "2026-13-01T10:00:00Z"]
        ),
        "lines": st.lists(LINES, max_size=3) | ODD,
    },
    optional={
        "customer_id": st.just("c-42") | ODD,
        "discount": st.integers(0, 900) | ODD,
        "shipping": ODD,
        "points_paid": st.integers(0, 900),
        "channel": ODD,
        "metadata": st.just({"a": [1, {"b": None}]}) | ODD,
        "unheard_of": ODD,
    },
)


def generally(schema, data):
    """Load by marshmallow's own rules alone."""
    try:
        return Schema.load(schema, data)
    except ValidationError:
        return missing


@given(ORDERS)
def test_what_loads_quickly_is_what_loads_generally(data):
    schema = NewOrderSchema()
    quick = schema.quickly(json.loads(json.dumps(data)))
    if quick is not missing:
        assert quick == generally(schema, data)


def test_a_usual_order_is_plainly_right():
    line = {"line_id": "1", "sku": "KAFFEE-1", "category": None, "quantity": 2, "unit_price": 1500, "discount": 0}
    order = {
        "order_id": "A-1001",
        "customer_id": "c-42",
        "currency": "EUR",
        "placed_at": "2026-03-01T10:00:00.123Z",
        "lines": [line],
        "metadata": {"till": 7},
    }
    schema = NewOrderSchema()
    assert schema.quickly(order) is not missing
    assert schema.quickly(order) == generally(schema, order)


@pytest.mark.parametrize("data", [None, [], "x", 7, {"lines": [None]}])
def test_what_is_no_order_is_refused_by_the_general_way(data):
    with pytest.raises(ValidationError):
        NewOrderSchema().load(data)
