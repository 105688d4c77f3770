"""Budgets out of which something is taken whole or not at all, such as what a voucher may cost.

As `earning.budgets`: one conditional statement, after all locks of members, and the rows stay locked until the end.
"""

from collections.abc import Iterable, Mapping
from uuid import UUID

from psycopg.rows import scalar_row

from loyalty.db.session import Session, array_of

# The rows are locked in the order of their codes, and judged as they are then.
_RESERVE = """
WITH asked (rule_code, cost, budget) AS (SELECT * FROM unnest(%s::text[], %s::bigint[], %s::bigint[])),
locked AS MATERIALIZED (
    SELECT b.rule_code FROM rule_budgets b WHERE b.program_id = %s AND b.rule_code = ANY(%s::text[])
    ORDER BY b.rule_code FOR NO KEY UPDATE)
UPDATE rule_budgets b SET spent = b.spent + a.cost, granted = a.cost
FROM locked l JOIN asked a ON a.rule_code = l.rule_code
WHERE b.program_id = %s AND b.rule_code = l.rule_code AND b.spent + a.cost <= a.budget
RETURNING b.rule_code
"""
_GIVE_BACK = """
WITH asked (rule_code, cost) AS (
    SELECT code, sum(cost) FROM unnest(%s::text[], %s::bigint[]) AS w (code, cost) GROUP BY code),
locked AS MATERIALIZED (
    SELECT b.rule_code FROM rule_budgets b WHERE b.program_id = %s AND b.rule_code = ANY(%s::text[])
    ORDER BY b.rule_code FOR NO KEY UPDATE)
UPDATE rule_budgets b SET spent = greatest(b.spent - a.cost, 0)
FROM locked l JOIN asked a ON a.rule_code = l.rule_code
WHERE b.program_id = %s AND b.rule_code = l.rule_code
"""
_HOLD = """
SELECT 1 FROM rule_budgets WHERE program_id = %s AND rule_code = ANY(%s::text[]) ORDER BY rule_code FOR NO KEY UPDATE
"""


def hold(session: Session, program_id: UUID, codes: Iterable[str]) -> None:
    """Lock budgets in their order, for whoever is about to take out of several of them by and by."""
    if named := sorted(codes):
        session.run(_HOLD, (program_id, array_of(named)))


def reserve(session: Session, program_id: UUID, costs: Mapping[str, int], budgets: Mapping[str, int]) -> set[str]:
    """Take costs out of budgets, by rule code; answers which budgets had enough left. The others lose nothing."""
    if not costs:
        return set()
    codes = sorted(costs)
    named = array_of(codes)
    where = (
        named, array_of([costs[code] for code in codes]), array_of([budgets[code] for code in codes]), program_id,
        named, program_id,
    )  # fmt: skip
    return set(session.rows(_RESERVE, where, into=scalar_row))


def give_back(session: Session, program_id: UUID, costs: Iterable[tuple[str, int]]) -> None:
    """Put back into budgets what was taken out of them and not used: pairs of a rule code and a cost."""
    found = [(code, cost) for code, cost in costs if cost]
    if not found:
        return
    codes, amounts = zip(*found, strict=True)
    named = array_of(codes)
    session.run(_GIVE_BACK, (named, array_of(amounts), program_id, named, program_id))
