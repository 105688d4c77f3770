"""A review and what it earned, for the readers of the contract."""

NEW_ACTIVITY = {
    "activity_id": "review-77",
    "customer_id": "c-42",
    "type": "review",
    "occurred_at": "2026-03-02T18:30:00Z",
    "properties": {"sku": "KAFFEE-1", "stars": 4},
}

EARNED = {
    "points": {"awarded": 50, "pending": 0, "available": 50},
    "awards": [
        {
            "rule": {"code": "review", "version": 1},
            "unit": "points",
            "points": 50,
            "matures_at": None,
            "expires_at": "2027-03-03T00:00:00Z",
            "lines": [],
            "reason": "50 for review",
        }
    ],
}

ACTIVITY_RECEIPT = {
    "activity_id": "review-77",
    "customer_id": "c-42",
    "type": "review",
    "status": "recorded",
    **EARNED,
    "refused": [],
    "balance": {"available": 80, "pending": 0, "held": 0, "debt": 0},
    "tier": None,
}

BASE_REFUSED = {
    "rule": {"code": "base", "version": 1},
    "condition": "activity",
    "detail": "This rule is for 'order', and this is 'review'.",
    "values": {"activity": "review", "wanted": "order"},
    "missing": None,
}

ACTIVITY_PREVIEW = {**ACTIVITY_RECEIPT, "status": "preview", "rules_version": 4, "refused": [BASE_REFUSED]}

ACTIVITY_EXPLANATION = {
    "activity_id": "review-77",
    "customer_id": "c-42",
    "type": "review",
    "occurred_at": "2026-03-02T18:30:00Z",
    "rules_version": 4,
    "awards": EARNED["awards"],
    "refused": [BASE_REFUSED],
}

ACTIVITY = {
    **NEW_ACTIVITY,
    "status": "recorded",
    "recorded_at": "2026-03-02T18:30:01Z",
    "cancelled_at": None,
    **EARNED,
}

ACTIVITY_CANCELLATION = {
    "activity_id": "review-77",
    "status": "cancelled",
    "points": {"reversed": 50, "expired": 0, "debt": 0, "forgiven": 0},
    "awards": [
        {
            "rule": {"code": "review", "version": 1},
            "unit": "points",
            "reversed": 50,
            "expired": 0,
            "debt": 0,
            "forgiven": 0,
        }
    ],
    "balance": {"available": 30, "pending": 0, "held": 0, "debt": 0},
}
