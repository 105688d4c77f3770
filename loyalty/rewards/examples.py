"""Rewards and their redemption, for the readers of the contract."""

NEW_REWARD = {
    "name": "5 off",
    "type": "discount_amount",
    "points": 25,
    "points_by_tier": {"gold": 20},
    "value": {"amount": 500},
    "stock": 1000,
    "low_stock": 50,
    "limits": {"month": 2},
    "valid_from": "2026-01-01T00:00:00Z",
    "valid_to": None,
    "fulfilment": "code",
    "voucher": {"valid_days": 90, "uses": 1},
    "description": "5.00 off your next order.",
    "categories": ["discounts"],
    "translations": {"pl": {"name": "5 zł taniej"}},
}

_WHOLE = {
    **NEW_REWARD, "tiers": [], "segments": [], "early_access": True, "when": None, "terms": None, "images": [],
    "sort": 0,
}  # fmt: skip

REWARD = {**_WHOLE, "code": "five-off", "version": 1, "status": "published", "drafted": False}

WITHDRAWN_REWARD = {**REWARD, "version": 2, "status": "withdrawn"}

REWARDS = {"data": [REWARD], "next": None}

REWARD_DRAFT = {**_WHOLE, "version": 1}

REWARD_VERSION = {
    **_WHOLE, "version": 1, "withdrawn": False, "published_at": "2026-01-01T09:00:00Z",
    "published_by": "01931f3e-7c1a-7d2b-9f00-5a1c0de0b1e5",
}  # fmt: skip

REWARD_VERSIONS = {"data": [REWARD_VERSION], "next": None}

REWARD_REVIEW = {
    "ok": True,
    "errors": 0,
    "warnings": 1,
    "findings": [
        {
            "level": "warning",
            "code": "unknown-tier",
            "pointer": "/points_by_tier/gold",
            "detail": "There is no tier 'gold'. There are: 'bronze', 'silver'.",
        }
    ],
}

STOCK_CHANGE = {"change": 100}

NEW_CODES = {"codes": ["GIFT-7F3A-0001", "GIFT-7F3A-0002"]}

CODES_ADDED = {"reward": "five-off", "added": 2, "left": 2}

_SHOWN = {
    "code": "five-off",
    "name": "5 off",
    "description": "5.00 off your next order.",
    "terms": None,
    "type": "discount_amount",
    "points": 25,
    "value": {"amount": 500},
    "currency": "EUR",
    "stock": 1000,
    "valid_from": "2026-01-01T00:00:00Z",
    "valid_to": None,
    "fulfilment": "code",
    "images": [],
    "categories": ["discounts"],
}

CATALOGUE = {
    "data": [{**_SHOWN, "version": 1, "points_by_tier": {"gold": 20}, "limits": {"month": 2}, "tiers": []}],
    "next": None,
}

MEMBER_REWARDS = {
    "customer_id": "c-42",
    "member_status": "active",
    "as_of": "2026-03-08T15:29:00Z",
    "locale": "en",
    "unit": "points",
    "available_points": 18,
    "tier": None,
    "next_reward": {"reward": "five-off", "name": "5 off", "missing": 7},
    "data": [
        {
            **_SHOWN,
            "available": False,
            "missing": 7,
            "summary": "You need 7 more points.",
            "reasons": [
                {
                    "code": "insufficient_points",
                    "detail": "You need 7 more points.",
                    "required": 25,
                    "available": 18,
                    "missing": 7,
                }
            ],
            "limits_left": {"month": 2},
            "early_access": False,
        }
    ],
    "next": None,
}

NEW_REDEMPTION = {"reward": "five-off", "redemption_id": "r-1001"}

_VOUCHER = {
    "code": "7KQ2-M9XD-0T4F",
    "value": {"type": "discount_amount", "amount": 500},
    "expires_at": "2026-06-07T00:00:00Z",
}

REDEEMED = {
    "redemption_id": "r-1001",
    "reward": "five-off",
    "status": "confirmed",
    "points": 25,
    "expires_at": None,
    "voucher": _VOUCHER,
}

REDEMPTION_RECEIPT = {**REDEEMED, "balance": {"available": 5, "pending": 0, "held": 0, "debt": 0}}

CANCEL_REDEMPTION = {"reason": "ordered by mistake"}

CANCELLED_REDEMPTION = {
    **REDEEMED,
    "status": "cancelled",
    "voucher": None,
    "balance": {"available": 30, "pending": 0, "held": 0, "debt": 0},
    "points_returned": [{"outcome": "returned", "points": 25, "expires_at": "2027-03-09T00:00:00Z"}],
}

FULFIL_REDEMPTION = {"reference": "parcel-77"}

FULFILLED_REDEMPTION = {**REDEMPTION_RECEIPT, "status": "fulfilled", "voucher": None, "reference": "parcel-77"}

REDEMPTION = {
    **REDEEMED,
    "customer_id": "c-42",
    "reward_version": 1,
    "fulfilment": "code",
    "redeemed_at": "2026-03-08T15:29:00Z",
    "confirmed_at": "2026-03-08T15:29:00Z",
    "fulfilled_at": None,
    "closed_at": None,
    "reference": None,
    "reason": None,
}

REDEMPTIONS = {"data": [REDEMPTION], "next": None}

AUTO_REDEEM_WAITS = {
    "data": [
        {
            "customer_id": "c-42",
            "reward": "five-off",
            "reason": "out-of-stock",
            "tried_at": "2026-03-01T12:00:00Z",
            "retry_at": "2026-03-01T13:00:00Z",
        }
    ],
    "next": None,
}
