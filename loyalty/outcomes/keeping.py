"""Outcomes as rows, and what they add to the sums of their day, all of it in one statement.

Only who holds the program's place in the log (`following.NAME`) writes them, so a sum is that of its outcomes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

from psycopg.rows import tuple_row

from loyalty.db.session import Session
from loyalty.db.writer import Changes
from loyalty.outcomes.domain import Anchor, ByPlace, Measured, Outcome, Totals, added, changed
from loyalty.outcomes.models import OutcomeDayRow, OutcomeRow

COLUMNS = (
    "o.member_id, o.experiment, o.arm, o.day, o.at, o.ends_at, o.before_from, o.before_to, o.share, o.spend, o.orders,"
    " o.before, o.points, o.amount, o.redeemed"
)
ANCHOR = ("member_id", "experiment", "arm", "day", "at", "ends_at", "before_from", "before_to", "share")
MEASURED = ("spend", "orders", "before", "points", "amount", "redeemed")

_TOTALS = "members, share, buyers, redeemers, orders, orders_2"
_EXACT = ("spend", "spend_2", "spend_3", "before", "before_2", "spend_before", "points", "amount")
_DAY = f"""
SELECT arm, {_TOTALS}, {", ".join(_EXACT)} FROM outcome_days
WHERE program_id = %s AND experiment = %s AND day = %s
"""
_SUMMED = """
SELECT arm, count(*), sum(share), count(*) FILTER (WHERE orders > 0), count(*) FILTER (WHERE redeemed > 0),
    sum(orders), sum(orders * orders), sum(spend), sum(spend::numeric * spend), sum(spend::numeric * spend * spend),
    sum(before), sum(before::numeric * before), sum(spend::numeric * before), sum(points), sum(amount)
FROM outcomes WHERE program_id = %s AND experiment = %s AND day = %s GROUP BY arm
"""


def insert(changes: Changes, program_id: UUID, outcomes: Sequence[Outcome]) -> None:
    """Add rows of new outcomes, and what they add to the sums."""
    rows = ({"program_id": program_id, **asdict(each.anchor), **asdict(each.measured)} for each in outcomes)
    changes.insert(OutcomeRow, *rows)
    increase(changes, program_id, added(outcomes))


def update(changes: Changes, program_id: UUID, outcomes: Iterable[tuple[Outcome, Outcome | None]]) -> int:
    """Add rows of outcomes that became others (None: they count no more); answers how many that are."""
    different = [(was, now) for was, now in outcomes if was != now]
    for was, now in different:
        key = _key(was)
        if now is None:
            changes.delete_until(OutcomeRow, key)
        else:
            changes.update(OutcomeRow, {**key, **asdict(now.measured)})
    increase(changes, program_id, changed(different))
    return len(different)


def increase(changes: Changes, program_id: UUID, sums: ByPlace) -> None:
    """Add to the sums. Squares outgrow what JSON says in numbers, so they are said in letters."""
    for (experiment, day, arm), totals in sorted(sums.items()):
        key = {"program_id": program_id, "experiment": experiment, "day": day, "arm": arm}
        names = asdict(totals)
        changes.increase(OutcomeDayRow, {**key, **names, **{name: str(names[name]) for name in _EXACT}})


def outcome(row: Sequence[Any]) -> Outcome:
    """An outcome from `COLUMNS`."""
    anchor = Anchor(**dict(zip(ANCHOR, row, strict=False)))
    return Outcome(anchor, Measured(**dict(zip(MEASURED, row[len(ANCHOR) :], strict=True))))


def totals_of_day(session: Session, program_id: UUID, experiment: str, day: date) -> dict[str, Totals]:
    """The sums of a day as they are kept, by arm; without those of nobody."""
    return _totals(session.rows(_DAY, (program_id, experiment, day), into=tuple_row))


def summed_of_day(session: Session, program_id: UUID, experiment: str, day: date) -> dict[str, Totals]:
    """What these sums are to be, by the outcomes themselves."""
    return _totals(session.rows(_SUMMED, (program_id, experiment, day), into=tuple_row))


def totals_from(numbers: Sequence[Any]) -> Totals:
    """Sums from their columns, in the order of the fields."""
    names = (*_TOTALS.split(", "), *_EXACT)
    return Totals(**{name: int(number) for name, number in zip(names, numbers, strict=True)})


def _totals(rows: Iterable[Sequence[Any]]) -> dict[str, Totals]:
    return {arm: totals_from(numbers) for arm, *numbers in rows if numbers[0]}


def _key(each: Outcome) -> dict[str, Any]:
    return {name: getattr(each.anchor, name) for name in ("member_id", "experiment", "day")}
