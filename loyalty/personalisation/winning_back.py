"""The search for members who stay away, once a day of each program, in batches.

How far it has come is kept in the transaction of what it gave, so a search that was cut off goes on from there. Whoever
has not bought for twice as long as usual stays away, and so does whoever is in a segment that says so.
"""

from datetime import date, datetime
from uuid import UUID

from psycopg.rows import tuple_row

from loyalty.core import calendar
from loyalty.db.session import Session
from loyalty.earning.belonging import belonging
from loyalty.offers.queries import offer_sets
from loyalty.personalisation import gathering, triggering
from loyalty.programs import queries as programs

# Members looked at in one transaction; those are locked who stay away.
BATCH = 200

SEGMENTS = ("lapsed", "at_risk")
NOBODY = UUID(int=0)

_PROGRAMS = """
SELECT p.program_id, p.clock_ahead FROM programs p
WHERE EXISTS (SELECT FROM offer_sets o WHERE o.program_id = p.program_id) ORDER BY p.program_id
"""
_BEGIN = (
    "INSERT INTO offer_sweeps (program_id, day, after_member, done) VALUES (%s, %s, %s, true) ON CONFLICT DO NOTHING"
)
_PLACE = "SELECT day, after_member, done FROM offer_sweeps WHERE program_id = %s FOR UPDATE SKIP LOCKED"
_GO_ON = "UPDATE offer_sweeps SET day = %s, after_member = %s, done = %s WHERE program_id = %s"

# Whoever holds such an offer already, or has it held out, is left alone.
_NEXT = """
SELECT f.member_id, m.enrolled_at, NOT coalesce(a.held, false) AND m.status = 'active' AS free,
  f.orders > 1 AND f.last_at > f.first_at
  AND %(now)s - f.last_at > 2 * (f.last_at - f.first_at) / (f.orders - 1) AS overdue
FROM (SELECT * FROM member_features WHERE program_id = %(program_id)s AND member_id > %(after)s
      ORDER BY member_id LIMIT %(limit)s) f
JOIN members m ON m.member_id = f.member_id
LEFT JOIN LATERAL (
    SELECT true AS held FROM assignments a
    WHERE a.member_id = f.member_id AND a.closed_at IS NULL AND a.valid_to > %(now)s AND a.trigger = 'win_back' LIMIT 1
) a ON true
ORDER BY f.member_id
"""


def sweep_batch(session: Session, *, now: datetime, limit: int = BATCH) -> int:
    """Look at the next members of one program, by its own clock; answers how many, 0 once all are done for today."""
    for program_id, ahead in session.rows(_PROGRAMS, into=tuple_row):
        done = sweep_program(session, program_id, now=now + ahead, limit=limit)
        if done:
            return done
    return 0


def sweep_program(session: Session, program_id: UUID, *, now: datetime, limit: int = BATCH) -> int:
    """Look at the next members of a program; 0 if all were looked at today, or somebody else is at it."""
    program = programs.current(session, program_id)
    on = gathering.shelf(session, program, offer_sets(session, program), now=now)
    if on is None or not any(offer.trigger == "win_back" for offer in on.offers.offers):
        return 0
    today = calendar.local_date(now, program.time_zone)
    after = _place(session, program_id, today)
    if after is None:
        return 0
    where = {"program_id": program_id, "after": after, "now": now, "limit": limit}
    rows = session.rows(_NEXT, where, into=tuple_row)
    away = {member_id for member_id, _, is_free, overdue in rows if is_free and overdue}
    others = [
        (member_id, enrolled_at) for member_id, enrolled_at, is_free, _ in rows if is_free and member_id not in away
    ]
    found = belonging(session, program, others, SEGMENTS, now=now)
    away |= {member_id for member_id, segments in found.items() if segments}
    if away:
        triggering.give_all(session, program, sorted(away), "win_back", now=now)
    last = rows[-1][0] if rows else after
    session.run(_GO_ON, (today, last, len(rows) < limit, program_id))
    return len(rows) + 1


def _place(session: Session, program_id: UUID, today: date) -> UUID | None:
    """After whom the search goes on; None if it is over for today, or somebody else is at it."""
    session.run(_BEGIN, (program_id, date.min, NOBODY))
    found = session.row(_PLACE, (program_id,), into=tuple_row)
    if found is None:
        return None
    day, after, done = found
    if day < today:
        return NOBODY
    return None if done else after
