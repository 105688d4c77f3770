"""Checking rules before they are published: what cannot be right, and what is probably not meant. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from loyalty.programs.domain import POINTS, Program
from loyalty.rules.expressions import ExpressionInvalid, condition


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a draft, and where. An error keeps it from being published."""

    level: Literal["error", "warning"]
    code: str
    pointer: str
    detail: str


Rules = Sequence[dict[str, Any]]


def check(rules: Rules, segments: Rules, program: Program) -> list[Finding]:
    """What is to be said of a draft, in its stored form."""
    return [
        *_ties(rules),
        *_unknown_units(rules, program),
        *_segments(rules, segments),
        *_conditions(rules, segments),
    ]


def _ties(rules: Rules) -> Iterator[Finding]:
    """Codes name a rule in every award and priorities decide who comes first, so both are unique."""
    for name in ("code", "priority"):
        counted = Counter(rule[name] for rule in rules)
        for number, rule in enumerate(rules):
            if counted[rule[name]] > 1:
                yield Finding("error", "tie", f"/rules/{number}/{name}", f"Several rules have the {name} {rule[name]}.")


def _unknown_units(rules: Rules, program: Program) -> Iterator[Finding]:
    for number, rule in enumerate(rules):
        if (unit := rule.get("unit", POINTS)) not in program.units:
            detail = f"This program has no unit '{unit}': PATCH /v1/admin/program adds one."
            yield Finding("error", "unknown-unit", f"/rules/{number}/unit", detail)


def _segments(rules: Rules, segments: Rules) -> Iterator[Finding]:
    counted = Counter(segment["code"] for segment in segments)
    for number, segment in enumerate(segments):
        if counted[segment["code"]] > 1:
            detail = f"Several segments have the code {segment['code']}."
            yield Finding("error", "tie", f"/segments/{number}/code", detail)
    for number, rule in enumerate(rules):
        for place, code in enumerate(rule.get("segments", ())):
            if code not in counted:
                detail = f"There is no segment '{code}' among the segments of this draft."
                yield Finding("error", "unknown-segment", f"/rules/{number}/segments/{place}", detail)


def _conditions(rules: Rules, segments: Rules) -> Iterator[Finding]:
    for name, written in (("rules", rules), ("segments", segments)):
        for number, each in enumerate(written):
            if (when := each.get("when")) is None:
                continue
            try:
                condition(when)
            except ExpressionInvalid as error:
                yield Finding("error", "condition", f"/{name}/{number}/when", error.detail)
