"""A rehearsal of offers, for the readers of the contract."""

from typing import Any

from loyalty.personalisation.admin_examples import COFFEE
from loyalty.rehearsals.examples import LADDER_QUEUED

NEW_OFFER_REHEARSAL = {"days": 28, "offers": [COFFEE]}

OFFERS_QUEUED: dict[str, Any] = {
    **LADDER_QUEUED,
    "from": "2026-02-01T12:00:00Z",
    "to": "2026-03-01T12:00:00Z",
}

OFFERS_RESULT: dict[str, Any] = {
    "members": 3,
    "with_offers": 2,
    "without_offers": 1,
    "held_out": 0,
    "currency": "EUR",
    "places": 2,
    "lists": [
        {"list": "favourites", "places": 1, "percent": 50.0},
        {"list": "win_back", "places": 0, "percent": 0.0},
        {"list": "discover", "places": 1, "percent": 50.0},
    ],
    "expected_redemptions": 0.92,
    "expected_points": 19,
    "expected_points_worth": 19,
    "expected_amount": 0,
    "offers": [
        {
            "code": "coffee-double",
            "title": "Double points on coffee",
            "eligible": 2,
            "refused": {"cooldown": 1},
            "in_top_3": 2,
            "in_top_10": 2,
            "given": 2,
            "explored": 0,
            "places_percent": 100.0,
            "held_out": {"program": 0, "offer": 0},
            "expected_redemptions": 0.92,
            "cost_in": "points",
            "expected_cost": 19,
            "budget": {"limit": 500_000, "spent": 480_000, "reserved": 0, "used_percent": 0.1, "runs_out": False},
            "best": [
                {"customer_id": "c-42", "rank": 1, "probability": 0.82, "list": "favourites", "value": "1.38"},
                {"customer_id": "c-7", "rank": 1, "probability": 0.1, "list": "discover", "value": "1.92"},
            ],
            "overlooked": [],
        }
    ],
    "notes": ["Nothing is tried on the past: what is known of members is known as of now."],
}

OFFER_REHEARSAL: dict[str, Any] = {
    **OFFERS_QUEUED,
    "status": "done",
    "attempts": 1,
    "progress": {"members_done": 3, "members_total": 3},
    "started_at": "2026-03-01T12:00:01Z",
    "finished_at": "2026-03-01T12:00:02Z",
    "result": OFFERS_RESULT,
}

OFFERS_CANCELLED = {**OFFERS_QUEUED, "status": "cancelled", "finished_at": "2026-03-01T12:00:01Z"}

OFFER_REHEARSALS = {
    "data": [{name: value for name, value in OFFER_REHEARSAL.items() if name != "result"}],
    "next": None,
}
