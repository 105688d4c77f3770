"""Making what follows from the entries anew: accounts, lots, debts, and what is upcoming.

For the day on which `verification` finds something. Entries and allocations are what happened and stay as they are; so
do checkpoints, which only grow. What contradicts itself there is for people to mend, by another entry.
"""

from datetime import datetime
from uuid import UUID

from psycopg.rows import dict_row, scalar_row

from loyalty.db.session import Session
from loyalty.db.writer import Changes, write
from loyalty.ledger.derivations import ACCOUNTS, DEBTS, LOTS, NEXT_CHANGES, UPCOMING
from loyalty.ledger.models import AccountRow
from loyalty.ledger.verification import Whose, take_your_time
from loyalty.members import locks
from loyalty.programs.terms import expiry_from

_LOTS = f"""
INSERT INTO lots (member_id, seq, unit, points, remaining, held, pending, earned_at, matures_at, deadline_at,
                  expires_at, expiry)
SELECT x.member_id, x.seq, x.unit, x.points, x.remaining, x.held, x.pending, e.occurred_at, x.matures_at, x.deadline_at,
       x.expires_at, x.expiry
FROM ({LOTS}) x JOIN entries e ON e.member_id = x.member_id AND e.seq = x.seq
ON CONFLICT (member_id, seq) DO UPDATE SET
    remaining = excluded.remaining, held = excluded.held, pending = excluded.pending,
    matures_at = excluded.matures_at, deadline_at = excluded.deadline_at, expires_at = excluded.expires_at,
    expiry = excluded.expiry, unit = excluded.unit, points = excluded.points
"""
_DEBTS = f"""
INSERT INTO debts (member_id, seq, unit, points, remaining, incurred_at, order_id, reference)
SELECT x.member_id, x.seq, x.unit, x.points, x.remaining, e.occurred_at, e.order_id, e.reference
FROM ({DEBTS}) x JOIN entries e ON e.member_id = x.member_id AND e.seq = x.seq
ON CONFLICT (member_id, seq) DO UPDATE SET
    unit = excluded.unit, points = excluded.points, remaining = excluded.remaining
"""
_ACCOUNTS = f"""
INSERT INTO accounts (member_id, unit, program_id, available, pending, held, debt, lifetime_earned, lifetime_spent,
                      last_seq, latest_at, known_at)
SELECT x.member_id, x.unit, m.program_id, x.available, x.pending, x.held, x.debt, x.earned, x.spent, x.last_seq,
       x.latest_at, x.known_at
FROM ({ACCOUNTS}) x JOIN members m ON m.member_id = x.member_id
ON CONFLICT (member_id, unit) DO UPDATE SET
    program_id = excluded.program_id, available = excluded.available, pending = excluded.pending, held = excluded.held,
    debt = excluded.debt, lifetime_earned = excluded.lifetime_earned, lifetime_spent = excluded.lifetime_spent,
    last_seq = excluded.last_seq, latest_at = excluded.latest_at, known_at = excluded.known_at
"""
_FORGET_UPCOMING = "DELETE FROM upcoming WHERE member_id = ANY(%(members)s::uuid[])"
_UPCOMING = f"INSERT INTO upcoming (member_id, unit, at, maturing, expiring) {UPCOMING}"
_NEXT_CHANGES = f"""
UPDATE accounts a SET next_change_at = (
    SELECT n.at FROM ({NEXT_CHANGES}) n WHERE n.member_id = a.member_id AND n.unit = a.unit)
WHERE a.member_id = ANY(%(members)s::uuid[])
"""

_ZONE = "SELECT p.time_zone FROM members m JOIN programs p ON p.program_id = m.program_id WHERE m.member_id = %s"
_IDLE = """
SELECT a.unit, a.idle, l.expiry, sum(l.remaining)::bigint AS points,
       (SELECT max(e.occurred_at) FROM entries e WHERE e.member_id = a.member_id AND e.unit = a.unit
        AND e.kind IN ('earn', 'redeem', 'mature')) AS active_at
FROM accounts a LEFT JOIN lots l ON l.member_id = a.member_id AND l.unit = a.unit AND l.expiry IS NOT NULL
    AND NOT l.pending AND l.remaining > 0
WHERE a.member_id = %s GROUP BY a.member_id, a.unit, a.idle, l.expiry
"""


def rebuild(session: Session, member_id: UUID) -> None:
    """Derive anew what follows from the entries and allocations of one member, under the member's lock."""
    take_your_time(session)
    locks.hold_still(session, member_id)
    whose = Whose(members=(member_id,))
    for sql in (_LOTS, _DEBTS, _ACCOUNTS):
        session.run(whose.over(sql), whose.parameters)
    _rebuild_clocks(session, member_id)
    for sql in (_FORGET_UPCOMING, _UPCOMING, _NEXT_CHANGES):
        session.run(whose.over(sql), whose.parameters)


def _rebuild_clocks(session: Session, member_id: UUID) -> None:
    """Count what lapses by inactivity. A clock that is lost runs from when the member was last active."""
    zone = session.row(_ZONE, (member_id,), into=scalar_row)
    assert isinstance(zone, str), "members have programs, and these a zone"
    clocks: dict[str, dict[str, object]] = {}
    for row in session.rows(_IDLE, (member_id,), into=dict_row):
        running = clocks.setdefault(row["unit"], {code: {**clock, "points": 0} for code, clock in row["idle"].items()})
        if row["expiry"] is not None:
            kept = row["idle"].get(row["expiry"])
            at = (
                datetime.fromisoformat(kept["at"])
                if kept
                else expiry_from(row["expiry"]).expires_at(row["active_at"], zone)
            )
            running[row["expiry"]] = {"at": at, "points": row["points"]}
    changes = Changes()
    for unit, running in clocks.items():
        changes.update(AccountRow, {"member_id": member_id, "unit": unit, "idle": running})
    write(session, changes)
