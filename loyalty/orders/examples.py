"""An order of 30.00 EUR and what it earned, for the readers of the contract."""

LINE = {
    "line_id": "1",
    "sku": "KAFFEE-1",
    "category": "coffee",
    "quantity": 2,
    "unit_price": 1500,
    "discount": 0,
    "tax": 0,
}

NEW_ORDER = {
    "order_id": "A-1001",
    "customer_id": "c-42",
    "currency": "EUR",
    "placed_at": "2026-03-01T10:00:00Z",
    "lines": [LINE],
    "shipping": 490,
    "discount": 0,
    "points_paid": 0,
    "channel": "web",
    "metadata": {"shop": "Warszawa 3"},
}

EARNED = {
    "points": {"awarded": 30, "pending": 0, "available": 30},
    "awards": [
        {
            "rule": {"code": "base", "version": 1},
            "unit": "points",
            "points": 30,
            "matures_at": None,
            "expires_at": "2027-03-02T00:00:00Z",
            "lines": [{"line_id": "1", "points": 30}],
            "reason": "1 per 1.00 EUR",
        }
    ],
}

ORDER_RECEIPT = {
    "order_id": "A-1001",
    "customer_id": "c-42",
    "status": "recorded",
    **EARNED,
    "balance": {"available": 30, "pending": 0, "held": 0, "debt": 0},
    "tier": None,
}

COFFEE_REFUSED = {
    "rule": {"code": "coffee", "version": 3},
    "condition": "min_basis",
    "detail": "The rule needs 34.20 EUR of its goods, and there are 30.00 EUR: 4.20 EUR more would make it.",
    "values": {"basis": 3000, "min_basis": 3420},
    "missing": {"basis": 420},
}

PREVIEW = {**ORDER_RECEIPT, "status": "preview", "rules_version": 4, "refused": [COFFEE_REFUSED]}

EXPLANATION = {
    "order_id": "A-1001",
    "customer_id": "c-42",
    "placed_at": "2026-03-01T10:00:00Z",
    "rules_version": 4,
    "lines": [{"line_id": "1", "basis": 3000}],
    "awards": EARNED["awards"],
    "refused": [COFFEE_REFUSED],
}

ORDER = {
    **NEW_ORDER,
    "payment_id": None,
    "status": "recorded",
    "recorded_at": "2026-03-01T10:00:02Z",
    "confirmed_at": None,
    "returned": [{"line_id": "1", "quantity": 1}],
    **EARNED,
}

NEW_RETURN = {
    "return_id": "ret-7",
    "lines": [{"line_id": "1", "quantity": 1}],
    "returned_at": "2026-03-09T09:00:00Z",
}
_UNDONE = {
    "order_id": "A-1001",
    "points": {"reversed": 5, "expired": 0, "debt": 10, "forgiven": 0, "returned_to_member": 0},
    "lines": [{"line_id": "1", "quantity": 1, "points": 15}],
    "awards": [
        {
            "rule": {"code": "base", "version": 1},
            "unit": "points",
            "reversed": 5,
            "expired": 0,
            "debt": 10,
            "forgiven": 0,
        }
    ],
    "spent": [],
    "balance": {"available": 0, "pending": 0, "held": 0, "debt": 10},
}
RETURN = {"return_id": "ret-7", **_UNDONE}
CANCELLATION = {**_UNDONE, "status": "cancelled"}

CONFIRMATION = {"confirmed_at": "2026-03-04T16:20:00Z"}
CONFIRMATION_RECEIPT = {
    "order_id": "A-1001",
    "status": "confirmed",
    "points": {"matured": 30},
    "balance": {"available": 30, "pending": 0, "held": 0, "debt": 0},
}
