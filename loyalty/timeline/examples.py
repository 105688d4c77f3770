"""Timelines, for the readers of the contract."""

TIMELINE = {
    "data": [
        {
            "event_id": "019ccdf3-7c40-7d2b-9f00-5a1c0de0b1e5",
            "type": "redemption.confirmed",
            "version": 1,
            "occurred_at": "2026-03-08T15:29:00Z",
            "summary": "You chose this reward, for 25 points: 5 off.",
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
            "event_id": "019ca905-3900-7f41-8a32-77b0c3f3a0d9",
            "type": "member.enrolled",
            "version": 1,
            "occurred_at": "2026-03-01T12:00:00Z",
            "summary": "You joined the program.",
            "data": {"referred": False},
        },
    ],
    "next": None,
}
