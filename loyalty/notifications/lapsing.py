"""Tiers that will end, found by the instant at which a standing changes: told of where a lower tier follows."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import tuple_row

from loyalty.db.session import Session, array_of
from loyalty.notifications.domain import Message, Settings, Wanted
from loyalty.notifications.spans import Due, Notice
from loyalty.programs import queries as programs
from loyalty.tiers import queries, reading
from loyalty.tiers.domain import Ladders
from loyalty.tiers.prospects import Prospects, prospects
from loyalty.tiers.reading import Asked

KIND = "tier_lapsing"

# As with points (`expiring`): in the order of the index, whose program tells nothing is passed over one by one.
DUE = """
SELECT * FROM (
    SELECT next_change_at AS at, member_id, program_id FROM tier_standings
    WHERE (next_change_at, member_id) > (%(begin)s, %(after)s) AND next_change_at <= %(end)s
    ORDER BY next_change_at, member_id OFFSET 0) d
WHERE program_id = ANY(%(programs)s::uuid[]) LIMIT {limit}
"""
# Of one program, by the index of its members.
DUE_OF = """
SELECT next_change_at AS at, member_id, program_id FROM tier_standings
WHERE program_id = %(alone)s AND (next_change_at, member_id) > (%(begin)s, %(after)s) AND next_change_at <= %(end)s
ORDER BY next_change_at, member_id LIMIT {limit}
"""
_ENROLLED = "SELECT member_id, enrolled_at FROM members WHERE member_id = ANY(%s::uuid[]) AND status <> 'closed'"


def leads(settings: Settings) -> Sequence[int]:
    """How many days ahead members are told."""
    return settings.lapsing_days


def wanted(session: Session, program_id: UUID, found: Sequence[Due], notice: Notice) -> Iterator[Wanted]:
    """What members of a program are told of what was found.

    What ends may do so later than the standing changes: at the end of a grace. Members are told that long before the
    tier is lost; if the standing changes before that is due, it is found again then.
    """
    falling = _falling(session, program_id, [each.member_id for each in found], now=notice.now)
    for each in found:
        seen = falling.get(each.member_id)
        at = seen.projection.at if seen else None
        if seen is not None and at is not None and at - notice.lead <= each.at and notice.is_for(at):
            yield Wanted(
                member_id=each.member_id, kind=KIND, key=f"tier:{at.isoformat()}:{notice.days}",
                data={"tier": seen.tier.code, "valid_until": at, "days": notice.days_left(at)},
                occurred_at=max(notice.now, at - notice.lead), not_before=at - notice.lead, outdated_at=at,
            )  # fmt: skip


def still_lapsing(session: Session, program_id: UUID, messages: Sequence[Message], *, now: datetime) -> set[UUID]:
    """The ids of those messages that are still right: the tier is still lost when they say so."""
    falling = _falling(session, program_id, {message.member_id for message in messages}, now=now)
    return {
        message.message_id for message in messages
        if (seen := falling.get(message.member_id)) is not None and seen.tier.code == message.data["tier"]
        and seen.projection.at == datetime.fromisoformat(message.data["valid_until"])
    }  # fmt: skip


def _falling(session: Session, program_id: UUID, members: Any, *, now: datetime) -> dict[UUID, Prospects]:
    """Those members who will have a lower tier if nothing else happens."""
    ladders = queries.ladders(session, programs.load(session, program_id))
    in_force = ladders.at(now)
    if in_force is None or not members:
        return {}
    enrolled = session.rows(_ENROLLED, (array_of(members),), into=tuple_row)
    asked = [Asked(member_id, enrolled_at, now) for member_id, enrolled_at in enrolled]
    # Whether a ladder that is to come keeps the tier takes all that ever counted.
    read = reading.whole if ladders.after(in_force.version) else reading.standings
    standings = read(session, ladders, asked, now=now)
    seen = {member_id: prospects(standing, ladders, now=now) for member_id, standing in standings.items()}
    return {member_id: each for member_id, each in seen.items() if each is not None and _falls(each, ladders)}


def _falls(seen: Prospects, ladders: Ladders) -> bool:
    coming = seen.projection
    if coming.at is None or coming.tier.code == seen.tier.code:
        return False
    # Another ladder may not have the one tier or the other.
    for ladder in (ladders.at(coming.at), seen.ladder):
        have, will_have = (ladder.rank(tier.code) if ladder else None for tier in (seen.tier, coming.tier))
        if have is not None and will_have is not None:
            return will_have < have
    return False
