"""Conditions in CEL: what is wrong with them, and what they contradict."""

from collections.abc import Iterator
from functools import lru_cache

from loyalty.core.findings import Finding, error, warning
from loyalty.earning.checks.proposal import Proposal
from loyalty.earning.rules import EarningRule
from loyalty.rules import findings
from loyalty.rules.expressions import (
    CONDITIONS_KEPT,
    Condition,
    Environment,
    ExpressionInvalid,
    Unanswerable,
    condition,
)

# A milestone of the first thousand orders is asked about as many.
ORDERS_TRIED = 100
ONLY_ORDERS = frozenset({("history", "orders")})


def find(proposal: Proposal) -> Iterator[Finding]:
    """What is to be said of each condition."""
    for number, rule in enumerate(proposal.rules):
        if rule.when is not None:
            yield from of_text(rule.when, scope_of(rule), ("rules", number, "when"))
            yield from _contradicting(number, rule)
    for number, segment in enumerate(proposal.segments):
        yield from of_text(segment.when, "member", ("segments", number, "when"))


def scope_of(rule: EarningRule) -> str:
    """What the condition of a rule is asked of: lines, the order as a whole, or an activity."""
    if rule.kind != "bonus":
        return "line"
    return "order" if rule.activity is None else "activity"


def of_text(when: str, scope: str, place: tuple[object, ...]) -> Iterator[Finding]:
    """What is to be said of a condition of a scope, which stands at a place."""
    for found in _findings(when, scope):
        say = error if found.level == "error" else warning
        yield say(f"condition-{found.code}", found.detail, *place)


@lru_cache(maxsize=CONDITIONS_KEPT)
def _findings(when: str, scope: str) -> tuple[findings.Finding, ...]:
    """Trying a condition takes longer than all else, and a draft is checked often with most of them unchanged."""
    return tuple(findings.findings(when, scope))


def _contradicting(number: int, rule: EarningRule) -> Iterator[Finding]:
    """A milestone and a condition on the number of orders before it that can never both hold."""
    tried = _orders_before(rule)
    asked = _compiled(rule.when)
    if not tried or asked is None or asked.paths != ONLY_ORDERS:
        return
    if not any(_holds(asked, orders) for orders in tried):
        detail = "The milestone and the condition on history.orders never hold together, so it never gives anything."
        detail += " Before a member's first order history.orders is 0. Change one of them."
        yield error("contradiction", detail, "rules", number, "when")


def _orders_before(rule: EarningRule) -> range:
    """How many orders come before those of a milestone; none if there is no end to them."""
    milestone = rule.milestone
    if milestone is None or milestone.every is not None:
        return range(0)
    if milestone.nth is not None:
        return range(milestone.nth - 1, milestone.nth)
    first = milestone.first or 0
    return range(first) if first <= ORDERS_TRIED else range(0)


def _compiled(when: str | None) -> Condition | None:
    try:
        return None if when is None else condition(when)
    except ExpressionInvalid:
        return None


def _holds(asked: Condition, orders: int) -> bool:
    try:
        return asked.holds(Environment({"history": {"orders": orders}}))
    except Unanswerable:
        return False
