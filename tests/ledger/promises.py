"""What programs may promise: as the model reads it, and as a program states it."""

from datetime import UTC, datetime
from typing import Any

from tests.ledger.terms import Lasting, Promise, Waiting

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Africa/Cairo", "Asia/Kathmandu")
# Shortly before the clocks change, before 29 February, at the end of a year.
STARTS = (
    datetime(2028, 1, 30, 22, 30, tzinfo=UTC),
    datetime(2027, 3, 27, 12, tzinfo=UTC),
    datetime(2027, 10, 28, 23, 59, 59, tzinfo=UTC),
    datetime(2027, 12, 31, 12, tzinfo=UTC),
)
RETURNS: tuple[dict[str, Any], ...] = (
    {"policy": "clamp", "grace_days": 30},
    {"policy": "clamp", "grace_days": 0},
    {"policy": "debt", "grace_days": 3},
    {"policy": "debt", "grace_days": 30, "max_debt": 50},
)

PROMISES: dict[str, tuple[Promise, dict[str, Any]]] = {
    "for-ever": (Promise(Lasting(for_ever=True)), {"expiry": {"mode": "never"}}),
    "ten-days": (Promise(Lasting(days=10)), {"expiry": {"mode": "rolling", "days": 10}}),
    "a-month": (Promise(Lasting(months=1)), {"expiry": {"mode": "rolling", "months": 1}}),
    "quarters": (
        Promise(Lasting(months=1, end_of=3)),
        {"expiry": {"mode": "rolling", "months": 1, "round_to": "quarter"}},
    ),
    "leap-day": (
        Promise(Lasting(dates=((2, 29), (3, 31)))),
        {"expiry": {"mode": "calendar", "dates": ["02-29", "03-31"]}},
    ),
    "idle": (Promise(Lasting(days=20, while_active=True)), {"expiry": {"mode": "inactivity", "days": 20}}),
    "later": (
        Promise(Lasting(months=1), Waiting(days=5)),
        {"expiry": {"mode": "rolling", "months": 1}, "activation": {"mode": "delay", "days": 5}},
    ),
    "later-idle": (
        Promise(Lasting(months=1, while_active=True), Waiting(months=1)),
        {"expiry": {"mode": "inactivity", "months": 1}, "activation": {"mode": "delay", "months": 1}},
    ),
    "event": (
        Promise(Lasting(days=40), Waiting(for_event=True)),
        {"expiry": {"mode": "rolling", "days": 40}, "activation": {"mode": "on_event"}},
    ),
    "event-in-time": (
        Promise(Lasting(for_ever=True), Waiting(for_event=True, in_time_days=14)),
        {"expiry": {"mode": "never"}, "activation": {"mode": "on_event", "deadline_days": 14}},
    ),
    "event-idle": (
        Promise(Lasting(days=20, while_active=True), Waiting(for_event=True, in_time_days=30)),
        {"expiry": {"mode": "inactivity", "days": 20}, "activation": {"mode": "on_event", "deadline_days": 30}},
    ),
}  # fmt: skip
BY_HAND = {"a year": Lasting(months=12), "while active": Lasting(days=20, while_active=True)}
TERMS_BY_HAND = {
    "a year": {"mode": "rolling", "months": 12},
    "while active": {"mode": "inactivity", "days": 20},
}
