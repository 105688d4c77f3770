"""A ladder of three tiers, for the readers of the contract: by what was spent in the last twelve months."""

from typing import Any

BRONZE: dict[str, Any] = {"code": "bronze", "name": "Bronze", "threshold": 0}

SILVER: dict[str, Any] = {
    "code": "silver",
    "name": "Silver",
    "threshold": 20_000,
    "benefits": {"multiplier": "1.25", "perks": ["Free shipping"]},
}

GOLD: dict[str, Any] = {
    "code": "gold",
    "name": "Gold",
    "threshold": 50_000,
    "benefits": {
        "multiplier": "1.5",
        "expiry": {"mode": "rolling", "months": 24, "round_to": "month"},
        "perks": ["Free shipping", "Birthday gift"],
        "early_access_hours": 48,
    },
    "color": "#D4AF37",
}

NEW_LADDER: dict[str, Any] = {
    "basis": "spend",
    "window": {"mode": "rolling", "months": 12},
    "validity": {"mode": "months", "months": 12},
    "downgrade": "one_step",
    "grace": {"days": 30, "round_to": "month"},
    "tiers": [BRONZE, SILVER, GOLD],
}

_NOTHING_MORE: dict[str, Any] = {"multiplier": "1", "expiry": None, "perks": []}

_SHOWN = {
    **NEW_LADDER,
    "tiers": [{**tier, "benefits": {**_NOTHING_MORE, **tier.get("benefits", {})}} for tier in NEW_LADDER["tiers"]],
}

LADDER_DRAFT = {"version": 1, **_SHOWN}

PUBLISH_LADDER = {"members": "now", "effective_from": None}

LADDER_REVIEW = {
    "ok": True,
    "errors": 0,
    "warnings": 1,
    "findings": [
        {
            "level": "warning",
            "code": "tier-gone",
            "pointer": "/tiers",
            "detail": "The ladder in force has a tier 'platin', and this one has not: its members will be reassessed."
            " Did you mean 'platinum'?",
        }
    ],
}

LADDER = {
    "version": 1,
    "status": "in_force",
    "members": "now",
    "effective_from": None,
    "published_at": "2026-02-20T12:00:00Z",
    "published_by": "019c18a3-5b00-7d2b-9f00-5a1c0de0b1e5",
    **_SHOWN,
}

LADDERS = {"data": [LADDER], "next": None}

LADDER_MOVES = {
    "data": [
        {
            "version": 1,
            "members": "now",
            "status": "running",
            "effective_from": "2026-02-20T12:00:00Z",
            "members_done": 4_000,
            "members_total": 10_500,
            "up": 310,
            "down": 0,
            "started_at": "2026-02-20T12:00:01Z",
            "finished_at": None,
        }
    ],
    "next": None,
}
