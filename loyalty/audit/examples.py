"""A change, for the readers of the contract."""

AUDIT_LOG = {
    "data": [
        {
            "at": "2026-03-08T15:29:00Z",
            "actor": "019c18a3-5b00-7d2b-9f00-5a1c0de0b1e5",
            "action": "reward.changed",
            "resource": "rewards/five-off",
            "before": {"code": "five-off", "version": 1, "name": "5 off", "points": 25},
            "after": {"code": "five-off", "version": 2, "name": "5 off", "points": 20},
        }
    ],
    "next": None,
}
