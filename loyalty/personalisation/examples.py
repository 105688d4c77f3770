"""What the contract shows of offers."""

ASSIGNMENT_ID = "01931f3e-7c1a-7d2b-9f00-5a1c0de0b1e5"

MEMBER_OFFERS = {
    "customer_id": "c-42",
    "as_of": "2026-03-08T16:00:00Z",
    "locale": "en",
    "data": [
        {
            "offer": "coffee-double",
            "assignment_id": ASSIGNMENT_ID,
            "title": "Twice the points on coffee",
            "promise": {"kind": "multiplier", "value": "2"},
            "categories": ["coffee"],
            "skus": [],
            "min_basis": 0,
            "status": "activated",
            "activation": "automatic",
            "assigned_at": "2026-03-08T16:00:00Z",
            "seen_at": None,
            "activated_at": "2026-03-08T16:00:00Z",
            "valid_to": "2026-04-05T16:00:00Z",
            "voucher": None,
            "list": "favourites",
            "trigger": "ranking",
            "rank": 1,
            "score": 0.31,
            "probability": 0.82,
            "reasons": [
                {
                    "feature": "bought",
                    "value": 14,
                    "detail": "You bought this in 14 of your last 40 orders.",
                    "orders": ["A-1001"],
                }
            ],
        }
    ],
    "holdout": False,
}

ACTIVATED = {
    "assignment_id": ASSIGNMENT_ID,
    "offer": "coffee-double",
    "status": "activated",
    "at": "2026-03-08T16:00:00Z",
    "valid_to": "2026-04-05T16:00:00Z",
    "voucher": None,
}
SEEN = {**ACTIVATED, "status": "seen"}
DISMISSED = {**ACTIVATED, "status": "dismissed"}
