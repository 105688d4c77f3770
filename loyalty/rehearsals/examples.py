"""Rehearsals of double points and of a ladder, for the readers of the contract."""

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

LADDER: dict[str, Any] = {
    "basis": "spend",
    "window": {"mode": "rolling", "months": 12},
    "validity": {"mode": "end_of_next_period"},
    "downgrade": "one_step",
    "tiers": [
        {"code": "bronze", "name": "Bronze", "threshold": 0},
        {"code": "silver", "name": "Silver", "threshold": 50_000, "benefits": {"multiplier": "1.25"}},
    ],
}

NEW_LADDER_REHEARSAL = {"ladder": LADDER, "members": "now"}

LADDER_QUEUED: dict[str, Any] = {
    **{name: value for name, value in QUEUED.items() if name not in {"from", "to"}},
    "progress": {"members_done": 0, "members_total": None},
}

LADDER_RESULT = {
    "members": 3,
    "currency": "EUR",
    "basis": "spend",
    "matrix": [
        {"from": "bronze", "to": "bronze", "members": 2, "named": ["c-7"]},
        {"from": "bronze", "to": "silver", "members": 1, "named": ["c-42"]},
    ],
    "tiers": [
        {"code": "bronze", "name": "Bronze", "threshold": 0, "before": 3, "after": 2},
        {"code": "silver", "name": "Silver", "threshold": 50_000, "before": 0, "after": 1},
    ],
    "up": 1,
    "down": 0,
    "same": 2,
    "winners": [
        {
            "customer_id": "c-42",
            "from": "bronze",
            "to": "silver",
            "value": 61_200,
            "valid_until": "2028-01-01T00:00:00Z",
        }
    ],
    "losers": [],
    "cost": {"days": 90, "members": 1, "given": 200, "draft": 250, "difference": 50, "amount": 50},
    "near": [{"code": "silver", "threshold": 50_000, "members": 1}],
    "notes": ["Everybody has the tier that this ladder would have given all along."],
}

LADDER_REHEARSAL: dict[str, Any] = {
    **LADDER_QUEUED,
    "status": "done",
    "attempts": 1,
    "progress": {"members_done": 2, "members_total": 2},
    "started_at": "2026-03-01T12:00:01Z",
    "finished_at": "2026-03-01T12:00:02Z",
    "result": LADDER_RESULT,
}

LADDER_CANCELLED = {**LADDER_QUEUED, "status": "cancelled", "finished_at": "2026-03-01T12:00:01Z"}

LADDER_REHEARSALS = {
    "data": [{name: value for name, value in LADDER_REHEARSAL.items() if name != "result"}],
    "next": None,
}
