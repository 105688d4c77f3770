"""Following the log of facts: what members are to be told because of them is queued along with the place in the log."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import orjson
import structlog
from psycopg.rows import dict_row

from loyalty.core import calendar
from loyalty.db.session import Session, array_of
from loyalty.events.following import LoggedFact, by_turns, follow
from loyalty.notifications import arranging, planning, preferring, surveyed
from loyalty.notifications.announcing import announce
from loyalty.notifications.domain import Settings, Wanted
from loyalty.notifications.planning import TYPES, Closed, Known, Reached
from loyalty.notifications.queueing import enqueue
from loyalty.programs import queries as programs
from loyalty.programs.domain import POINTS
from loyalty.rewards import catalogue as catalogues
from loyalty.rewards import stock
from loyalty.rewards.availability import Availability, availability
from loyalty.rewards.catalogue import Catalogue
from loyalty.rewards.gathering import Who, asking
from loyalty.tiers import queries as tiers

log = structlog.get_logger()

NAME = "notifications"

# With the other one's points comes what the other one refused.
MERGED = "member.absorbed"

# So many facts in one transaction.
PAGE = 500

_WHO = """
SELECT m.member_id, m.enrolled_at, coalesce(a.available, 0) AS available
FROM members m LEFT JOIN accounts a ON a.member_id = m.member_id AND a.unit = %s
WHERE m.member_id = ANY(%s::uuid[]) AND m.status = 'active'
"""
# What is just being sent has left already. Leases are by the real clock, which is the database's, too.
_CLOSE = """
UPDATE messages m SET status = 'suppressed', reason = r.reason, decided_at = %(now)s
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (member_id uuid, kind text, key text, reason text)
WHERE m.member_id = r.member_id AND m.kind = r.kind AND m.key = r.key AND m.status = 'queued'
  AND (m.leased_until IS NULL OR m.leased_until <= clock_timestamp())
"""


def plan_batch(session: Session, *, now: datetime, limit: int = PAGE) -> int:
    """Act on the next facts, each program by its own clock when the real one shows `now`; 0 if there are none."""
    ahead = programs.moved_clocks(session)

    def turn(program_id: UUID, most: int) -> int:
        return plan_program(session, program_id, now=now + ahead.get(program_id, timedelta(0)), limit=most)

    return by_turns(session, NAME, turn, limit=limit)


def plan_program(session: Session, program_id: UUID, *, now: datetime, limit: int = PAGE) -> int:
    """Act on the next facts of a program; 0 if there are none, or somebody else does."""
    facts = follow(session, NAME, program_id, (*TYPES, MERGED), limit=limit)
    if facts:
        act(session, program_id, facts, now=now)
    return 0 if facts is None else len(facts) + 1


def act(session: Session, program_id: UUID, facts: Sequence[LoggedFact], *, now: datetime) -> None:
    """Queue what facts lead to; what they make pointless, of what waits, is not sent."""
    program = programs.load(session, program_id)
    published = catalogues.catalogue(session, program)
    settings = arranging.settings_of(session, program_id)
    ladders = tiers.ladders(session, program)
    known = Known(now=now, program=program, settings=settings, rewards=published.rewards, ladders=ladders)
    made = planning.plan((fact for fact in facts if fact.type != MERGED), known)
    if made.unreadable:
        first, types = made.unreadable[0], sorted({fact.type for fact in made.unreadable})
        log.warning("facts of another shape", count=len(made.unreadable), types=types, first=str(first.event_id))
    within = _within_reach(session, known, published, made.reached)
    asked = surveyed.in_turn(session, made.asked)
    enqueue(session, program_id, [*made.wanted, *asked, *within], settings, now=now)
    close(session, made.closed, now=now)
    for merger in (fact for fact in facts if fact.type == MERGED):
        preferring.inherit(session, program_id, merger.owner_id, merger.data["merged"], now=now)
    announce(session, program_id, made.announced)


def close(session: Session, closed: Collection[Closed], *, now: datetime) -> None:
    """Do not send what waits about something that is over."""
    if closed:
        rows = [
            {"member_id": each.member_id, "kind": each.kind, "key": each.key, "reason": each.reason} for each in closed
        ]
        session.run(_CLOSE, {"rows": orjson.dumps(rows).decode(), "now": now})


def _within_reach(
    session: Session, known: Known, published: Catalogue, reached: Mapping[UUID, Reached]
) -> Iterator[Wanted]:
    """Those whose price came within reach, and that only points keep away from the member, if anything does."""
    if not reached or not known.settings.channels_of("reward_within_reach"):
        return
    month = calendar.local_date(known.now, known.program.time_zone).strftime("%Y-%m")
    for row in session.rows(_WHO, (POINTS, array_of(reached)), into=dict_row):
        candidate = reached[row["member_id"]]
        found = _asked(session, known, published.only(published.rewards[candidate.reward]), Who(**row))
        if _is_near(found, candidate, known.settings):
            yield Wanted(
                member_id=candidate.member_id, kind="reward_within_reach", key=f"{candidate.reward}:{month}",
                data={"reward": candidate.reward, "points": found.points, "missing": found.missing},
                occurred_at=candidate.occurred_at, outdated_at=published.rewards[candidate.reward].valid_to,
            )  # fmt: skip


def _asked(session: Session, known: Known, alone: Catalogue, who: Who) -> Availability:
    """What keeps the one reward of a catalogue from a member."""
    (reward,) = alone.rewards.values()
    asked = asking(session, known.program, who, alone, now=known.now)
    if reward.is_limited:
        asked = replace(asked, left=stock.left(session, known.program.program_id, now=known.now, codes=[reward.code]))
    return availability(reward, asked)


def _is_near(found: Availability, candidate: Reached, settings: Settings) -> bool:
    """Whether the member's own price was out of reach before, and is within it still."""
    enough = planning.least(found.points, settings.within_reach_percent)
    others = any(reason.code != "insufficient_points" for reason in found.reasons)
    return not others and candidate.before < enough <= found.points - found.missing
