"""Tiers by hand, for the readers of the contract."""

NEW_PIN = {"tier": "gold", "until": "2100-01-01T00:00:00Z", "reason": "Won the summer raffle"}

PINNED = {
    "tier": {"code": "gold", "name": "Gold"},
    "pinned": {
        "tier": "gold",
        "since": "2026-03-08T15:30:00Z",
        "until": "2100-01-01T00:00:00Z",
        "reason": "Won the summer raffle",
    },
}

UNPIN = {"reason": "Was meant for somebody else"}

UNPINNED = {"tier": {"code": "silver", "name": "Silver"}, "pinned": None}

BROUGHT = {
    "members": [
        {
            "customer_id": "c-42",
            "tier": "gold",
            "since": "2025-06-01T00:00:00Z",
            "valid_until": "2100-01-01T00:00:00Z",
        }
    ]
}

OUTCOMES = {
    "data": [
        {"customer_id": "c-42", "outcome": "imported", "tier": {"code": "gold", "name": "Gold"}},
        {
            "customer_id": "c-99",
            "outcome": "refused",
            "code": "member-not-found",
            "detail": "No member 'c-99' is enrolled in this program.",
            "tier": None,
        },
    ]
}
