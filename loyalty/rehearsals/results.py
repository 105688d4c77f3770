"""What a rehearsal came to, as it is kept and shown. Pure."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

from loyalty.earning.rules import EarningRule
from loyalty.programs.domain import POINTS, Program
from loyalty.rehearsals.rehearsing import Participant, Rehearsing

# Members shown of those who gain, and of those who lose.
SHOWN = 20

ALWAYS = (
    "Members are taken as they are now: profile, attributes, birthday and tier.",
    "The history of members is as it was when each order was placed; what came back since of older orders is left out.",
    "Caps, limits, cooldowns and budgets start from zero at the beginning of the window.",
    "Judged by the program's settings of now; cost is the worth of points when they pay, rounded down.",
    "Cancelled orders are left out, and so is what they were given.",
)


def result_of(rehearsing: Rehearsing) -> dict[str, Any]:
    """The result, ready for JSON."""
    findings, program = rehearsing.findings, rehearsing.program
    members = list(rehearsing.members.values())
    draft, given = findings.draft.get(POINTS, 0), findings.given.get(POINTS, 0)
    other = sorted({*findings.draft, *findings.given} - {POINTS})
    return {
        "orders": findings.orders,
        "guest_orders": findings.guests,
        "members": len(members),
        "revenue": findings.revenue,
        "currency": program.currency,
        "points": _compared(draft, given),
        "cost": _compared(cost(draft, program), cost(given, program)),
        "other_units": {unit: _compared(findings.draft.get(unit, 0), findings.given.get(unit, 0)) for unit in other},
        "rules": [_rule(rehearsing, rule) for rule in (*rehearsing.rule_set.by_priority, *findings.of_tiers)],
        "budgets": [_budget(rehearsing, code, limit) for code, limit in rehearsing.rule_set.needs.budgets.items()],
        "days": [
            {"date": day.isoformat(), "orders": found.orders, **_compared(found.draft, found.given)}
            for day, found in sorted(findings.days.items())
        ],
        **_members(members),
        "notes": list(_notes(rehearsing)),
    }


def cost(points: int, program: Program) -> int:
    """What points are worth when they pay, in minor units."""
    return points * program.pay.amount // program.pay.points


def _compared(draft: int, given: int) -> dict[str, int]:
    return {"draft": draft, "given": given, "difference": draft - given}


def _rule(rehearsing: Rehearsing, rule: EarningRule) -> dict[str, Any]:
    findings = rehearsing.findings
    found, judged = findings.by_rule[rule.code], findings.orders - findings.guests
    refusals = {why: count for (code, why), count in findings.refusals.most_common() if code == rule.code}
    return {
        "code": rule.code,
        "unit": rule.unit,
        "awards": found.awards,
        "points": found.points,
        "cost": cost(found.points, rehearsing.program) if rule.unit == POINTS else None,
        "orders_percent": round(100 * found.awards / judged, 2) if judged else 0.0,
        "cut": found.cut,
        "refused": refusals,
        "failures": {"count": found.failures, "example": found.failure},
        "examples": found.examples,
    }


def _budget(rehearsing: Rehearsing, code: str, limit: int) -> dict[str, Any]:
    """Whether a budget would do; at the pace of the window, for how many days."""
    findings, span = rehearsing.findings, rehearsing.span
    spent = findings.by_rule[code].points
    seconds = int((span.end - span.begin).total_seconds())
    return {
        "rule": code,
        "budget": limit,
        "spent": spent,
        "ran_out_at": findings.ran_out.get(code),
        "lasts_days": limit * seconds // (spent * 86_400) if spent and code not in findings.ran_out else None,
    }


def _members(members: Sequence[Participant]) -> dict[str, Any]:
    gains = [member for member in members if member.after > member.before]
    loses = [member for member in members if member.after < member.before]
    return {
        "gain": len(gains),
        "lose": len(loses),
        "stay": len(members) - len(gains) - len(loses),
        "winners": _most(gains),
        "losers": _most(loses),
    }


def _most(members: Iterable[Participant]) -> list[dict[str, Any]]:
    """Those whom it touches most, by customer where it touches them alike."""
    by_name = sorted(members, key=attrgetter("customer_id"))
    most = sorted(by_name, key=lambda member: -abs(member.after - member.before))[:SHOWN]
    return [
        {
            "customer_id": member.customer_id,
            "before": member.before,
            "after": member.after,
            "difference": member.after - member.before,
        }
        for member in most
    ]


def _notes(rehearsing: Rehearsing) -> Iterable[str]:
    findings, rules = rehearsing.findings, rehearsing.rule_set.rules
    yield from ALWAYS
    if findings.came_back:
        yield f"{findings.came_back} orders of which something came back count as they were placed."
    if findings.guests:
        yield f"{findings.guests} orders of guests are counted, and earn nothing."
    if activities := sorted(rule.code for rule in rules if rule.activity is not None):
        yield f"Activities are not rehearsed: {', '.join(activities)} gave nothing here."
    failing = sorted(code for code, found in findings.by_rule.items() if found.failures)
    if failing:
        yield f"Some conditions could not be evaluated, and their rules gave nothing then: {', '.join(failing)}."
    if not findings.orders:
        yield "No orders were placed in this window."
