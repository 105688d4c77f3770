"""Who is in which segment, noted once a day, so that what is counted later knows who was.

What happens on a day belongs to the segments that were noted last on a day before: so it makes no difference when it is
counted. They are never deleted.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from psycopg.rows import class_row, scalar_row
from pyroaring import BitMap

from loyalty.core import calendar
from loyalty.db.session import Session, array_of
from loyalty.events.following import take_place
from loyalty.rollups.following import NAME
from loyalty.rollups.keeping import packed_of
from loyalty.rollups.numbering import numbers_of

# Not right before midnight, when it may be tomorrow already by the clock of a shop, or of another server.
UNTIL = time(23, 50)

_PROGRAMS = """
SELECT p.program_id, p.time_zone, p.clock_ahead AS ahead, (
    SELECT t.taken_on FROM rollup_segments t WHERE t.program_id = p.program_id AND t.segment = ''
    ORDER BY t.taken_on DESC LIMIT 1) AS last
FROM programs p JOIN segment_sweeps s ON s.program_id = p.program_id
WHERE s.finished_at IS NOT NULL ORDER BY p.program_id
"""
_CODES = "SELECT DISTINCT segment FROM segment_members WHERE program_id = %s ORDER BY segment"
_WITHOUT = """
SELECT DISTINCT s.member_id FROM segment_members s
WHERE s.program_id = %s AND NOT EXISTS (SELECT FROM rollup_members n WHERE n.member_id = s.member_id)
"""
_NUMBERS = """
SELECT n.number FROM segment_members s JOIN rollup_members n ON n.member_id = s.member_id
WHERE s.program_id = %s AND s.segment = %s
"""
_TAKE = """
INSERT INTO rollup_segments (program_id, taken_on, segment, size, members)
SELECT %s, %s, segment, size, members FROM unnest(%s::text[], %s::bigint[], %s::bytea[]) AS w (segment, size, members)
"""


@dataclass(frozen=True, slots=True)
class _Program:
    program_id: UUID
    time_zone: str
    ahead: timedelta
    last: date | None


def take_batch(session: Session, *, now: datetime) -> int:
    """Note who is in which segment, for the next program where that was not done today; 0 if there is none.

    `now` is what the real clock shows; the day is that of the program's own.
    """
    for program in session.rows(_PROGRAMS, into=class_row(_Program)):
        wall = (now + program.ahead).astimezone(calendar.zone(program.time_zone))
        is_noted = program.last is not None and program.last >= wall.date()
        if not is_noted and wall.time() < UNTIL and take_program(session, program.program_id, wall.date()):
            return 1
    return 0


def take_program(session: Session, program_id: UUID, day: date) -> int:
    """Note who is in which segment of a program; 0 if it is being counted just now, so it has to wait."""
    if take_place(session, NAME, program_id) is None:
        return 0
    numbers_of(session, program_id, session.rows(_WITHOUT, (program_id,), into=scalar_row))
    taken = {"": BitMap()}
    for code in session.rows(_CODES, (program_id,), into=scalar_row):
        taken[code] = BitMap(session.rows(_NUMBERS, (program_id, code), into=scalar_row))
    packed = [packed_of(members) for members in taken.values()]
    sizes = [len(members) for members in taken.values()]
    session.run(_TAKE, (program_id, day, array_of(taken), array_of(sizes), packed))
    return len(taken)
