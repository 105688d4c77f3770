"""Following the log: outcomes that are counted are counted again when an order in their window turns up, or goes.

Most orders are in windows that are not over yet, and change nothing: those are measured once, when they are. What there
is to see, the orders themselves say, so an outcome is a function of them, however often and in whatever order facts
come.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from psycopg.rows import tuple_row

from loyalty.db.session import Session, array_of
from loyalty.db.writer import Changes, write
from loyalty.events.following import LoggedFact, by_turns, follow
from loyalty.members.queries import staying
from loyalty.outcomes import keeping
from loyalty.outcomes.domain import Outcome
from loyalty.outcomes.measuring import measure

NAME = "outcomes"

RECORDED, REDEEMED, MERGED = "order.recorded", "offer.redeemed", "member.merged"
# What became of an order or an offer before, maybe long ago.
UNDONE = ("order.returned", "order.cancelled", "offer.reinstated")
TYPES = (RECORDED, REDEEMED, MERGED, *UNDONE)

# So many facts in one transaction.
PAGE = 2_000

# Without an instant: all that is counted of the member.
_COUNTED = f"""
SELECT DISTINCT {keeping.COLUMNS} FROM unnest(%s::uuid[], %s::timestamptz[]) AS w (member_id, at)
CROSS JOIN LATERAL (
    SELECT * FROM outcomes c WHERE c.member_id = w.member_id
    AND (w.at IS NULL OR (w.at >= c.at AND w.at < c.ends_at) OR (w.at >= c.before_from AND w.at < c.before_to))
    OFFSET 0) o
"""


def follow_batch(session: Session, *, limit: int = PAGE) -> int:
    """Look at the next facts of all programs; 0 if there are none."""
    return by_turns(session, NAME, lambda who, most: follow_program(session, who, limit=most), limit=limit)


def follow_program(session: Session, program_id: UUID, *, limit: int = PAGE) -> int:
    """Look at the next facts of a program; 0 if there are none, or somebody else does."""
    facts = follow(session, NAME, program_id, TYPES, limit=limit)
    if facts:
        act(session, program_id, facts)
    return 0 if facts is None else len(facts) + 1


def act(session: Session, program_id: UUID, facts: Sequence[LoggedFact]) -> None:
    """Count again what facts tell of. The caller holds the program's place."""
    told = {(fact.owner_id, _instant(fact)) for fact in facts if fact.customer_id is not None}
    if not told:
        return
    stays = staying(session, {member_id for member_id, _ in told})
    again = {(stays[member_id], at) for member_id, at in told}
    # Who was merged is no member of their own any more: what they buy is counted for who stays.
    again |= {(fact.owner_id, None) for fact in facts if fact.type == MERGED}
    changes = Changes()
    keeping.update(changes, program_id, compared(session, counted(session, again)))
    write(session, changes)


def compared(session: Session, outcomes: Sequence[Outcome]) -> list[tuple[Outcome, Outcome | None]]:
    """Outcomes as they are kept, and as they are to be by the orders: none of who was merged into somebody."""
    stays = staying(session, {each.anchor.member_id for each in outcomes})
    still = [each for each in outcomes if stays[each.anchor.member_id] == each.anchor.member_id]
    fresh = measure(session, [each.anchor for each in still])
    now = {id(each): Outcome(each.anchor, measured) for each, measured in zip(still, fresh, strict=True)}
    return [(each, now.get(id(each))) for each in outcomes]


def counted(session: Session, told: Collection[tuple[UUID, datetime | None]]) -> list[Outcome]:
    """The outcomes of members that an instant is in, in the window or before."""
    where = (array_of(member_id for member_id, _ in told), [at for _, at in told])
    return [keeping.outcome(row) for row in session.rows(_COUNTED, where, into=tuple_row)]


def _instant(fact: LoggedFact) -> datetime | None:
    """When that was which is told of; None if it may be about anything before."""
    if fact.type == RECORDED:
        return datetime.fromisoformat(fact.data["placed_at"])
    return fact.occurred_at if fact.type == REDEEMED else None
