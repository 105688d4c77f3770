"""Examples for the contract."""

QUOTE_QUERY = {"order_total": 4_000, "points": 15}
QUOTE = {
    "points": 15,
    "amount": 15,
    "max_points": 4_000,
    "reason": None,
    "currency": "EUR",
    "available": 60,
    "min_points": 1,
    "step": 1,
}

NEW_PAYMENT = {"payment_id": "pp-1001", "order_total": 4_000, "points": 15, "order_id": "A-1002", "hold_seconds": 600}
PAYMENT_HELD = {
    "payment_id": "pp-1001",
    "customer_id": "c-42",
    "status": "held",
    "order_id": "A-1002",
    "order_total": 4_000,
    "points": 15,
    "amount": 15,
    "currency": "EUR",
    "captured_points": 0,
    "captured_amount": 0,
    "refunded_points": 0,
    "refunded_amount": 0,
    "given_back_points": 0,
    "held_at": "2026-03-02T10:00:00Z",
    "expires_at": "2026-03-02T10:10:00Z",
    "resolved_at": None,
    "balance": {"available": 45, "pending": 0, "held": 15, "debt": 0},
}

CAPTURE = {"points": 10, "order_id": "A-1002"}
PAYMENT_CAPTURED = {
    **PAYMENT_HELD,
    "status": "captured",
    "captured_points": 10,
    "captured_amount": 10,
    "resolved_at": "2026-03-02T10:03:00Z",
    "balance": {"available": 50, "pending": 0, "held": 0, "debt": 0},
}
PAYMENT_RELEASED = {
    **PAYMENT_HELD,
    "status": "released",
    "resolved_at": "2026-03-02T10:03:00Z",
    "balance": {"available": 60, "pending": 0, "held": 0, "debt": 0},
}
PAYMENT = {name: value for name, value in PAYMENT_CAPTURED.items() if name != "balance"}
PAYMENTS = {"data": [PAYMENT], "next": None}

NEW_REFUND = {"refund_id": "rf-1", "points": 4}
REFUND = {
    "refund_id": "rf-1",
    "payment_id": "pp-1001",
    "customer_id": "c-42",
    "order_id": "A-1002",
    "points": 4,
    "amount": 4,
    "currency": "EUR",
    "returned_to_member": 4,
    "forfeited": 0,
    "lots": [{"outcome": "returned", "points": 4, "lot": 1, "expires_at": "2027-03-02T00:00:00Z"}],
    "left_points": 6,
    "balance": {"available": 54, "pending": 0, "held": 0, "debt": 0},
}
