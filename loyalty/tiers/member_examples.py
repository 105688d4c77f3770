"""A member's tier, for the readers of the contract. A test validates what is answered."""

TIER = {
    "customer_id": "c-42",
    "as_of": "2026-11-02T10:00:00Z",
    "locale": "en",
    "ladder_version": 1,
    "basis": "spend",
    "unit": "EUR",
    "window": {"mode": "calendar_year", "from": "2025-12-31T23:00:00Z", "to": "2026-12-31T23:00:00Z"},
    "progress": 61250,
    "tier": {
        "code": "silver",
        "name": "Silver",
        "description": "For those who come back.",
        "color": "#c0c0c0",
        "icon": None,
        "benefits": {"multiplier": "1.5", "expiry": None, "perks": ["Free delivery"], "early_access_hours": 24},
    },
    "since": "2026-03-01T10:00:00Z",
    "valid_until": "2027-12-31T23:00:00Z",
    "grace_until": None,
    "in_grace": False,
    "pinned": None,
    "next": {"tier": {"code": "gold", "name": "Gold"}, "have": 61250, "need": 100000, "missing": 38750},
    "keep": {
        "have": 0,
        "need": 50000,
        "missing": 50000,
        "by": "2027-12-31T23:00:00Z",
        "counts_from": "2026-12-31T23:00:00Z",
    },
    "projection": {
        "at": "2027-12-31T23:00:00Z",
        "tier": {"code": "bronze", "name": "Bronze"},
        "reason": "falls",
        "text": "If nothing else happens, you have Bronze from January 1, 2028 on.",
    },
    "text": "You have Silver until the end of December 31, 2027. Spend €387.50 more to reach Gold.",
}

HISTORY = {
    "data": [
        {
            "at": "2026-03-01T10:00:00Z",
            "recorded_at": "2026-03-01T10:00:03Z",
            "from": "bronze",
            "to": "silver",
            "cause": "order",
            "reference": "A-1001",
            "reason": "reached",
            "valid_until": "2027-12-31T23:00:00Z",
        }
    ],
    "next": None,
}

EVALUATIONS = {
    "data": [
        {
            "as_of": "2026-03-01T10:00:00Z",
            "recorded_at": "2026-03-01T10:00:03Z",
            "cause": "order",
            "reference": "A-1001",
            "ladder_version": 1,
            "basis": "spend",
            "window_from": "2025-12-31T23:00:00Z",
            "value": 51000,
            "old": "bronze",
            "new": "silver",
            "reason": "reached",
            "valid_until": "2027-12-31T23:00:00Z",
        }
    ],
    "next": None,
}
