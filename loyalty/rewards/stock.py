"""What is left of limited rewards: counters that all members share, each moved by one statement, last.

What is kept for a redemption that is held has a row of its own (`stock_holds`), and whoever deletes that row decides:
who confirms in time, or who finds that the time is over. So no counter waits for a job, and each unit comes back once.

A reward may begin to give codes out of a pool, or cease to. What was taken of the one is nothing to be given back to
the other: until it changes again, what is kept for such a redemption is kept of no reward.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from psycopg.rows import scalar_row, tuple_row

from loyalty.db.session import Session, array_of

# What was kept for others whose time is over is to be had again. One that somebody is confirming or cancelling at this
# instant is theirs; so many at once are enough to have one.
_TAKE_ONE = """
WITH lapsed AS (
    DELETE FROM stock_holds h USING (
        SELECT member_id, redemption_id FROM stock_holds
        WHERE program_id = %(program_id)s AND reward_code = %(code)s AND expires_at <= %(now)s
        ORDER BY expires_at LIMIT 100 FOR UPDATE SKIP LOCKED) d
    WHERE h.member_id = d.member_id AND h.redemption_id = d.redemption_id RETURNING 1)
UPDATE reward_stock SET remaining = remaining + (SELECT count(*) FROM lapsed) - 1
WHERE program_id = %(program_id)s AND code = %(code)s AND remaining + (SELECT count(*) FROM lapsed) >= 1
RETURNING remaining
"""

_LET_GO = "DELETE FROM stock_holds WHERE member_id = %s AND redemption_id = %s"
_ADD = "UPDATE reward_stock SET remaining = remaining + %s WHERE program_id = %s AND code = %s"
_CHANGE = f"{_ADD} AND remaining + %s >= 0"
_PUT_BACK = """
UPDATE reward_stock s SET remaining = s.remaining + 1 FROM rewards w
WHERE s.program_id = %s AND s.code = %s AND w.program_id = s.program_id AND w.code = s.code
  AND coalesce(w.content ->> 'fulfilment', '') <> 'pool'
"""

# In the order of the codes, as everybody who moves several.
_GIVE_BACK = """
WITH freed AS (
    DELETE FROM stock_holds h USING unnest(%s::uuid[], %s::text[]) AS w (member_id, redemption_id)
    WHERE h.member_id = w.member_id AND h.redemption_id = w.redemption_id RETURNING h.program_id, h.reward_code),
counted AS (SELECT program_id, reward_code, count(*) AS freed FROM freed GROUP BY 1, 2),
locked AS MATERIALIZED (
    SELECT s.program_id, s.code, c.freed FROM reward_stock s
    JOIN counted c ON c.program_id = s.program_id AND c.reward_code = s.code
    ORDER BY s.program_id, s.code FOR NO KEY UPDATE OF s)
UPDATE reward_stock s SET remaining = s.remaining + l.freed FROM locked l
WHERE s.program_id = l.program_id AND s.code = l.code
"""

_SET = """
INSERT INTO reward_stock (program_id, code, remaining) VALUES (%s, %s, %s)
ON CONFLICT (program_id, code) DO UPDATE SET remaining = excluded.remaining
"""
# What is kept of a reward that was edited just now, at `updated_at`: nothing for those whose time is over, the rest of
# what it gives from now on, or of none. Answers how many codes of the pool are promised. One that somebody confirms or
# cancels at this instant is theirs. No code of a reward is empty.
_EDIT = """
WITH kept AS MATERIALIZED (
    SELECT h.member_id, h.redemption_id, h.expires_at <= w.updated_at AS is_over, r.fulfilment = 'pool' AS of_pool,
           (r.fulfilment = 'pool') = (coalesce(w.content ->> 'fulfilment', '') = 'pool') AS is_same
    FROM stock_holds h JOIN redemptions r ON r.member_id = h.member_id AND r.redemption_id = h.redemption_id
    JOIN rewards w ON w.program_id = h.program_id AND w.code = r.reward_code
    WHERE h.program_id = %(program_id)s AND h.reward_code IN (%(code)s, '') AND r.reward_code = %(code)s
    FOR UPDATE OF h SKIP LOCKED),
forgotten AS (
    DELETE FROM stock_holds h USING kept k
    WHERE h.member_id = k.member_id AND h.redemption_id = k.redemption_id AND k.is_over),
named AS (
    UPDATE stock_holds h SET reward_code = CASE WHEN k.is_same THEN %(code)s ELSE '' END FROM kept k
    WHERE h.member_id = k.member_id AND h.redemption_id = k.redemption_id AND NOT k.is_over)
SELECT count(*) FROM kept WHERE NOT is_over AND is_same AND of_pool
"""
_DROP = "DELETE FROM reward_stock WHERE program_id = %s AND code = %s"

# What is left: what nobody has, and what was kept for those whose time is over.
LEFT = """
s.remaining + (SELECT count(*) FROM stock_holds h
 WHERE h.program_id = s.program_id AND h.reward_code = s.code AND h.expires_at <= %(now)s)
"""
_ALL_LEFT = f"SELECT s.code, {LEFT} FROM reward_stock s WHERE s.program_id = %(program_id)s"
_LEFT_OF = f"{_ALL_LEFT} AND s.code = ANY(%(codes)s::text[])"


def take_one(session: Session, program_id: UUID, code: str, *, now: datetime) -> int | None:
    """Take one of a limited reward; answers how many are left, None if there was none to take."""
    where = {"program_id": program_id, "code": code, "now": now}
    return session.row(_TAKE_ONE, where, into=scalar_row)


def let_go(session: Session, member_id: UUID, redemption_id: str) -> bool:
    """Keep what was held for a redemption, for good; whether it was still held."""
    return bool(session.run(_LET_GO, (member_id, redemption_id)))


def give_back(session: Session, redemptions: Sequence[tuple[UUID, str]]) -> None:
    """Put back what was held for redemptions, as far as nobody has done so."""
    members, ids = zip(*redemptions, strict=True) if redemptions else ((), ())
    session.run(_GIVE_BACK, (array_of(members), array_of(ids)))


def put_back(session: Session, program_id: UUID, code: str) -> None:
    """Put back what a confirmed redemption took; of codes of a pool, and without end, there is nothing to count."""
    session.run(_PUT_BACK, (program_id, code))


def add(session: Session, program_id: UUID, code: str, units: int) -> None:
    """There are so many more; of a reward without end there is nothing to count."""
    session.run(_ADD, (units, program_id, code))


def change(session: Session, program_id: UUID, code: str, units: int) -> bool:
    """There are so many more, or fewer; whether there were as many to take away."""
    return bool(session.run(_CHANGE, (units, program_id, code, units)))


def restock(session: Session, program_id: UUID, code: str, left: int | None) -> None:
    """So many are left from now on, beside those that are held; None: without end. The reward itself is edited.

    Of the codes of a pool that are left, those who hold one of them are promised theirs.
    """
    where = {"program_id": program_id, "code": code}
    promised = session.row(_EDIT, where, into=scalar_row) or 0
    if left is None:
        session.run(_DROP, (program_id, code))
    else:
        session.run(_SET, (program_id, code, max(0, left - promised)))


def left(session: Session, program_id: UUID, *, now: datetime, codes: Iterable[str] | None = None) -> dict[str, int]:
    """How many are left of the limited rewards of a program, or of some of them."""
    where = {"program_id": program_id, "now": now}
    if codes is None:
        return dict(session.rows(_ALL_LEFT, where, into=tuple_row))
    return dict(session.rows(_LEFT_OF, {**where, "codes": array_of(codes)}, into=tuple_row))
