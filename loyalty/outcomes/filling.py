"""Counting windows that are over, page by page: what members bought in them, and the sums of it, and the place.

The place in the log is held meanwhile. So an order is either seen here, or its fact comes later to who follows.
"""

from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import tuple_row

from loyalty.db.session import Session
from loyalty.db.writer import Changes, write
from loyalty.events.following import hold
from loyalty.outcomes import anchors, keeping
from loyalty.outcomes.anchors import Place
from loyalty.outcomes.domain import Outcome
from loyalty.outcomes.following import NAME
from loyalty.outcomes.measuring import measure
from loyalty.programs import queries as programs

# Members looked at in one transaction.
BATCH = 1_000

_PROGRAMS = """
SELECT p.program_id, p.clock_ahead FROM programs p
WHERE EXISTS (SELECT FROM offer_sets o WHERE o.program_id = p.program_id)
    OR EXISTS (SELECT FROM feedback f WHERE f.program_id = p.program_id)
ORDER BY p.program_id
"""
_PLACES = "SELECT experiment, at, after_member FROM outcome_places WHERE program_id = %s"
_KEEP = """
INSERT INTO outcome_places (program_id, experiment, at, after_member) VALUES (%s, %s, %s, %s)
ON CONFLICT (program_id, experiment) DO UPDATE SET at = excluded.at, after_member = excluded.after_member
"""


def fill_batch(session: Session, *, now: datetime, limit: int = BATCH) -> int:
    """Count windows of one program, by its own clock; answers how many members were looked at, 0 if none were left."""
    for program_id, ahead in session.rows(_PROGRAMS, into=tuple_row):
        done = fill_program(session, program_id, now=now + (ahead or timedelta(0)), limit=limit)
        if done:
            return done
    return 0


def fill_program(session: Session, program_id: UUID, *, now: datetime, limit: int = BATCH) -> int:
    """Count windows of a program that are over; 0 if there are none."""
    program = programs.load(session, program_id)
    experiments = anchors.experiments(session, program)
    if not experiments:
        return 0
    hold(session, NAME, program_id)
    places = {name: Place(at, after) for name, at, after in session.rows(_PLACES, (program_id,), into=tuple_row)}
    done, outcomes = 0, list[Outcome]()
    for experiment in experiments:
        while done < limit:
            page = anchors.page(session, program, experiment, places.get(experiment), limit=limit - done, now=now)
            if page is None:
                break
            measured = measure(session, page.anchors)
            outcomes += (Outcome(*each) for each in zip(page.anchors, measured, strict=True))
            places[experiment] = page.place
            session.run(_KEEP, (program_id, experiment, page.place.at, page.place.after))
            done += page.rows
    changes = Changes()
    keeping.insert(changes, program_id, outcomes)
    write(session, changes)
    return done
