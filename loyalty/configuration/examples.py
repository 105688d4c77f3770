"""A configuration and what it changes, for the readers of the contract."""

from loyalty.earning.examples import NEW_DRAFT
from loyalty.personalisation.admin_examples import NEW_OFFERS
from loyalty.rewards.examples import NEW_REWARD
from loyalty.tiers.examples import NEW_LADDER

CONFIGURATION = {
    "format": 1,
    "program": {
        "code": "demo",
        "name": "Demo",
        "currency": "EUR",
        "time_zone": "Europe/Warsaw",
        "locale": "en",
        "auto_enrol": False,
        "rounding": "half_up",
        "earn": {"tax": "included", "shipping": False, "points_paid": False},
    },
    "earning_rules": NEW_DRAFT,
    "ladder": NEW_LADDER,
    "offers": NEW_OFFERS,
    "rewards": [{"code": "five-off", **NEW_REWARD}],
    "notification_settings": {"expiring_days": [30, 7], "statement_day": 1},
    "notification_templates": {
        "points_matured": {"de": {"subject": "Neue Punkte", "text": "Neue Punkte: {{ points|number }}", "html": None}}
    },
}

COMPARISON = {
    "changes": [
        {"path": "/program/rounding", "action": "change", "before": "floor", "after": "half_up"},
        {"path": "/rewards/0/points", "action": "change", "before": 20, "after": 25},
    ],
    "kept": ["ten-off"],
}
