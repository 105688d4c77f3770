"""Budgets of rules, which all members share: taken by one conditional statement, so that they are never overspent.

Whoever asks gets what is left, at most what was asked for, and holds the budget's row until the end of the transaction.
So asking comes last, after all locks of members; several budgets are locked in the order of their codes.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from psycopg.rows import tuple_row

from loyalty.db.session import Session, array_of
from loyalty.earning.rules import RuleSet

_TAKE = """
WITH asked (rule_code, points, budget) AS (
    SELECT * FROM unnest(%(codes)s::text[], %(points)s::bigint[], %(budgets)s::bigint[])),
locked AS MATERIALIZED (
    SELECT b.rule_code FROM rule_budgets b WHERE b.program_id = %(program_id)s AND b.rule_code = ANY(%(codes)s::text[])
    ORDER BY b.rule_code FOR NO KEY UPDATE)
UPDATE rule_budgets b SET spent = b.spent + least(a.points, greatest(a.budget - b.spent, 0)),
    granted = least(a.points, greatest(a.budget - b.spent, 0))
FROM locked l JOIN asked a ON a.rule_code = l.rule_code
WHERE b.program_id = %(program_id)s AND b.rule_code = l.rule_code
RETURNING b.rule_code, b.granted
"""
_SPENT = "SELECT rule_code, spent FROM rule_budgets WHERE program_id = %s AND rule_code = ANY(%s::text[])"
_OPEN = """
INSERT INTO rule_budgets (program_id, rule_code, spent, granted)
SELECT %s, code, 0, 0 FROM unnest(%s::text[]) AS code ON CONFLICT DO NOTHING
"""


def take(session: Session, program_id: UUID, asked: Mapping[str, int], budgets: Mapping[str, int]) -> dict[str, int]:
    """Take points out of budgets, by rule code; answers how many each one had left to give."""
    codes = sorted(asked)
    where: dict[str, Any] = {
        "program_id": program_id, "codes": array_of(codes), "points": array_of([asked[code] for code in codes]),
        "budgets": array_of([budgets[code] for code in codes]),
    }  # fmt: skip
    granted: dict[str, int] = dict(session.rows(_TAKE, where, into=tuple_row))
    # A budget that nobody counts has nothing to give.
    return {code: granted.get(code, 0) for code in codes}


def rooms(session: Session, program_id: UUID, budgets: Mapping[str, int]) -> dict[str, int]:
    """How many points budgets have left at this instant."""
    if not budgets:
        return {}
    spent: dict[str, int] = dict(session.rows(_SPENT, (program_id, array_of(sorted(budgets))), into=tuple_row))
    return {code: max(0, budget - spent.get(code, 0)) for code, budget in budgets.items()}


def spent(session: Session, program_id: UUID, rule_set: RuleSet) -> list[dict[str, Any]]:
    """What rules with a budget have given to all members together, and what is left, in the order of priority."""
    left = rooms(session, program_id, rule_set.needs.budgets)
    return [
        {"rule": {"code": rule.code, "version": rule.version}, "unit": rule.unit, "budget": budget,
         "spent": max(0, budget - left[rule.code]), "left": left[rule.code]}
        for rule in rule_set.by_priority
        if (budget := rule.caps.budget) is not None
    ]  # fmt: skip


def open_budgets(session: Session, program_id: UUID, codes: list[str]) -> None:
    """Begin to count what rules with a budget give; those that are counted already go on."""
    if codes:
        session.run(_OPEN, (program_id, array_of(codes)))
