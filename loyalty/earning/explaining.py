"""Why a rule gave nothing: the condition, a sentence, the values it saw, and what would make it. Pure."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from loyalty.core import money
from loyalty.earning import caps
from loyalty.earning.conditions import basis_of_lines, covered_lines, ready_at
from loyalty.earning.domain import Facts, Judgement, Occasion
from loyalty.earning.offering import offer_rules
from loyalty.earning.reasons import CAPS
from loyalty.earning.rules import WEEKDAYS, EarningRule, RuleSet
from loyalty.earning.situation import Situation
from loyalty.earning.tiering import tier_rule
from loyalty.programs.domain import Program
from loyalty.rules.expressions import Condition, Unanswerable

# A comparison whose distance can be told: `order.basis >= 5000`. Others hold or do not.
_COMPARISON = re.compile(r"\s*([a-z_]+(?:\.[a-z_]+)+)\s*(>=|>)\s*(\d{1,15})\s*")
# Of goods that a rule names, so many are shown.
NAMES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Why:
    """A sentence, the values that were seen, and what is missing, where that can be computed."""

    detail: str
    values: dict[str, Any] = field(default_factory=dict)
    missing: dict[str, Any] = field(default_factory=dict)


Explain = Callable[[EarningRule, Situation], Why]


def refusals(
    occasion: Occasion, rule_set: RuleSet, program: Program, facts: Facts, judgement: Judgement
) -> list[dict[str, Any]]:
    """Every rule that gave nothing, with its reasons, in the order of priority."""
    seen = Situation(occasion, rule_set, program, facts)
    told = []
    tier = tier_rule(facts)
    for rule in (*rule_set.by_priority, *offer_rules(facts), *((tier,) if tier else ())):
        condition = judgement.refused.get(rule.code)
        if condition is None:
            continue
        why = EXPLAINED[condition](rule, seen)
        if (failure := judgement.failures.get(rule.code)) is not None:
            why = Why(f"The condition could not be evaluated: {failure}", why.values)
        told.append(_told(rule, condition, why))
    return told


def refused_to_guests(rule_set: RuleSet) -> list[dict[str, Any]]:
    """The rules of a set, to a guest: none of them gives anything."""
    why = Why("A guest earns nothing: send the customer_id of a member.")
    return [_told(rule, "guest", why) for rule in rule_set.by_priority]


def _told(rule: EarningRule, condition: str, why: Why) -> dict[str, Any]:
    return {
        "rule": {"code": rule.code, "version": rule.version},
        "condition": condition,
        "detail": why.detail,
        "values": why.values,
        "missing": why.missing or None,
    }


def _activity(rule: EarningRule, seen: Situation) -> Why:
    happened = "order" if seen.purchase is not None else getattr(seen.occasion, "type", None)
    wanted = rule.activity or "order"
    return Why(f"This rule is for '{wanted}', and this is '{happened}'.", {"activity": happened, "wanted": wanted})


def _validity(rule: EarningRule, seen: Situation) -> Why:
    values = {"at": seen.at, "valid_from": rule.valid_from, "valid_to": rule.valid_to}
    if rule.valid_from is not None and seen.at < rule.valid_from:
        return Why(f"The rule begins on {_day(rule.valid_from, seen)}.", values, {"at": rule.valid_from})
    return Why("The rule had ended.", values)


def _channels(rule: EarningRule, seen: Situation) -> Why:
    channel = seen.purchase.channel if seen.purchase is not None else None
    detail = f"The rule is for the channels {_list(rule.channels)}; this is {_quoted(channel) or 'none'}."
    return Why(detail, {"channel": channel, "channels": list(rule.channels)})


def _time_windows(rule: EarningRule, seen: Situation) -> Why:
    now = f"{WEEKDAYS[seen.local.weekday()]} {seen.local:%H:%M}"
    windows = [
        {
            "weekdays": list(window.weekdays),
            "from": f"{window.begin:%H:%M}",
            "to": f"{window.end:%H:%M}" if window.end else "24:00",
        }
        for window in rule.time_windows
    ]
    return Why(f"At {now} the rule does not run.", {"local": now, "time_windows": windows})


def _tiers(rule: EarningRule, seen: Situation) -> Why:
    tier = seen.facts.tier
    detail = f"The rule is for the tiers {_list(rule.tiers)}; the member is in {_quoted(tier) or 'none'}."
    return Why(detail, {"tier": tier, "tiers": list(rule.tiers)})


def _segments(rule: EarningRule, seen: Situation) -> Why:
    conditions = seen.asks.segment_conditions
    values = {code: _seen(conditions[code], seen) for code in rule.segments}
    return Why(f"The member is in none of the segments {_list(rule.segments)}.", values)


def _milestone(rule: EarningRule, seen: Situation) -> Why:
    milestone, number = rule.milestone, seen.order_number
    assert milestone is not None, "only a milestone can be missed"
    if milestone.first is not None:
        wanted, missing = f"the first {milestone.first}", 0
    elif milestone.nth is not None:
        wanted, missing = f"number {milestone.nth}", milestone.nth - number
    else:
        every = milestone.every or 1
        wanted, missing = f"each {every}.", -number % every
    values = {"order_number": number, "first": milestone.first, "nth": milestone.nth, "every": milestone.every}
    values = {name: value for name, value in values.items() if value is not None}
    more = f" {_counted(missing, 'more order')} would make it." if missing > 0 else ""
    detail = f"The rule is for {wanted} of a member's orders; this is number {number}.{more}"
    return Why(detail, values, {"orders": missing} if missing > 0 else {})


def _birthday(rule: EarningRule, seen: Situation) -> Why:
    window, to = rule.birthday, seen.days_to_birthday
    if window is None or to is None:
        return Why("The member's birthday is not known.", {"birth_date": None}, {"birth_date": None})
    values = {
        "days_to_birthday": to, "days_since_birthday": seen.days_since_birthday,
        "days_before": window.days_before, "days_after": window.days_after,
    }  # fmt: skip
    wait = to - window.days_before
    return Why(f"The rule runs around the member's birthday, again in {_counted(wait, 'day')}.", values, {"days": wait})


def _limits(rule: EarningRule, seen: Situation) -> Why:
    reached = [
        (period, limit)
        for period, limit in rule.limits
        if caps.count_of(seen.facts, rule, period, seen.local).times >= limit
    ]
    period, limit = reached[0]
    again = max((_reset(p, seen) for p, _ in reached), key=lambda at: (at is None, at))
    values = {"period": period, "times": caps.count_of(seen.facts, rule, period, seen.local).times, "limit": limit}
    detail = f"The rule gives at most {_counted(limit, 'time')} {CAPS[period]}."
    return Why(detail, values, {"at": again} if again else {})


def _cooldown(rule: EarningRule, seen: Situation) -> Why:
    last_at = caps.count_of(seen.facts, rule, "ever", seen.local).last_at
    assert last_at is not None, "only what was given can cool down"
    at = ready_at(rule, last_at, seen.program.time_zone)
    detail = f"The rule gives again {_counted(rule.cooldown_days, 'day')} after it last gave."
    return Why(detail, {"last_at": last_at, "cooldown_days": rule.cooldown_days}, {"at": at})


def _basis(_rule: EarningRule, seen: Situation) -> Why:
    return Why("Nothing of this order earns: what is left to pay for its lines is nothing.", {"basis": sum(seen.bases)})


def _lines(rule: EarningRule, seen: Situation) -> Why:
    values: dict[str, Any] = {
        "skus": sorted({line.sku for line in seen.lines})[:NAMES_SHOWN],
        "categories": sorted({line.category for line in seen.lines if line.category})[:NAMES_SHOWN],
    }
    wanted = {
        name: list(named)[:NAMES_SHOWN]
        for name in ("skus", "categories", "exclude_skus", "exclude_categories")
        if (named := getattr(rule, name))
    }
    return Why("None of the goods that were paid for is among those of the rule.", {**values, "wanted": wanted})


def _when(rule: EarningRule, seen: Situation) -> Why:
    condition = rule.condition
    assert condition is not None, "only a condition can fail"
    values = _seen(condition, seen)
    missing = dict(_distances(condition.source, values))
    more = "".join(f" {distance} more of {path} would make it." for path, distance in missing.items())
    return Why(f"The condition does not hold: {condition.source}.{more}", values, missing)


def _min_basis(rule: EarningRule, seen: Situation) -> Why:
    covered = covered_lines(rule, seen)
    basis = 0 if isinstance(covered, str) else basis_of_lines(seen, covered)
    missing, currency = rule.min_basis - basis, seen.program.currency
    detail = (
        f"The rule needs {money.written(rule.min_basis, currency)} of its goods, and there are"
        f" {money.written(basis, currency)}: {money.written(missing, currency)} more would make it."
    )
    return Why(detail, {"basis": basis, "min_basis": rule.min_basis}, {"basis": missing})


def _outdone(rule: EarningRule, _seen: Situation) -> Why:
    return Why("Only the best rule counts for each line, and another one gives more.", {"kind": rule.kind})


def _base(rule: EarningRule, _seen: Situation) -> Why:
    return Why(
        "There is nothing to multiply: no base rule gives points for these lines.", {"factor": f"{rule.factor:f}"}
    )


def _units(_rule: EarningRule, _seen: Situation) -> Why:
    return Why("The units that the rule counts were free.")


def _caps(rule: EarningRule, seen: Situation) -> Why:
    tightest = caps.room(rule, seen.facts, seen.local)
    assert tightest is not None, "only a cap leaves no room"
    _, cap, limit = tightest
    values: dict[str, Any] = {"cap": cap, "limit": limit, "room": 0}
    again = next((_reset(period, seen) for period, _ in rule.caps.per_member if period == cap), None)
    return Why(f"The limit of {limit} points for {CAPS[cap]} is reached.", values, {"at": again} if again else {})


def _rounding(_rule: EarningRule, _seen: Situation) -> Why:
    return Why("What the rule gives here comes to less than one point.")


EXPLAINED: dict[str, Explain] = {
    "activity": _activity, "validity": _validity, "channels": _channels, "time_windows": _time_windows,
    "tiers": _tiers, "segments": _segments, "milestone": _milestone, "birthday": _birthday, "limits": _limits,
    "cooldown": _cooldown, "basis": _basis, "lines": _lines, "when": _when, "min_basis": _min_basis,
    "outdone": _outdone, "base": _base, "units": _units, "caps": _caps, "rounding": _rounding,
}  # fmt: skip


def _seen(condition: Condition, seen: Situation) -> dict[str, Any]:
    try:
        return condition.seen(seen.environment)
    except Unanswerable:
        return {}


def _distances(source: str, values: dict[str, Any]) -> Iterable[tuple[str, int]]:
    """How much more of a number would make each plain comparison hold, where the condition is made of such alone."""
    compared = [_COMPARISON.fullmatch(part) for part in source.split("&&")]
    for found in compared if all(compared) else ():
        assert found is not None, "all of them are comparisons"
        path, sign, text = found.groups()
        value = values.get(path)
        distance = int(text) + (sign == ">") - value if isinstance(value, int) else 0
        if distance > 0:
            yield path, distance


def _reset(period: Any, seen: Situation) -> datetime | None:
    return caps.next_period(period, seen.local)


def _day(instant: datetime, seen: Situation) -> str:
    return instant.astimezone(seen.local.tzinfo).date().isoformat()


def _quoted(text: str | None) -> str | None:
    return None if text is None else f"'{text}'"


def _list(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
