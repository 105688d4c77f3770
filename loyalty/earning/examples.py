"""Two earning rules, for the readers of the contract: a point per 1.00, and another on coffee for a month."""

BASE = {"code": "base", "kind": "base", "priority": 10, "points_per": {"amount": 100, "points": "1"}}

COFFEE = {
    "code": "coffee",
    "kind": "base",
    "priority": 20,
    "points_per": {"amount": 100, "points": "1"},
    "categories": ["coffee"],
    "valid_from": "2026-03-01T00:00:00Z",
    "valid_to": "2026-04-01T00:00:00Z",
}

REGULARS = {"code": "regulars", "name": "Bought five times or more", "when": "history.orders >= 5"}

NEW_DRAFT = {"rules": [BASE, COFFEE], "segments": [REGULARS]}

DRAFT = {"version": 1, **NEW_DRAFT}

PUBLISH = {"effective_from": None}

REVIEW = {
    "ok": True,
    "errors": 0,
    "warnings": 1,
    "findings": [
        {
            "level": "warning",
            "code": "unused-segment",
            "pointer": "/segments/0",
            "detail": "No rule names the segment 'regulars'. If no reward or offer does, leave it out.",
        }
    ],
}

RULE_SET = {
    "version": 1,
    "status": "in_force",
    "effective_from": "2026-02-20T12:00:00Z",
    "published_at": "2026-02-20T12:00:00Z",
    "published_by": "019c18a3-5b00-7d2b-9f00-5a1c0de0b1e5",
    "rules": [{**rule, "unit": "points", "version": 1} for rule in (BASE, COFFEE)],
    "segments": [REGULARS],
}

BUDGETS = {
    "data": [
        {
            "rule": {"code": "welcome", "version": 2},
            "unit": "points",
            "budget": 1_000_000,
            "spent": 420_000,
            "left": 580_000,
        }
    ],
    "next": None,
}

RULE_SETS = {"data": [RULE_SET], "next": None}
