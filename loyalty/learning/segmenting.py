"""Keeping up who is in which segment: after what members did, and once a day all of them, since time changes it, too.

Whoever writes it has the program's `segment_sweeps` row locked, so what was found later is written later. Each batch is
a transaction of its own and says how far it has come, so a look that was cut off goes on from there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import class_row, scalar_row, tuple_row

from loyalty.db.session import Session, array_of
from loyalty.earning.belonging import belonging
from loyalty.earning.queries import rules_at
from loyalty.events.following import by_turns, follow
from loyalty.programs import queries as programs
from loyalty.programs.domain import Program

NAME = "segments"
# Whose work on a fact is to be there before members are looked at because of it.
FEATURES = "features"
# What may take a member into a segment, or out of one.
TYPES = (
    "member.enrolled", "member.updated", "member.suspended", "member.resumed", "member.closed", "member.merged",
    "member.absorbed", "order.recorded", "order.returned", "order.cancelled", "redemption.confirmed",
    "redemption.cancelled", "offer.redeemed", "offer.reinstated", "tier.changed",
)  # fmt: skip

# So many facts, or members, in one transaction: a quarter of a second.
PAGE = 500
A_DAY = timedelta(days=1)

# Rows of programs that are new: they have never been looked at.
_NEW = """
INSERT INTO segment_sweeps (program_id, rules_version, statistics_version, begun_at, done, total)
SELECT p.program_id, -1, -1, to_timestamp(0), 0, 0 FROM programs p
WHERE NOT EXISTS (SELECT FROM segment_sweeps s WHERE s.program_id = p.program_id) ON CONFLICT DO NOTHING
"""
# By each program's own clock.
_SWEEPS = """
SELECT s.program_id, p.clock_ahead AS ahead, s.after_member, s.done,
  s.finished_at IS NULL AND s.after_member IS NOT NULL AND s.rules_version = r.version
    AND s.statistics_version = t.version AS under_way,
  r.version AS rules_version, t.version AS statistics_version
FROM segment_sweeps s JOIN programs p ON p.program_id = s.program_id
CROSS JOIN LATERAL (SELECT coalesce((
    SELECT e.version FROM earning_rule_sets e WHERE e.program_id = s.program_id
    AND (e.effective_from IS NULL OR e.effective_from <= %(now)s + p.clock_ahead)
    ORDER BY e.version DESC LIMIT 1), 0) AS version) r
CROSS JOIN LATERAL (SELECT coalesce((
    SELECT f.version FROM feature_statistics f WHERE f.program_id = s.program_id AND f.finished_at IS NOT NULL
    ORDER BY f.version DESC LIMIT 1), 0) AS version) t
WHERE (s.finished_at IS NULL OR s.rules_version <> r.version OR s.statistics_version <> t.version
   OR s.begun_at <= %(now)s + p.clock_ahead - %(a_day)s)
"""
# Who waits longest comes first, so that a program of a million members keeps nobody waiting.
_DUE = f"{_SWEEPS} ORDER BY s.begun_at, s.program_id LIMIT 1 FOR UPDATE OF s SKIP LOCKED"
_DUE_OF_ONE = f"{_SWEEPS} AND s.program_id = %(program_id)s FOR UPDATE OF s SKIP LOCKED"
_BEGIN = """
UPDATE segment_sweeps SET rules_version = %(rules_version)s, statistics_version = %(statistics_version)s,
    begun_at = %(now)s, after_member = NULL, done = 0, finished_at = NULL,
    total = (SELECT count(*) FROM members m WHERE m.program_id = %(program_id)s)
