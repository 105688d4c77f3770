"""Counting outcomes anew from orders, and the sums from outcomes, beside the service.

What is right already is read and not written, so it may be interrupted and begun again at any time, and may run twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from psycopg.rows import tuple_row

from loyalty.db.session import Session, transaction
from loyalty.db.writer import Changes, write
from loyalty.events.following import hold
from loyalty.outcomes import keeping
from loyalty.outcomes.anchors import NOBODY
from loyalty.outcomes.domain import NONE
from loyalty.outcomes.following import NAME, compared

# Outcomes looked at in one transaction.
BATCH = 5_000

_DAYS = """
SELECT experiment, day FROM outcome_days WHERE program_id = %(program_id)s
UNION SELECT experiment, day FROM outcomes WHERE program_id = %(program_id)s ORDER BY experiment, day
"""
_PAGE = f"""
SELECT {keeping.COLUMNS} FROM outcomes o WHERE o.program_id = %s AND o.experiment = %s AND o.day = %s
AND o.member_id > %s ORDER BY o.member_id LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """So many outcomes were looked at; so many of them, or of the sums, were other than what they are made of says."""

    outcomes: int
    wrong: int


def rebuild(program_id: UUID, *, check: bool = False, limit: int = BATCH) -> Iterator[Rebuilt]:
    """Make outcomes what orders say, and sums what outcomes say, or only look (`check`): page by page."""
    with transaction() as session:
        days = session.rows(_DAYS, {"program_id": program_id}, into=tuple_row)
    for experiment, day in days:
        yield from _outcomes(program_id, experiment, day, check=check, limit=limit)
        with transaction() as session:
            yield _sums(session, program_id, experiment, day, check=check)


def _outcomes(program_id: UUID, experiment: str, day: date, *, check: bool, limit: int) -> Iterator[Rebuilt]:
    after = NOBODY
    while True:
        with transaction() as session:
            hold(session, NAME, program_id)
            rows = session.rows(_PAGE, (program_id, experiment, day, after, limit), into=tuple_row)
            if not rows:
                return
            changes = Changes()
            wrong = keeping.update(changes, program_id, compared(session, [keeping.outcome(row) for row in rows]))
            if not check:
                write(session, changes)
        after = rows[-1][0]
        yield Rebuilt(len(rows), wrong)


def _sums(session: Session, program_id: UUID, experiment: str, day: date, *, check: bool) -> Rebuilt:
    hold(session, NAME, program_id)
    kept = keeping.totals_of_day(session, program_id, experiment, day)
    summed = keeping.summed_of_day(session, program_id, experiment, day)
    off = {
        (experiment, day, arm): summed.get(arm, NONE) - kept.get(arm, NONE)
        for arm in kept.keys() | summed.keys()
        if summed.get(arm, NONE) != kept.get(arm, NONE)
    }
    if not check:
        changes = Changes()
        keeping.increase(changes, program_id, off)
        write(session, changes)
    return Rebuilt(0, len(off))
