"""Facts, for the readers of the contract."""

FACTS = {
    "data": [
        {
            "event_id": "019ccdf3-7c40-7d2b-9f00-5a1c0de0b1e5",
            "cursor": "WzgxMjM0LDU2Nzhd",
            "type": "redemption.confirmed",
            "version": 1,
            "customer_id": "c-42",
            "occurred_at": "2026-03-08T15:29:00Z",
            "recorded_at": "2026-03-08T15:29:00Z",
            "data": {
                "redemption_id": "r-1001",
                "reward": "five-off",
                "points": 25,
                "status": "confirmed",
                "reason": None,
                "voucher_issued": True,
                "fulfilment": "code",
            },
        },
        {
            "event_id": "019ccdf3-7c40-7f41-8a32-77b0c3f3a0d9",
            "cursor": "WzgxMjM0LDU2Nzld",
            "type": "reward.stock_low",
            "version": 1,
            "customer_id": None,
            "occurred_at": "2026-03-08T15:29:00Z",
            "recorded_at": "2026-03-08T15:29:00Z",
            "data": {"reward": "five-off", "remaining": 10, "threshold": 10},
        },
    ],
    "next": None,
}
