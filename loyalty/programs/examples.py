"""A program's settings, for the readers of the contract."""

SETTINGS = {
    "rounding": "half_up",
    "units": {
        "points": {
            "activation": {"mode": "delay", "days": 14},
            "expiry": {"mode": "rolling", "months": 12, "round_to": "month"},
        }
    },
}

PROGRAM = {
    "code": "demo",
    "name": "Demo",
    "currency": "EUR",
    "time_zone": "Europe/Warsaw",
    "locale": "en",
    "sandbox": False,
    "version": 2,
    "auto_enrol": False,
    "earn": {"tax": "included", "shipping": False, "points_paid": False},
    "stacking": {"base": "sum", "multiplier": "product"},
    "returns": {"policy": "clamp", "grace_days": 30},
    "pay": {"points": 1, "amount": 1, "min_points": 0, "max_percent": 100, "step": 1, "require_payment": False},
    "feedback": {"nps_low": 6, "csat_low": 2, "ces_low": 3},
    "auto_redeem": {"reward": "five-off"},
    "holdout_percent": 0,
    "liability": {
        "value_per_point": None,
        "redemption_rate": [{"from": "2026-01-01", "rate": "0.95", "reason": "Agreed with the auditors for 2026"}],
    },
    **SETTINGS,
}
