"""Offers as marketers write them, for the readers of the contract: points on coffee, a cheaper tea, a gift."""

from typing import Any

COFFEE: dict[str, Any] = {
    "code": "coffee-double",
    "title": "Double points on coffee",
    "titles": {"pl": "Podwójne punkty za kawę"},
    "promise": {"kind": "multiplier", "value": "2", "least_value": "1.25"},
    "categories": ["coffee"],
    "valid_from": "2026-03-01T00:00:00Z",
    "valid_to": "2026-06-01T00:00:00Z",
    "days": 14,
    "cooldown_days": 7,
    "caps": {"month": 2},
    "budget_points": 500_000,
    "holdout_percent": "10",
}

TEA: dict[str, Any] = {
    "code": "tea-fifth-off",
    "title": "20% off tea",
    "promise": {"kind": "discount_percent", "value": "20", "least_value": "7.5", "most": 1_000},
    "categories": ["tea"],
    "exclude_skus": ["tea-gift-card"],
    "min_basis": 2_000,
    "segments": ["regulars"],
    "when": "history.orders >= 3",
    "valid_to": "2026-06-01T00:00:00Z",
    "activation": "opt_in",
    "caps": {"ever": 3},
    "budget_amount": 250_000,
    "group": "hot-drinks",
}

FILTERS: dict[str, Any] = {
    "code": "come-back",
    "title": "A pack of filters for your next order",
    "promise": {"kind": "free_product", "value": 1, "sku": "filters-100", "most": 450},
    "cooldown_days": 180,
    "budget_amount": 90_000,
    "priority": 5,
    "trigger": "win_back",
}

PERSONALISING: dict[str, Any] = {
    "exploration_percent": 10,
    "favourites_percent": 60,
    "never_personalise": {"categories": ["tobacco"], "skus": []},
}

NEW_OFFERS: dict[str, Any] = {"offers": [COFFEE, TEA, FILTERS], "personalising": PERSONALISING}

_UNSAID: dict[str, Any] = {"days": 28, "activation": "automatic", "priority": 10}

_SHOWN: dict[str, Any] = {**NEW_OFFERS, "offers": [{**_UNSAID, **offer} for offer in NEW_OFFERS["offers"]]}

OFFERS_DRAFT = {"version": 1, **_SHOWN}

PUBLISH_OFFERS = {"effective_from": None}

OFFERS_REVIEW = {
    "ok": True,
    "errors": 0,
    "warnings": 1,
    "findings": [
        {
            "level": "warning",
            "code": "group-of-one",
            "pointer": "/offers/1/group",
            "detail": "No other offer is in the group 'hot-drinks', so it excludes nothing."
            " Leave it out, or name it in another offer.",
        }
    ],
}

OFFER_SET_SUMMARY = {
    "version": 1,
    "status": "in_force",
    "size": 3,
    "effective_from": None,
    "published_at": "2026-02-20T12:00:00Z",
    "published_by": "019c18a3-5b00-7d2b-9f00-5a1c0de0b1e5",
}

OFFER_SET = {**OFFER_SET_SUMMARY, **_SHOWN}

OFFER_SETS = {"data": [OFFER_SET_SUMMARY], "next": None}
