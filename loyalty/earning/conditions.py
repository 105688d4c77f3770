"""The conditions of a rule, in the order in which they are asked. The first that does not hold refuses the rule."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from loyalty.core import calendar
from loyalty.earning import caps
from loyalty.earning.rules import EarningRule
from loyalty.earning.situation import Situation

Ask = Callable[[EarningRule, Situation], bool]


def _validity(rule: EarningRule, seen: Situation) -> bool:
    begun = rule.valid_from is None or rule.valid_from <= seen.at
    return begun and (rule.valid_to is None or seen.at < rule.valid_to)


def _channels(rule: EarningRule, seen: Situation) -> bool:
    return not rule.channels or (seen.purchase is not None and seen.purchase.channel in rule.channels)


def _time_windows(rule: EarningRule, seen: Situation) -> bool:
    local = seen.local
    for window in rule.time_windows:
        if window.covers(local):
            return True
    return not rule.time_windows


def _tiers(rule: EarningRule, seen: Situation) -> bool:
    return not rule.tiers or seen.facts.tier in rule.tiers


def _segments(rule: EarningRule, seen: Situation) -> bool:
    return not rule.segments or any(seen.is_in_segment(code) for code in rule.segments)


def _milestone(rule: EarningRule, seen: Situation) -> bool:
    return rule.milestone is None or rule.milestone.is_met(seen.order_number)


def _birthday(rule: EarningRule, seen: Situation) -> bool:
    window = rule.birthday
    if window is None:
        return True
    to, since = seen.days_to_birthday, seen.days_since_birthday
    return to is not None and since is not None and (to <= window.days_before or since <= window.days_after)


def _limits(rule: EarningRule, seen: Situation) -> bool:
    return all(caps.count_of(seen.facts, rule, period, seen.local).times < limit for period, limit in rule.limits)


def _cooldown(rule: EarningRule, seen: Situation) -> bool:
    last_at = caps.count_of(seen.facts, rule, "ever", seen.local).last_at
    return not rule.cooldown_days or last_at is None or seen.at >= ready_at(rule, last_at, seen.program.time_zone)


def ready_at(rule: EarningRule, last_at: datetime, zone: str) -> datetime:
    """When a rule has cooled down: days are calendar days, on the same time of the clock."""
    local = last_at.astimezone(calendar.zone(zone))
    return (local + timedelta(days=rule.cooldown_days)).astimezone(UTC)


# What is asked before any line is looked at. That a rule is for the occasion at all was asked before (`worth`).
OF_OCCASION: dict[str, Ask] = {
    "validity": _validity,
    "channels": _channels,
    "time_windows": _time_windows,
    "tiers": _tiers,
    "milestone": _milestone,
    "birthday": _birthday,
    "limits": _limits,
    "cooldown": _cooldown,
    "segments": _segments,
}


def first_refusal(rule: EarningRule, seen: Situation) -> str | None:
    """The first condition on the occasion that does not hold. Raises Unanswerable."""
    for name in rule.asked:
        if not OF_OCCASION[name](rule, seen):
            return name
    return None


def lines_of(rule: EarningRule, seen: Situation) -> list[bool] | str:
    """Which lines the rule covers, or the condition that none of them, or the order, meets. Raises Unanswerable."""
    covered = covered_lines(rule, seen)
    if isinstance(covered, str):
        return covered
    if rule.min_basis:
        basis = seen.basis if covered is seen.paid else basis_of_lines(seen, covered)
        if basis < rule.min_basis:
            return "min_basis"
    when = rule.condition
    if when is not None and not when.of_lines and not when.holds(seen.environment):
        return "when"
    return covered


def covered_lines(rule: EarningRule, seen: Situation) -> list[bool] | str:
    """Which lines the rule is about, or the condition that none of them meets. An activity has none.

    Raises Unanswerable.
    """
    covered = seen.paid
    if seen.purchase is None:
        return covered
    if True not in covered:
        return "basis"
    if rule.filters_lines:
        covered = [
            is_paid and rule.covers(line.sku, lineage)
            for is_paid, line, lineage in zip(covered, seen.lines, seen.lineages, strict=True)
        ]
        if True not in covered:
            return "lines"
    if rule.condition is not None and rule.condition.of_lines:
        answers = rule.condition.holds_for_lines(seen.environment)
        covered = [is_covered and answer for is_covered, answer in zip(covered, answers, strict=True)]
        if not any(covered):
            return "when"
    return covered


def basis_of_lines(seen: Situation, covered: list[bool]) -> int:
    """What the covered lines earn on together, in minor units."""
    return sum(basis for basis, is_covered in zip(seen.bases, covered, strict=True) if is_covered)
