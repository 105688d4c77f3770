"""A rehearsal of double points, for the readers of the contract."""

from typing import Any

DOUBLED = {"code": "base", "kind": "base", "priority": 10, "points_per": {"amount": 100, "points": "2"}}

NEW_REHEARSAL = {"days": 90, "rules": [DOUBLED], "segments": []}

QUEUED: dict[str, Any] = {
    "rehearsal_id": "01931f3e-7c1a-7d2b-9f00-5a1c0de0b1e5",
    "status": "queued",
    "from": "2025-12-01T12:00:00Z",
    "to": "2026-03-01T12:00:00Z",
    "attempts": 0,
    "progress": {"orders_done": 0, "orders_total": None},
    "requested_by": "019c18a3-5b00-7d2b-9f00-5a1c0de0b1e5",
    "requested_at": "2026-03-01T12:00:00Z",
    "started_at": None,
    "finished_at": None,
    "error": None,
    "result": None,
}

_POINTS = {"draft": 60, "given": 30, "difference": 30}
_MEMBER = {"customer_id": "c-42", "before": 30, "after": 60, "difference": 30}

RESULT = {
    "orders": 1,
    "guest_orders": 0,
    "members": 1,
    "revenue": 3000,
    "currency": "EUR",
    "points": _POINTS,
    "cost": _POINTS,
    "other_units": {},
    "rules": [
        {
            "code": "base",
            "unit": "points",
            "awards": 1,
            "points": 60,
            "cost": 60,
            "orders_percent": 100.0,
            "cut": 0,
            "refused": {},
            "failures": {"count": 0, "example": None},
            "examples": ["A-1001"],
        }
    ],
    "budgets": [],
    "days": [{"date": "2026-03-01", "orders": 1, **_POINTS}],
    "gain": 1,
    "lose": 0,
    "stay": 0,
    "winners": [_MEMBER],
    "losers": [],
    "notes": ["Cancelled orders are left out, and so is what they were given."],
}

REHEARSAL: dict[str, Any] = {
    **QUEUED,
    "status": "done",
    "attempts": 1,
    "progress": {"orders_done": 1, "orders_total": 1},
    "started_at": "2026-03-01T12:00:01Z",
    "finished_at": "2026-03-01T12:00:02Z",
    "result": RESULT,
}

CANCELLED = {**QUEUED, "status": "cancelled", "finished_at": "2026-03-01T12:00:01Z"}

REHEARSALS = {"data": [{name: value for name, value in REHEARSAL.items() if name != "result"}], "next": None}
