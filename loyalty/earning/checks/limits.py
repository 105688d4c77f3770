"""Caps, limits and cooldowns: those that never matter, and those that are missing."""

from collections.abc import Iterator
from decimal import Decimal

from loyalty.core.findings import Finding, warning
from loyalty.earning.checks.proposal import Proposal
from loyalty.earning.rules import EarningRule

# Each period with those that contain it whole. A week may lie in two months.
WITHIN = {
    "day": ("week", "month", "quarter", "year", "ever"),
    "week": ("ever",),
    "month": ("quarter", "year", "ever"),
    "quarter": ("year", "ever"),
    "year": ("ever",),
}
# Who waits so many days between two times gets it once in the period.
ONCE_AFTER_DAYS = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}
# Up to three times the points is a campaign; more is a promise that should have an end.
MUCH = Decimal(3)


def find(proposal: Proposal) -> Iterator[Finding]:
    """What is to be said of how much each rule gives at the most."""
    for number, rule in enumerate(proposal.rules):
        yield from _idle_caps(number, rule)
        yield from _idle_limits(number, rule)
        yield from _of_a_bonus(number, rule)
        yield from _unbounded(number, rule)


def _idle_caps(number: int, rule: EarningRule) -> Iterator[Finding]:
    """A cap that a wider one makes meaningless: a week of 100 is full before a day of 200 is."""
    caps: dict[str, int] = dict(rule.caps.per_member)
    wider = {period: (*WITHIN.get(period, ()), "budget") for period in caps}
    points: dict[str, int | None] = {"budget": rule.caps.budget, **caps}
    if rule.points is None:  # a bonus is looked at by itself
        wider["per_order"], points["per_order"] = (*caps, "budget"), rule.caps.per_order
    for name, others in wider.items():
        cap = points[name]
        other = next(
            (o for o in others if (limit := points.get(o)) is not None and cap is not None and limit <= cap), None
        )
        if other is not None:
            detail = f"The cap {_said(name)} of {cap} never matters: the cap {_said(other)} is {points[other]}."
            place = ("per_order",) if name == "per_order" else ("per_member", name)
            yield warning("idle-cap", f"{detail} Lower it, or leave it out.", "rules", number, "caps", *place)


def _idle_limits(number: int, rule: EarningRule) -> Iterator[Finding]:
    limits: dict[str, int] = dict(rule.limits)
    for period, limit in limits.items():
        other = next((p for p in WITHIN.get(period, ()) if limits.get(p, limit + 1) <= limit), None)
        if other is not None:
            detail = f"The limit {_said(period)} of {limit} never matters: the limit {_said(other)} is {limits[other]}."
        elif rule.cooldown_days >= ONCE_AFTER_DAYS.get(period, rule.cooldown_days + 1):
            detail = f"The limit {_said(period)} never matters: the cooldown lasts {rule.cooldown_days} days."
        else:
            continue
        yield warning("idle-limit", f"{detail} Lower it, or leave it out.", "rules", number, "limits", period)
    if rule.cooldown_days and limits.get("ever") == 1:
        detail = "The cooldown never matters: a member gets this once. Leave it out."
        yield warning("idle-limit", detail, "rules", number, "cooldown_days")


def _of_a_bonus(number: int, rule: EarningRule) -> Iterator[Finding]:
    """A bonus gives the same each time, so its caps either cut it always, or are reached by counting, or never."""
    if rule.points is None:
        return
    limits: dict[str, int] = dict(rule.limits)
    caps: list[tuple[tuple[str, ...], int]] = [(("per_member", period), cap) for period, cap in rule.caps.per_member]
    for name, cap in (("per_order", rule.caps.per_order), ("budget", rule.caps.budget)):
        if cap is not None:
            caps.append(((name,), cap))
    for place, cap in caps:
        at = ("rules", number, "caps", *place)
        if cap < rule.points:
            detail = f"The bonus is {rule.points} points, and this cap cuts it to {cap} each time. Make them fit."
            yield warning("bonus-above-cap", detail, *at)
        elif place == ("per_order",):
            detail = f"An order gets the bonus once, {rule.points} points, so this cap never matters. Leave it out."
            yield warning("idle-cap", detail, *at)
        elif place[-1] in limits and limits[place[-1]] * rule.points <= cap:
            times = limits[place[-1]]
            detail = f"This cap never matters: {times} times {rule.points} points is all that the limit lets through."
            yield warning("idle-cap", f"{detail} Leave it out.", *at)


def _unbounded(number: int, rule: EarningRule) -> Iterator[Finding]:
    """What gives much, to anybody, for ever."""
    per_member = rule.caps.per_member or rule.limits or rule.cooldown_days
    if per_member:
        return
    if rule.activity is not None:
        detail = f"Each '{rule.activity}' gives {rule.points} points, however many a member does. Give it limits"
        yield warning("unbounded-activity", f"{detail}, a cooldown or a cap per member.", "rules", number)
        return
    if rule.birthday is not None and rule.kind == "bonus":
        detail = "Every order around the birthday gets this bonus. For one a year, give it limits: a year of 1."
        yield warning("birthday-every-order", detail, "rules", number, "birthday")
        return
    ends = rule.valid_to is not None or rule.caps.budget is not None or rule.milestone is not None
    if rule.kind == "bonus" and not ends:
        detail = f"It gives {rule.points} points to every order that meets its conditions, without an end."
    elif rule.factor is not None and rule.factor > MUCH and rule.caps.per_order is None and not ends:
        detail = f"It multiplies points by {rule.factor:f}, without an end."
    else:
        return
    yield warning("unbounded", f"{detail} Give it a cap, a budget, limits or a valid_to.", "rules", number)


def _said(name: str) -> str:
    if name in ("per_order", "budget"):
        return {"per_order": "per order", "budget": "for all members together"}[name]
    return "for ever" if name == "ever" else f"per {name}"
