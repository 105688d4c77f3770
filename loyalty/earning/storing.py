"""Rules from their stored form, which is what marketers wrote, without what says nothing. Pure."""

from datetime import datetime, time
from decimal import Decimal
from typing import Any

from loyalty.earning.rules import BirthdayWindow, Caps, EarningRule, Milestone, PointsPer, TimeWindow
from loyalty.programs.terms import Activation, Expiry

TUPLES = (
    "categories", "skus", "exclude_categories", "exclude_skus", "channels", "tiers", "segments",
)  # fmt: skip


def rule_from(stored: dict[str, Any]) -> EarningRule:
    """A rule from its stored form."""
    made = dict(stored)
    for name in TUPLES:
        made[name] = tuple(made.get(name, ()))
    if per := made.get("points_per"):
        made["points_per"] = PointsPer(per["amount"], Decimal(per["points"]))
    if factor := made.get("factor"):
        made["factor"] = Decimal(factor)
    made["time_windows"] = tuple(_time_window(window) for window in made.get("time_windows", ()))
    for name, kind in (("milestone", Milestone), ("birthday", BirthdayWindow), ("activation", Activation)):
        if made.get(name) is not None:
            made[name] = kind(**made[name])
    if expiry := made.get("expiry"):
        made["expiry"] = Expiry(**{**expiry, "dates": tuple(expiry.get("dates", ()))})
    made["limits"] = tuple(made.get("limits", {}).items())
    caps = made.get("caps") or {}
    made["caps"] = Caps(**{**caps, "per_member": tuple(caps.get("per_member", {}).items())})
    for name in ("valid_from", "valid_to"):
        if isinstance(made.get(name), str):
            made[name] = datetime.fromisoformat(made[name])
    return EarningRule(**made)


def _time_window(stored: dict[str, Any]) -> TimeWindow:
    end = stored.get("to")
    return TimeWindow(
        tuple(stored.get("weekdays", ())),
        time.fromisoformat(stored.get("from", "00:00")),
        None if end in (None, "24:00") else time.fromisoformat(end),
    )


# What a new program earns by, until it publishes rules of its own.
DEFAULT_RULE: dict[str, Any] = {
    "code": "base",
    "version": 1,
    "kind": "base",
    "priority": 10,
    "points_per": {"amount": 100, "points": "1"},
}
