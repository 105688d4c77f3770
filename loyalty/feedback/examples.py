"""An answer about an order, for the readers of the contract."""

from typing import Any

NEW_FEEDBACK: dict[str, Any] = {
    "feedback_id": "fb-77",
    "customer_id": "c-42",
    "kind": "nps",
    "score": 4,
    "comment": "It came two days late.",
    "order_id": "A-1001",
    "touchpoint": "delivery",
    "answered_at": "2026-03-04T18:30:00Z",
}

FEEDBACK_RECEIPT = {
    "feedback_id": "fb-77",
    "customer_id": "c-42",
    "kind": "nps",
    "score": 4,
    "activity_id": "feedback-fb-77",
    "points": {"awarded": 20, "pending": 0, "available": 20},
    "awards": [
        {
            "rule": {"code": "thanks", "version": 1},
            "unit": "points",
            "points": 20,
            "matures_at": None,
            "expires_at": "2027-03-05T00:00:00Z",
            "lines": [],
            "reason": "20 for feedback",
        }
    ],
    "refused": [],
    "balance": {"available": 50, "pending": 0, "held": 0, "debt": 0},
    "tier": None,
}

FEEDBACK = {
    **NEW_FEEDBACK,
    "comment_erased_at": None,
    "recorded_at": "2026-03-04T18:30:01Z",
    "activity_id": "feedback-fb-77",
}

FEEDBACK_LIST = {"data": [FEEDBACK], "next": None}

FEEDBACK_ERASED = {**FEEDBACK, "comment": None, "comment_erased_at": "2026-03-20T09:00:00Z"}
