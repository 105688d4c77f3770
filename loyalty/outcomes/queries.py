"""What is known of a program's experiments."""

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from psycopg.rows import tuple_row

from loyalty.db.session import Session, array_of
from loyalty.outcomes import keeping
from loyalty.outcomes.domain import OFFER, DayTotals, Outcomes

_DAYS = """
SELECT experiment, day, arm, members, share, buyers, redeemers, orders, orders_2, spend, spend_2, spend_3, before,
    before_2, spend_before, points, amount
FROM outcome_days WHERE program_id = %(program_id)s AND day >= %(first)s AND day < %(last)s AND members > 0
    AND (%(some)s::text[] IS NULL OR experiment = ANY(%(some)s::text[]))
ORDER BY experiment, day, arm
"""


def outcomes(
    session: Session, program_id: UUID, *, first: date, last: date, experiments: Iterable[str] | None = None
) -> Outcomes:
    """What is counted of anchors from `first` until before `last`; of some experiments, or of all."""
    some = None if experiments is None else array_of(experiments)
    where = {"program_id": program_id, "first": first, "last": last, "some": some}
    return Outcomes(tuple(_day(row) for row in session.rows(_DAYS, where, into=tuple_row)))


def of_report(session: Session, program_id: UUID, *, first: date, last: date, offer: str | None) -> Outcomes:
    """What the report on increment is made of: the program and its offers, or one offer alone."""
    some = None if offer is None else [f"{OFFER}{offer}"]
    return outcomes(session, program_id, first=first, last=last, experiments=some)


def _day(row: Sequence[object]) -> DayTotals:
    experiment, day, arm, *numbers = row
    assert isinstance(experiment, str) and isinstance(day, date) and isinstance(arm, str)  # noqa: PT018 - of their columns
    return DayTotals(experiment, day, arm, keeping.totals_from(numbers))
