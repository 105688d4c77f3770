"""Recording the offers that are over, in batches: what their vouchers might have cost goes back to their budgets.

Nobody waits for it: an offer is over at its instant. What was held out is closed as well, and nobody is told.
"""

from collections.abc import Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

from psycopg.rows import tuple_row

from loyalty.db.session import Session, array_of
from loyalty.db.writer import Changes, write
from loyalty.earning import reserving
from loyalty.events import service as facts
from loyalty.offers import events, queries
from loyalty.offers.assignments import COLUMNS, assignment_from
from loyalty.offers.domain import Assignment, OfferSets
from loyalty.personalisation import giving
from loyalty.programs import queries as programs

BATCH = 500

# Members that somebody else has locked are passed over: that one may be using it.
_DUE = """
SELECT a.program_id, a.member_id, a.assignment_id, m.customer_id
FROM assignments a JOIN members m ON m.member_id = a.member_id
WHERE a.closed_at IS NULL AND a.valid_to <= %(now)s AND {whose}
ORDER BY a.valid_to LIMIT %(limit)s FOR NO KEY UPDATE OF m SKIP LOCKED
"""
_OF_ALL = _DUE.format(whose="a.program_id NOT IN (SELECT program_id FROM programs WHERE clock_ahead > '0')")
_OF_ONE = _DUE.format(whose="a.program_id = %(program_id)s")

# Under the lock: what the other statement saw may have been used before it got the lock.
_EXPIRE = f"""
UPDATE assignments a SET status = CASE WHEN a.holdout IS NULL THEN 'expired' ELSE a.status END, closed_at = a.valid_to
FROM unnest(%s::uuid[], %s::uuid[]) AS w (member_id, assignment_id)
WHERE a.member_id = w.member_id AND a.assignment_id = w.assignment_id AND a.closed_at IS NULL
RETURNING a.member_id, json_build_array({COLUMNS})
"""


def expire_batch(session: Session, *, now: datetime, limit: int = BATCH) -> int:
    """Record offers that are over by `now`, in programs whose clock is the real one; answers how many."""
    return _expire(session, session.rows(_OF_ALL, {"now": now, "limit": limit}, into=tuple_row), now=now)


def expire_program(session: Session, program_id: UUID, *, now: datetime, limit: int = BATCH) -> int:
    """`expire_batch` for one program, by its own clock."""
    where = {"now": now, "limit": limit, "program_id": program_id}
    return _expire(session, session.rows(_OF_ONE, where, into=tuple_row), now=now)


def expire_sandboxes(session: Session, *, now: datetime, limit: int = BATCH) -> int:
    """`expire_batch` for the sandboxes whose clock was moved: each by its own, when the real one shows `now`."""
    done = 0
    for program_id, ahead in programs.moved_clocks(session).items():
        if done < limit:
            done += expire_program(session, program_id, now=now + ahead, limit=limit - done)
    return done


def tell_expired(
    changes: Changes, program_id: UUID, sets: OfferSets, given: Assignment, customer_id: str, *, now: datetime
) -> None:
    """Add to the rows to be written that an offer is over, and since when."""
    offer = sets.offer(given.offer_code, given.offer_version)
    fact = events.assignment_became(
        "expired", (given.member_id, customer_id), assignment_id=given.assignment_id, offer=offer.code,
        title=offer.title, valid_to=given.valid_to, occurred_at=given.closed_at or now,
    )  # fmt: skip
    facts.tell(changes, program_id, fact, now=now)


def _expire(session: Session, due: Sequence[tuple[Any, ...]], *, now: datetime) -> int:
    if not due:
        return 0
    place = {assignment_id: (program_id, customer) for program_id, _, assignment_id, customer in due}
    where = (array_of(map(itemgetter(1), due)), array_of(map(itemgetter(2), due)))
    rows = session.rows(_EXPIRE, where, into=tuple_row)
    ended: dict[UUID, list[Assignment]] = {}
    for member_id, columns in rows:
        given = assignment_from(member_id, columns)
        if given.holdout is None:
            ended.setdefault(place[given.assignment_id][0], []).append(given)
    changes, costs = Changes(), {}
    for program_id, found in sorted(ended.items()):
        sets = queries.offer_sets(session, programs.load(session, program_id))
        for given in found:
            tell_expired(changes, program_id, sets, given, place[given.assignment_id][1], now=now)
        costs[program_id] = giving.returned(sets, found)
    write(session, changes)
    for program_id, back in costs.items():
        reserving.give_back(session, program_id, back)
    return len(rows)
