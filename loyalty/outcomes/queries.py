"""What is known of a program's experiments."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from psycopg.rows import tuple_row

from loyalty.db.session import Session
from loyalty.outcomes import keeping
from loyalty.outcomes.domain import ANSWERS, OFFER, PROGRAM, DayTotals, Outcomes

_DAYS = """
SELECT experiment, day, arm, members, share, buyers, redeemers, orders, orders_2, spend, spend_2, spend_3, before,
    before_2, spend_before, points, amount
FROM outcome_days WHERE program_id = %(program_id)s AND day >= %(first)s AND day < %(last)s AND members > 0
"""
_ORDER = "ORDER BY experiment, day, arm"
_OF_OFFERS = f"""
{_DAYS} AND CASE WHEN %(offer)s::text IS NULL THEN starts_with(experiment, '{OFFER}') OR experiment = '{PROGRAM}'
    ELSE experiment = %(offer)s END {_ORDER}
"""
_OF_ANSWERS = f"{_DAYS} AND starts_with(experiment, '{ANSWERS}') {_ORDER}"


def of_offers(session: Session, program_id: UUID, *, first: date, last: date, offer: str | None) -> Outcomes:
    """What came of anchors from `first` until before `last`: the program and each of its offers, or one alone."""
    where = {"program_id": program_id, "first": first, "last": last, "offer": offer and f"{OFFER}{offer}"}
    return Outcomes(tuple(_day(row) for row in session.rows(_OF_OFFERS, where, into=tuple_row)))


def of_answers(session: Session, program_id: UUID, *, first: date, last: date) -> Outcomes:
    """What members bought after answers that they gave from `first` until before `last`."""
    where = {"program_id": program_id, "first": first, "last": last}
    return Outcomes(tuple(_day(row) for row in session.rows(_OF_ANSWERS, where, into=tuple_row)))


def _day(row: Sequence[object]) -> DayTotals:
    experiment, day, arm, *numbers = row
    assert isinstance(experiment, str) and isinstance(day, date) and isinstance(arm, str)  # noqa: PT018 - of their columns
    return DayTotals(experiment, day, arm, keeping.totals_from(numbers))
