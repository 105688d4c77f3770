"""Webhooks, for the readers of the contract."""

WEBHOOK_ID = "019ccdf3-7c40-7d2b-9f00-5a1c0de0b1e5"

NEW_WEBHOOK = {"url": "https://shop.example/loyalty", "types": ["points.*", "tier.changed"], "description": "Shop"}

WEBHOOK = {
    "webhook_id": WEBHOOK_ID,
    **NEW_WEBHOOK,
    "status": "active",
    "paused_at": None,
    "paused_reason": None,
    "sequence": 1204,
    "delivered": 1201,
    "waiting": 2,
    "waiting_since": "2026-03-08T15:28:58Z",
    "failing_since": None,
    "next_try_at": None,
    "secrets": [{"created_at": "2026-02-20T12:00:00Z", "expires_at": None}],
    "version": 1,
    "created_at": "2026-02-20T12:00:00Z",
}
WEBHOOKS = {"data": [WEBHOOK], "next": None}

MADE_WEBHOOK = {
    **WEBHOOK, "sequence": 0, "delivered": 0, "waiting": 0, "waiting_since": None,
    "secret": "whsec_c2VjcmV0LCBzaG93bi4…",
}  # fmt: skip

CHANGES = {"types": ["points.*", "tier.changed", "redemption.*"]}
CHANGED_WEBHOOK = {**WEBHOOK, **CHANGES, "version": 2}

ROTATION = {"keep_previous_seconds": 86_400}
ROTATED_WEBHOOK = {
    **WEBHOOK,
    "secrets": [
        {"created_at": "2026-03-08T15:29:00Z", "expires_at": None},
        {"created_at": "2026-02-20T12:00:00Z", "expires_at": "2026-03-09T15:29:00Z"},
    ],
    "secret": "whsec_YW5vdGhlciBvbmUsIHNob3du…",
}

PAUSED_WEBHOOK = {**WEBHOOK, "status": "paused", "paused_at": "2026-03-08T15:29:00Z", "paused_reason": "asked"}

PING = {"delivered": False, "status": 500, "error": "The receiver answered 500.", "milliseconds": 87}

REPLAY = {"from": 1100, "to": 1150}
REPLAYED = {"from": 1100, "to": 1150, "replayed": 51}

DELIVERY = {
    "sequence": 1204,
    "event_id": "019ccdf3-7c40-7f41-8a32-77b0c3f3a0d9",
    "type": "points.earned",
    "customer_id": "c-42",
    "status": "waiting",
    "given_at": "2026-03-08T15:29:00Z",
    "attempts": 2,
    "next_attempt_at": "2026-03-08T15:29:21Z",
    "last_status": 500,
    "last_error": "The receiver answered 500.",
    "last_milliseconds": 87,
    "delivered_at": None,
}
DELIVERIES = {"data": [DELIVERY], "next": "WzEyMDRd"}
