"""Examples of scores, as the documentation shows them."""

SCORES = {
    "customer_id": "c-42",
    "as_of": "2026-03-01T12:00:00Z",
    "within_days": 90,
    "churn": {"probability": 0.3814, "level": "medium"},
    "value": {"expected_spend": 8350, "currency": "EUR", "fifth": 4},
    "reason": None,
    "because": [
        {"feature": "days_since_last_order", "value": 30, "text": "The last of 4 orders was placed 30 days ago."},
        {
            "feature": "visits",
            "value": 2.1,
            "text": "As orders weigh half as much every 60 days, they count as 2.1 of today.",
        },
        {
            "feature": "worth",
            "value": 10920,
            "text": "In the same way, what was spent counts as 10920 minor units of today.",
        },
    ],
    "learned_from": 9800,
}
