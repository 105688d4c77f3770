"""What members are told, for the readers of the contract."""

NEW_SETTINGS = {
    "channels": {"inbox": True, "email": True, "webhook": False, "apprise": False},
    "kinds": {"points_earned": ["inbox"], "tier_down": []},
    "expiring_days": [30, 7],
    "lapsing_days": [30, 7],
    "offer_ending_days": 3,
    "statement_day": 1,
    "within_reach_percent": 90,
    "quiet_hours": {"from": "21:00", "to": "08:00"},
    "caps": {"day": 2, "week": 5},
    "digest": {"minutes": 15, "least": 3},
    "feedback": {"url": "https://shop.example/feedback?order={order_id}", "after_days": 7},
    "surveys": [],
    "email": {"from": "Club <club@shop.example>", "reply_to": None},
    "storefront_url": "https://shop.example",
}

SETTINGS = {**NEW_SETTINGS, "version": 1}

NEW_PREFERENCES = {
    "channels": {"apprise": False},
    "kinds": {"new_reward": {"email": False}},
    "quiet_hours": {"from": "22:00", "to": "07:00"},
    "time_zone": "Europe/Riga",
    "digest": "off",
}

PREFERENCES = {
    **NEW_PREFERENCES,
    "version": 1,
    "effective": [
        {
            "kind": "points_expiring", "category": "transactional",
            "channels": {"inbox": "on", "email": "on", "webhook": "channel_off", "apprise": "channel_off"},
        },
        {
            "kind": "new_reward", "category": "marketing",
            "channels": {"inbox": "on", "email": "kind_refused", "webhook": "channel_off", "apprise": "channel_off"},
        },
    ],
}  # fmt: skip

INBOX = {
    "data": [
        {
            "message_id": "01931f3e-7c1a-7d2b-9f00-5a1c0de0b1e5",
            "kind": "points_earned",
            "category": "transactional",
            "subject": "You have earned 120 points",
            "text": "You can use them from 14 January on.",
            "language": "en",
            "occurred_at": "2026-01-01T09:00:00Z",
            "sent_at": "2026-01-01T09:00:05Z",
            "read_at": None,
        }
    ],
    "next": None,
    "unread": 1,
}

MARKED = {"changed": 1, "unread": 0}

_MESSAGE = {
    "message_id": "01931f3e-7c1a-7d2b-9f00-5a1c0de0b1e5",
    "customer_id": "c-42",
    "kind": "new_reward",
    "category": "marketing",
    "channel": "email",
    "status": "suppressed",
    "reason": "no_consent",
    "why": "Marketing on this channel needs the member's consent.",
    "data": {"reward": "five-off", "version": 1},
    "occurred_at": "2026-01-01T09:00:00Z",
    "created_at": "2026-01-01T09:00:05Z",
    "due_at": "2026-01-01T09:15:05Z",
    "decided_at": "2026-01-01T09:15:30Z",
    "sent_at": None,
    "read_at": None,
    "attempts": 0,
    "last_error": None,
    "digest_id": None,
    "language": None,
    "template_version": None,
}

MEMBER_MESSAGES = {"data": [_MESSAGE], "next": None}

FAILED_MESSAGES = {
    "data": [
        {
            **_MESSAGE, "status": "failed", "reason": "gave_up", "why": "It could not be delivered for days.",
            "attempts": 12, "last_error": "Connection refused",
        }
    ],
    "next": None,
}  # fmt: skip

SUMMARY = {
    "since": "2025-12-25T09:00:00Z",
    "data": [
        {"kind": "new_reward", "channel": "email", "status": "sent", "reason": None, "messages": 1200},
        {"kind": "new_reward", "channel": "email", "status": "suppressed", "reason": "no_consent", "messages": 340},
    ],
    "incomplete": [],
}

REQUEUE = {"channel": "email", "reason": "gave_up"}

REQUEUED = {"requeued": 12, "more": False}
