"""New rewards: told to all members who could have them, in batches, from the day on which they can be had."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import dict_row, tuple_row

from loyalty.db.session import Session
from loyalty.earning.belonging import Who, belonging
from loyalty.notifications import arranging
from loyalty.notifications.domain import Wanted
from loyalty.notifications.planning import Announced
from loyalty.notifications.queueing import enqueue
from loyalty.programs import queries as programs
from loyalty.programs.domain import Program
from loyalty.rewards import catalogue as catalogues
from loyalty.rewards.domain import Reward
from loyalty.tiers import queries as tiers
from loyalty.tiers import reading

PREFIX = "new_reward:"

# So many members in one transaction.
BATCH = 500

_BEGIN = """
INSERT INTO sweeps (name, scope, not_before, data)
SELECT name, %s, not_before, data
FROM jsonb_to_recordset(%s::jsonb) AS r (name text, not_before timestamptz, data jsonb)
ON CONFLICT (name, scope) DO NOTHING
"""
_NEXT = """
SELECT s.name, s.scope, s.after, s.not_before, s.data, p.clock_ahead AS ahead
FROM sweeps s JOIN programs p ON p.program_id = s.scope
WHERE s.finished_at IS NULL AND starts_with(s.name, %s) AND s.not_before <= %s + p.clock_ahead
ORDER BY s.not_before LIMIT 1 FOR UPDATE OF s SKIP LOCKED
"""
_MEMBERS = """
SELECT member_id, enrolled_at, status FROM members
WHERE program_id = %s AND member_id > coalesce(%s, '00000000-0000-0000-0000-000000000000'::uuid)
ORDER BY member_id LIMIT %s
"""
_GO_ON = "UPDATE sweeps SET after = %s WHERE name = %s AND scope = %s"
_END = "UPDATE sweeps SET finished_at = %s WHERE name = %s AND scope = %s"


def announce(session: Session, program_id: UUID, announced: Sequence[Announced]) -> None:
    """Let members be told of new rewards, from when on they can be had."""
    if announced:
        rows = [
            {
                "name": f"{PREFIX}{each.reward}:{each.version}",
                "not_before": each.at,
                "data": {"reward": each.reward, "version": each.version},
            }
            for each in announced
        ]
        session.run(_BEGIN, (program_id, orjson.dumps(rows).decode()))


def announce_batch(session: Session, *, now: datetime, limit: int = BATCH) -> int:
    """Tell the next members of one new reward, by their program's clock; answers how much there was to do.

    It ends when all were told, or when nobody can have the reward any more.
    """
    sweep = session.row(_NEXT, (PREFIX, now), into=dict_row)
    if sweep is None:
        return 0
    program_id, place = sweep["scope"], (sweep["name"], sweep["scope"])
    now += sweep["ahead"]
    program = programs.load(session, program_id)
    reward = catalogues.catalogue(session, program).rewards.get(sweep["data"]["reward"])
    members: list[tuple[UUID, datetime, str]] = []
    if reward is not None and (reward.valid_to is None or reward.valid_to > now):
        members = session.rows(_MEMBERS, (program_id, sweep["after"], limit), into=tuple_row)
        who = _in_segments(session, program, reward, _of_tiers(session, program, reward, members, now=now), now=now)
        wanted = [_wanted(member_id, sweep, reward) for member_id in who]
        enqueue(session, program_id, wanted, arranging.settings_of(session, program_id), now=now)
    if len(members) < limit:
        session.run(_END, (now, *place))
    else:
        session.run(_GO_ON, (members[-1][0], *place))
    return len(members) + 1


def _of_tiers(
    session: Session, program: Program, reward: Reward, members: Sequence[tuple[UUID, datetime, str]], *, now: datetime
) -> list[Who]:
    """The active ones of the tiers that may have the reward."""
    active = [(member_id, enrolled_at) for member_id, enrolled_at, status in members if status == "active"]
    if not reward.tiers:
        return active
    held = reading.tiers_of(session, tiers.ladders(session, program), active, now=now)
    return [who for who in active if who[0] in held and held[who[0]].code in reward.tiers]


def _in_segments(
    session: Session, program: Program, reward: Reward, members: Sequence[Who], *, now: datetime
) -> list[UUID]:
    """Those in the segments that may have the reward."""
    if not reward.segments:
        return [member_id for member_id, _ in members]
    found = belonging(session, program, members, reward.segments, now=now)
    return [member_id for member_id, _ in members if found[member_id]]


def _wanted(member_id: UUID, sweep: dict[str, Any], reward: Reward) -> Wanted:
    data = sweep["data"]
    return Wanted(
        member_id=member_id, kind="new_reward", key=f"{data['reward']}:{data['version']}", data=data,
        occurred_at=sweep["not_before"], outdated_at=reward.valid_to,
    )  # fmt: skip
