"""Points that will lapse, found by the instant at which they do: it costs what is due, however much there is."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg.rows import tuple_row

from loyalty.db.session import Session, array_of
from loyalty.notifications.domain import Message, Settings, Wanted
from loyalty.notifications.spans import Due, Notice

KIND = "points_expiring"

# Each source on its own is in the order of its index, and gives no more than is asked for. Whose program tells nothing
# is passed over one by one (OFFSET 0): by an index of programs, all their members would be read. The number of rows is
# written out, so that the planner knows how few they are.
DUE = """
(SELECT * FROM (
    SELECT u.at, u.member_id, (SELECT a.program_id FROM accounts a
                               WHERE a.member_id = u.member_id AND a.unit = 'points') AS program_id
    FROM upcoming u
    WHERE u.unit = 'points' AND (u.at, u.member_id) > (%(begin)s, %(after)s) AND u.at <= %(end)s AND u.expiring > 0
    ORDER BY u.at, u.member_id OFFSET 0) d
 WHERE d.program_id = ANY(%(programs)s::uuid[]) LIMIT {limit})
UNION
(SELECT * FROM (
    SELECT first_lapse(a.idle) AS at, a.member_id, a.program_id FROM accounts a
    WHERE a.unit = 'points' AND a.idle <> '{{}}'::jsonb AND (first_lapse(a.idle), a.member_id) > (%(begin)s, %(after)s)
      AND first_lapse(a.idle) <= %(end)s
    ORDER BY first_lapse(a.idle), a.member_id OFFSET 0) d
 WHERE d.program_id = ANY(%(programs)s::uuid[]) LIMIT {limit})
ORDER BY at, member_id LIMIT {limit}
"""
# Of one program, by the index of its members: what falls due in all others meanwhile is not passed.
DUE_OF = """
SELECT DISTINCT d.at, a.member_id, a.program_id FROM accounts a CROSS JOIN LATERAL (
    SELECT u.at FROM upcoming u
    WHERE u.member_id = a.member_id AND u.unit = 'points' AND u.at >= %(begin)s AND u.at <= %(end)s AND u.expiring > 0
    UNION ALL SELECT first_lapse(a.idle)) d
WHERE a.program_id = %(alone)s AND a.unit = 'points' AND (d.at, a.member_id) > (%(begin)s, %(after)s)
  AND d.at <= %(end)s
ORDER BY d.at, a.member_id LIMIT {limit}
"""
# What lapses of members at instants; beside it, what lapses if they do nothing: [at, points] of each clock.
_LAPSING = """
SELECT w.number, coalesce((SELECT u.expiring FROM upcoming u
                           WHERE u.member_id = w.member_id AND u.unit = 'points' AND u.at = w.at), 0),
  (SELECT json_agg(json_build_array(c.value ->> 'at', (c.value ->> 'points')::bigint))
   FROM accounts a CROSS JOIN jsonb_each(a.idle) c WHERE a.member_id = w.member_id AND a.unit = 'points')
FROM unnest(%s::uuid[], %s::timestamptz[]) WITH ORDINALITY AS w (member_id, at, number) ORDER BY w.number
"""


@dataclass(frozen=True, slots=True)
class _Lapsing:
    """What lapses at an instant, and the clocks of the account: how many points lapse at which instant."""

    points: int
    clocks: Mapping[datetime, int]


def leads(settings: Settings) -> Sequence[int]:
    """How many days ahead members are told."""
    return settings.expiring_days


def wanted(session: Session, program_id: UUID, found: Sequence[Due], notice: Notice) -> Iterator[Wanted]:
    """What members of a program are told of what was found."""
    del program_id
    for each, lapsing in zip(found, _lapsing(session, [(d.member_id, d.at) for d in found]), strict=True):
        told = {each.at: lapsing.points}
        # An account is found by the first of its clocks. Whatever follows so closely that it would be too late to find
        # it by then is told of now, when it is time.
        told |= {
            at: points for at, points in lapsing.clocks.items()
            if each.at in lapsing.clocks and at > each.at and at - notice.lead <= each.at
        }  # fmt: skip
        for at, points in told.items():
            if points > 0 and notice.is_for(at):
                yield _wanted(each.member_id, at, points, notice)


def _wanted(member_id: UUID, at: datetime, points: int, notice: Notice) -> Wanted:
    return Wanted(
        member_id=member_id, kind=KIND, key=f"points:{at.isoformat()}:{notice.days}",
        data={"points": points, "expires_at": at, "days": notice.days_left(at)},
        occurred_at=max(notice.now, at - notice.lead), not_before=at - notice.lead, outdated_at=at,
    )  # fmt: skip


def still_expiring(session: Session, messages: Sequence[Message]) -> dict[UUID, int]:
    """How many points lapse when messages say that some do, by the id of the message; 0: they were used meanwhile."""
    asked = [(message.member_id, datetime.fromisoformat(message.data["expires_at"])) for message in messages]
    found = _lapsing(session, asked)
    return {message.message_id: each.points for message, each in zip(messages, found, strict=True)}


def _lapsing(session: Session, asked: Sequence[tuple[UUID, datetime]]) -> list[_Lapsing]:
    if not asked:
        return []
    ids, instants = zip(*asked, strict=True)
    rows: Iterable[Any] = session.rows(_LAPSING, (array_of(ids), array_of(instants)), into=tuple_row)
    made = []
    for (_, at), (_, points, idle) in zip(asked, rows, strict=True):
        clocks: dict[datetime, int] = {}
        for lapses_at, of_clock in idle or ():
            instant = datetime.fromisoformat(lapses_at).astimezone(UTC)
            clocks[instant] = clocks.get(instant, 0) + of_clock
        made.append(_Lapsing(points + clocks.get(at, 0), clocks))
    return made
