"""What a member holds, for the readers of the contract: 30 points earned, 25 of them spent."""

BALANCE = {
    "unit": "points",
    "as_of": "2026-03-08T15:30:00Z",
    "available": 5,
    "pending": 0,
    "held": 0,
    "debt": 0,
    "lifetime_earned": 30,
    "lifetime_spent": 25,
    "maturing": [],
    "expiring": [{"points": 5, "at": "2027-03-02T00:00:00Z"}],
}

ENTRIES = {
    "data": [
        {
            "seq": 2,
            "kind": "redeem",
            "points": -25,
            "available_after": 5,
            "unit": "points",
            "order_id": None,
            "rule": None,
            "reference": "r-1001",
            "reason": "5 off",
            "detail": None,
            "occurred_at": "2026-03-08T15:29:00Z",
            "recorded_at": "2026-03-08T15:29:00Z",
        },
        {
            "seq": 1,
            "kind": "earn",
            "points": 30,
            "available_after": 30,
            "unit": "points",
            "order_id": "A-1001",
            "rule": {"code": "base", "version": 1},
            "reference": None,
            "reason": "1 per 1.00 EUR",
            "detail": {"lines": [{"line_id": "1", "points": 30}]},
            "occurred_at": "2026-03-01T10:00:00Z",
            "recorded_at": "2026-03-01T10:00:02Z",
        },
    ],
    "next": None,
}

LOTS = {
    "data": [
        {
            "lot": 1,
            "unit": "points",
            "points": 30,
            "remaining": 5,
            "held": 0,
            "pending": False,
            "earned_at": "2026-03-01T10:00:00Z",
            "matures_at": None,
            "deadline_at": None,
            "expires_at": "2027-03-02T00:00:00Z",
        }
    ],
    "next": None,
}

VERIFICATION = {"ok": True, "checked": {"accounts": 1, "entries": 2, "lots": 1}, "findings": []}

DEBTS = {
    "data": [
        {
            "debt": 3,
            "unit": "points",
            "points": 10,
            "remaining": 10,
            "incurred_at": "2026-03-09T09:00:00Z",
            "order_id": "A-1001",
            "reference": "ret-7",
        }
    ],
    "next": None,
}

LEFT = {"available": 105, "pending": 0, "held": 0, "debt": 0}

NEW_REINSTATEMENT = {"reinstatement_id": "back-7", "lot": 1, "reason": "Was in hospital", "actor": "maria@shop.example"}
REINSTATEMENT = {
    **NEW_REINSTATEMENT,
    "lot": 4,
    "of_lot": 1,
    "unit": "points",
    "points": 5,
    "expires_at": "2027-04-10T00:00:00Z",
    "balance": {"available": 5, "pending": 0, "held": 0, "debt": 0},
}

NEW_ADJUSTMENT = {"adjustment_id": "adj-7", "points": 100, "reason": "Parcel came late", "actor": "maria@shop.example"}
ADJUSTMENT = {**NEW_ADJUSTMENT, "unit": "points", "balance": LEFT}

NEW_TRANSFER = {"transfer_id": "gift-7", "to": "c-43", "points": 25, "reason": "Happy birthday"}
TRANSFER = {**NEW_TRANSFER, "from": "c-42", "unit": "points", "balance": {**LEFT, "available": 80}}

NEW_HOLD = {"hold_id": "h-1001", "points": 60, "hold_seconds": 900, "order_id": "A-1002"}
HOLD = {
    "hold_id": "h-1001",
    "customer_id": "c-42",
    "unit": "points",
    "status": "held",
    "points": 60,
    "captured": 0,
    "held_at": "2027-03-10T15:30:00Z",
    "expires_at": "2027-03-10T15:45:00Z",
    "resolved_at": None,
    "order_id": "A-1002",
    "reason": None,
}
HOLD_RECEIPT = {**HOLD, "balance": {**LEFT, "available": 20, "held": 60}}

CAPTURE = {"points": 40}
_RESOLVED = {**HOLD, "resolved_at": "2027-03-10T15:31:00Z"}
CAPTURED = {**_RESOLVED, "status": "captured", "captured": 40, "balance": {**LEFT, "available": 40}}
RELEASED = {**_RESOLVED, "status": "released", "balance": {**LEFT, "available": 80}}