WHERE program_id = %(program_id)s
"""
_MOVE = "UPDATE segment_sweeps SET after_member = %s, done = %s WHERE program_id = %s"
_END = "UPDATE segment_sweeps SET done = %s, finished_at = %s WHERE program_id = %s"
_COUNTED = """
INSERT INTO segment_sizes (program_id, segment, size, counted_at)
SELECT %(program_id)s, segment, 0, %(now)s FROM unnest(%(codes)s::text[]) AS c (segment) ORDER BY segment
ON CONFLICT (program_id, segment) DO UPDATE SET counted_at = excluded.counted_at
"""
_MEMBERS = """
SELECT member_id, enrolled_at, status <> 'closed' FROM members
WHERE program_id = %s AND member_id > coalesce(%s, '00000000-0000-0000-0000-000000000000'::uuid)
ORDER BY member_id LIMIT %s
"""
_LOCK = "SELECT 1 FROM segment_sweeps WHERE program_id = %s FOR UPDATE"
_TOUCHED = """
SELECT member_id, enrolled_at, status <> 'closed' FROM members WHERE member_id = ANY(%s::uuid[]) AND program_id = %s
"""
# What was recorded of the members who were looked at becomes what was found, and sizes move with it.
_RECORD = """
WITH found AS MATERIALIZED (
    SELECT * FROM unnest(%(members)s::uuid[], %(segments)s::text[]) AS f (member_id, segment)
), gone AS (
    DELETE FROM segment_members s WHERE s.program_id = %(program_id)s AND s.member_id = ANY(%(asked)s::uuid[])
    AND NOT EXISTS (SELECT FROM found f WHERE f.member_id = s.member_id AND f.segment = s.segment) RETURNING s.segment
), come AS (
    INSERT INTO segment_members (program_id, segment, member_id, since)
    SELECT %(program_id)s, f.segment, f.member_id, %(now)s FROM found f
    ON CONFLICT DO NOTHING RETURNING segment
), changed AS (
    SELECT segment, sum(change) AS change
    FROM (SELECT segment, 1 AS change FROM come UNION ALL SELECT segment, -1 FROM gone) c GROUP BY segment
), moved AS (
    UPDATE segment_sizes z SET size = z.size + c.change FROM changed c
    WHERE z.program_id = %(program_id)s AND z.segment = c.segment
)
INSERT INTO segment_sizes (program_id, segment, size) SELECT %(program_id)s, c.segment, c.change FROM changed c
WHERE NOT EXISTS (SELECT FROM segment_sizes z WHERE z.program_id = %(program_id)s AND z.segment = c.segment)
"""

# A member: the id, when they enrolled, and whether they still are one.
Looked = tuple[UUID, datetime, bool]


@dataclass(frozen=True, slots=True)
class _Sweep:
    program_id: UUID
    ahead: timedelta
    after_member: UUID | None
    done: int
    under_way: bool
    rules_version: int
    statistics_version: int


def sweep_batch(session: Session, *, now: datetime, limit: int = PAGE) -> int:
    """Look at the next members of one program that is due, when the real clock shows `now`; 0 if none is.

    A program is due once a day by its own clock, and as soon as other rules or other statistics are in force.
    """
    # To insert a row waits for whoever has inserted it and is not done yet: so nothing else is done with it.
    if begun := session.run(_NEW):
        return begun
    sweep = session.row(_DUE, {"now": now, "a_day": A_DAY}, into=class_row(_Sweep))
    return 0 if sweep is None else _go_on(session, sweep, limit, now + sweep.ahead)


def sweep_program(session: Session, program_id: UUID, *, now: datetime, limit: int = PAGE) -> int:
    """`sweep_batch` for one program."""
    where = {"now": now, "a_day": A_DAY, "program_id": program_id}
    sweep = session.row(_DUE_OF_ONE, where, into=class_row(_Sweep))
    return 0 if sweep is None else _go_on(session, sweep, limit, now + sweep.ahead)


def _go_on(session: Session, sweep: _Sweep, limit: int, now: datetime) -> int:
    program_id = sweep.program_id
    after, done = (sweep.after_member, sweep.done) if sweep.under_way else (None, 0)
    if not sweep.under_way:
        versions = {"rules_version": sweep.rules_version, "statistics_version": sweep.statistics_version}
        session.run(_BEGIN, {"program_id": program_id, "now": now, **versions})
    program = programs.load(session, program_id)
    members: list[Looked] = session.rows(_MEMBERS, (program_id, after, limit), into=tuple_row)
    record(session, program, members, now=now)
    done += len(members)
    if len(members) < limit:
        codes = array_of(rules_at(session, program, now).all_segments)
        session.run(_COUNTED, {"program_id": program_id, "now": now, "codes": codes})
        session.run(_END, (done, now, program_id))
    else:
        session.run(_MOVE, (members[-1][0], done, program_id))
    return len(members) + 1


def follow_batch(session: Session, *, now: datetime, limit: int = PAGE) -> int:
    """Look at the members of the next facts, each program by its own clock when the real one shows `now`."""
    ahead = programs.moved_clocks(session)

    def turn(program_id: UUID, most: int) -> int:
        return follow_program(session, program_id, now=now + ahead.get(program_id, timedelta(0)), limit=most)

    return by_turns(session, NAME, turn, limit=limit, after=FEATURES)


def follow_program(session: Session, program_id: UUID, *, now: datetime, limit: int = PAGE) -> int:
    """Look at the members of the next facts of a program; 0 if there are none, or somebody else does."""
    facts = follow(session, NAME, program_id, TYPES, limit=limit, after=FEATURES)
    if facts is None:
        return 0
    touched = sorted({fact.owner_id for fact in facts})
    # Where nobody was looked at yet, everybody will be.
    if touched and session.row(_LOCK, (program_id,), into=scalar_row):
        members: list[Looked] = session.rows(_TOUCHED, (array_of(touched), program_id), into=tuple_row)
        record(session, programs.load(session, program_id), members, now=now)
    return len(facts) + 1


def record(session: Session, program: Program, members: Sequence[Looked], *, now: datetime) -> None:
    """Write down in which segments members are. Who has left is in none."""
    if not members:
        return
    there = [(member_id, enrolled_at) for member_id, enrolled_at, stays in members if stays]
    found = belonging(session, program, there, now=now)
    rows = sorted((member_id, code) for member_id, codes in found.items() for code in codes)
    session.run(
        _RECORD,
        {
            "program_id": program.program_id, "now": now, "asked": array_of([member_id for member_id, *_ in members]),
            "members": array_of([member_id for member_id, _ in rows]), "segments": array_of([code for _, code in rows]),
        },
    )  # fmt: skip
