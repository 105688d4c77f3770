"""Segments, for the readers of the contract."""

SEGMENT = {
    "code": "redeemers",
    "name": "Redeemers",
    "description": "Who used a reward or an offer before: they are the likeliest to use another.",
    "when": "features.redemptions > 0",
    "built_in": True,
    "size": 412,
    "counted_at": "2026-03-01T03:00:00Z",
}

SEGMENTS = {
    "data": [SEGMENT],
    "counting": {"begun_at": "2026-03-02T03:00:00Z", "done": 1500, "total": 4200},
    "next": None,
}

SEGMENT_MEMBERS = {"data": [{"customer_id": "c-42", "since": "2026-02-27T10:15:00Z"}], "next": None}
